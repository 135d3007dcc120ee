"""Sentences with findings, all made from readings, so that none can disagree with a number."""

from __future__ import annotations

from collections.abc import Sequence

from bench.questions.metric import Metric
from reports.read.lookup import Lookup
from reports.sections.decisions import TOO_FEW, Decision
from reports.sections.tables import PRICE, differ
from reports.words.catalogue import matters, scale_of
from reports.words.numbers import listing, plural, ratio, scaled, with_unit
from reports.words.ranking import Reading, against_best, leaders


def finding(lookup: Lookup, metric: Metric, subject: str, readings: Sequence[Reading]) -> str:
    """One sentence about one metric: who is lowest, by how much, or that nobody is."""
    shown = [reading for reading in readings if isinstance(reading.value, int | float)]
    able = [reading for reading in shown if not reading.aside]
    if len(able) < len(shown):
        return _set_aside(lookup, metric, subject, shown)
    if not able:
        return f"{_upper(subject)} was not measured for any engine."
    if len(able) == 1:
        only = able[0]
        return f"{_upper(subject)}: only {lookup.title(only.engine)} was measured, {_value(only, metric, able)}."
    first = leaders(able, metric, lookup.noise)
    rest = [reading for reading in able if reading not in first]
    caveat = _caveat(metric, able)
    few = next((found.why for _, found in against_best(able, metric, lookup.noise)[1] if found.why in TOO_FEW), "")
    if not rest and few:
        return f"{_upper(subject)}: {_each(lookup, able, metric, able)}; {few}: not told apart."
    if not rest:
        return f"{_upper(subject)}: no clear difference ({_each(lookup, able, metric, able)}){caveat}."
    word = "lowest" if metric.better == "low" else "highest"
    who = listing(lookup.title(reading.engine) for reading in first)
    led = f"{who} {'has' if len(first) == 1 else 'share'} the {word} {subject}"
    values = listing(_value(reading, metric, able) for reading in first)
    return f"{led}, {values}, against {_each(lookup, rest, metric, able, first[0])}{caveat}."


def _set_aside(lookup: Lookup, metric: Metric, subject: str, shown: Sequence[Reading]) -> str:
    reasons = listing(dict.fromkeys(reading.aside for reading in shown if reading.aside))
    return f"{_upper(subject)}: not ranked, for {reasons} ({_each(lookup, shown, metric, shown)})."


def _caveat(metric: Metric, readings: Sequence[Reading]) -> str:
    return f" ({PRICE})" if matters(metric.name) and differ(readings) else ""


def facts_named(lookup: Lookup, topics: Sequence[str]) -> str:
    """How many of exception, file and line the engines' texts name, over all bugs."""
    track = lookup.tracks[0] if lookup.tracks else "none"
    names = [f"debugging.{topic}.names_{fact}" for topic in topics for fact in ("exception", "file", "line")]
    said = []
    for engine in lookup.engines:
        found = [lookup.reading(name, engine, track) for name in names]
        known = [_number(reading) for reading in found if reading and reading.measured]
        count = f"{sum(map(bool, known))} of {len(known)}" if known else "not measured"
        said.append(f"{lookup.title(engine)}: {count}")
    bugs = plural(len(topics), "planted bug")
    return f"Exception, file and line named in the text that a user is shown, over {bugs}. {'; '.join(said)}."


def _each(
    lookup: Lookup,
    readings: Sequence[Reading],
    metric: Metric,
    compared: Sequence[Reading],
    best: Reading | None = None,
) -> str:
    said = []
    for reading in readings:
        times = ratio(*sorted((_number(reading), _number(best)), reverse=True)) if best else ""
        said.append(
            f"{_value(reading, metric, compared)} for {lookup.title(reading.engine)}" + (f" ({times})" if times else "")
        )
    return listing(said)


def _number(reading: Reading) -> float:
    return float(reading.value) if isinstance(reading.value, int | float) else 0.0


def _value(reading: Reading, metric: Metric, compared: Sequence[Reading]) -> str:
    scale = scale_of(metric, [r.value for r in compared])
    return with_unit(scaled(_number(reading), scale), scale.unit)


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def lower(text: str) -> str:
    """A title as it stands within a sentence."""
    return text[:1].lower() + text[1:]


def verdict_sentence(decision: Decision, lookup: Lookup) -> str:
    """What a rule came to, in one sentence, with what limits it."""
    names = [lookup.title(engine) for engine in decision.first]
    if decision.status == "insufficient":
        return "Insufficient data: " + _absent(decision, lookup)
    if not names:
        return "None of those measured meets the requirement."
    if decision.status == "favoured":
        return f"{names[0]}. Decided by: {decision.trace[-1].title}."
    if decision.few:
        return f"{_upper(decision.few)}: {listing(names)} are not told apart."
    return f"No clear winner: {listing(names)} cannot be told apart."


def limits(decision: Decision, lookup: Lookup) -> tuple[str, ...]:
    """What a reader must know before using the verdict."""
    found = []
    if len(decision.isolations) > 1:
        found.append(f"{PRICE}: " + ", ".join(decision.isolations))
    if decision.absent and decision.status != "insufficient":
        found.append("without " + _absent(decision, lookup))
    return tuple(found)


def _absent(decision: Decision, lookup: Lookup) -> str:
    return "; ".join(f"{lookup.title(engine)} ({why})" for engine, why in decision.absent)

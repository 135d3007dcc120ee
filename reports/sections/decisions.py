"""The one procedure that applies the rules of the use cases to the records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from msgspec import structs

from bench.analyse.families import Contest, by_family, contests, first_runs
from bench.analyse.outcomes import came_right, with_runs
from bench.analyse.summary import median, summarise
from bench.analyse.tell_apart import ONE_RUN, ONE_SESSION
from bench.contract.records import Sample
from bench.questions.catalogue import metric as describe
from bench.questions.metric import Kind, Metric, Scale
from reports.read.lookup import Lookup, as_reading
from reports.sections.next_command import would_decide
from reports.sections.tables import differ
from reports.sections.usecases import USE_CASES, Criterion, UseCase
from reports.words.apart import contest_said, difference_said
from reports.words.catalogue import scale_of
from reports.words.numbers import interval, listing, scaled, with_unit
from reports.words.ranking import Reading, against_best, leaders

Status = Literal["favoured", "tie", "insufficient"]
TOO_FEW = (ONE_SESSION, ONE_RUN)


def asked(lookup: Lookup) -> tuple[UseCase, ...]:
    """The use cases of a result: without those about many faults of which it has none."""
    names = set(lookup.names("recovery."))
    return tuple(
        case for case in USE_CASES if not case.criteria[0].paired or names.intersection(case.criteria[0].metrics)
    )


DIFFERS = "isolation differs"
NOT_YET = "The planned blocks that are still to come may decide it."
NO_LIKE = "No command decides it: they keep their steps apart in different ways here."


@dataclass(frozen=True, slots=True)
class TraceStep:
    """What one criterion said: a value for each engine still in, and who stayed."""

    title: str
    values: tuple[tuple[str, str], ...]
    left: tuple[str, ...]
    remark: str = ""
    compared: tuple[str, ...] = ()
    """How each is held against the best, in words."""
    few: str = ""
    """Why none can be told apart: of what there is too little, or why it is not ranked; empty if nothing hinders it."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of one rule on one track."""

    case: UseCase
    track: str
    status: Status
    first: tuple[str, ...]
    trace: tuple[TraceStep, ...]
    absent: tuple[tuple[str, str], ...]
    few: str
    """Why nobody is told apart, where that is for want of sessions or runs."""
    isolations: tuple[str, ...]
    next: str
    """What would decide it; empty if it is decided."""


def decide(case: UseCase, lookup: Lookup, track: str) -> Decision:
    """Apply the criteria in order until one engine is left, or they are used up."""
    readings = _readings(case.criteria[0], lookup, track)
    asked = lookup.authored if case.section == "code" else lookup.engines
    absent = tuple((e, readings[e].note or "not measured") for e in asked if not readings[e].measured)
    candidates = [engine for engine in asked if readings[engine].measured]
    contest = len(candidates) >= 2
    trace: list[TraceStep] = []
    used: list[Reading] = []
    for criterion in case.criteria if contest else ():
        readings = _readings(criterion, lookup, track)
        step = _apply(criterion, candidates, readings, lookup, track)
        trace.append(step)
        used += [readings[engine] for engine in candidates if not criterion.required]
        candidates = list(step.left)
        if len(candidates) < 2 or step.remark:
            break
    status: Status = "insufficient" if not contest else "favoured" if len(candidates) == 1 else "tie"
    few = next((step.few for step in trace if step.few), "") if status == "tie" and candidates else ""
    return Decision(
        case, track, status, tuple(candidates), tuple(trace), absent, few,
        tuple(dict.fromkeys(r.isolation for r in used if r.isolation not in ("none", "")))
        if case.section in ("runtime", "recovery") and _noisy(case, trace) else (),
        "" if status == "favoured" else _next(case, status, few, trace, lookup),
    )  # fmt: skip


def _next(case: UseCase, status: Status, few: str, trace: Sequence[TraceStep], lookup: Lookup) -> str:
    if few and few == lookup.early:
        return NOT_YET
    unlike = any(step.remark.startswith(DIFFERS) for step in trace)
    return NO_LIKE if unlike else would_decide(case, status, few, lookup.result.manifest)


def _noisy(case: UseCase, trace: Sequence[TraceStep]) -> bool:
    """Whether any criterion that was used is a time."""
    return any(_metric(criterion).kind == "time" for criterion in case.criteria[: len(trace)])


def _apply(
    criterion: Criterion, candidates: Sequence[str], readings: Mapping[str, Reading], lookup: Lookup, track: str
) -> TraceStep:
    described = _metric(criterion)
    scale = scale_of(described, [readings[engine].value for engine in candidates])
    shown = tuple((engine, _shown(readings[engine], scale)) for engine in candidates)
    if criterion.paired:
        return _paired(criterion, shown, _contests(lookup, track))
    lacking = [engine for engine in candidates if not readings[engine].measured]
    if lacking:
        remark = f"not measured for {listing(lookup.title(e) for e in lacking)}, so it cannot decide"
        return TraceStep(criterion.title, shown, tuple(candidates), remark)
    still = [readings[engine] for engine in candidates]
    if aside := listing(dict.fromkeys(reading.aside for reading in still if reading.aside)):
        remark = f"not ranked, for {aside}, so it cannot decide"
        return TraceStep(criterion.title, shown, tuple(candidates), remark, few=aside)
    if criterion.mode == "local" and differ(still):
        kinds = listing(dict.fromkeys(reading.isolation for reading in still))
        return TraceStep(criterion.title, shown, tuple(candidates), f"{DIFFERS} ({kinds}), so it cannot decide")
    best, others = against_best(still, described, lookup.noise)
    said = tuple(difference_said(lookup, best, other, found, described) for other, found in others)
    few = next((found.why for _, found in others if found.why in TOO_FEW), "")
    first = leaders(still, described, lookup.noise)
    if criterion.required and all(_never_right(reading, described) for reading in first):
        first = []
    return TraceStep(criterion.title, shown, tuple(reading.engine for reading in first), "", said, few)


def _never_right(reading: Reading, metric: Metric) -> bool:
    """In several runs; a single one says nothing."""
    runs = sum(reading.outcomes.values())
    return runs > 1 and not came_right(metric.name, reading.outcomes)


def _paired(
    criterion: Criterion, shown: tuple[tuple[str, str], ...], found: Sequence[tuple[Contest, str]]
) -> TraceStep:
    """Who is behind no other is left: to be told apart from one of several is enough to be out."""
    behind = {one.other if one.ahead == one.one else one.one for one, _ in found if one.ahead}
    left = tuple(engine for engine, _ in shown if engine not in behind)
    remark = "" if found else "no family of faults struck two of them, so it cannot decide"
    return TraceStep(criterion.title, shown, left, remark, tuple(said for _, said in found))


def _contests(lookup: Lookup, track: str) -> list[tuple[Contest, str]]:
    found = contests(first_runs(lookup.result.samples, track, lookup.plain), lookup.engines)
    return [(one, contest_said(lookup, one)) for one in found]


def _shown(reading: Reading, scale: Scale) -> str:
    if reading.value is None:
        return reading.note or "not measured"
    if isinstance(reading.value, str):
        return f"{with_runs(reading.outcomes)}{' (one run)' if reading.n <= 1 else ''}"
    ends = interval(reading.low, reading.high, scale)
    of = f" {reading.note}" if reading.note.startswith("of ") else ""
    return with_unit(scaled(reading.value, scale), scale.unit) + of + (f" ({ends})" if ends else "")


def _metric(criterion: Criterion) -> Metric:
    """A sum of yes-or-no facts, or of what came right, is a count of which more is better."""
    first = describe(criterion.metrics[0])
    if len(criterion.metrics) == 1:
        return first
    counted = first.kind in ("flag", "outcome")
    kind: Kind = "exact" if counted else first.kind
    unit = "count" if counted else first.unit
    return Metric(first.name, criterion.title, first.better, kind, unit, first.resolution)


def _readings(criterion: Criterion, lookup: Lookup, track: str) -> dict[str, Reading]:
    if criterion.paired:
        return _over_families(lookup, track)
    return {engine: _reading(criterion, lookup, engine, track) for engine in lookup.engines}


def _reading(criterion: Criterion, lookup: Lookup, engine: str, track: str) -> Reading:
    parts = [lookup.reading(name, engine, track, criterion.mode) for name in criterion.metrics]
    whole = [part for part in parts if part is not None and isinstance(part.value, int | float)]
    if len(parts) == 1:
        return parts[0] or Reading(engine, None)
    if len(whole) < len(parts):
        notes = (part.note for part in parts if part is not None and part.value is None and part.note)
        return Reading(engine, None, note=next(notes, ""))
    total = sum(float(part.value) for part in whole if part.value is not None)
    samples, aside = _summed(whole), next((part.note for part in whole if part.aside), "")
    if not samples:
        return Reading(engine, total, n=min(part.n for part in whole), isolation=whole[0].isolation, note=aside)
    summed = as_reading(summarise(samples)[0], samples)
    return replace(summed, engine=engine, note=aside, isolation=whole[0].isolation)


def _summed(parts: Sequence[Reading]) -> tuple[Sample, ...]:
    """One sample for each session in which every part has one."""
    by_session: list[dict[int, list[Sample]]] = []
    for part in parts:
        by_session.append(defaultdict(list))
        for one in part.samples:
            by_session[-1][one.session].append(one)
    common = sorted(set.intersection(*(set(sessions) for sessions in by_session)))
    return tuple(
        structs.replace(
            by_session[0][session][0], note="",
            value=sum(median([float(s.value or 0) for s in sessions[session]], log=False) for sessions in by_session),
        )
        for session in common
    )  # fmt: skip


def _over_families(lookup: Lookup, track: str) -> dict[str, Reading]:
    """How many of the families that struck it an engine came right in; its own, for not all are shared by all."""
    runs = first_runs(lookup.result.samples, track, lookup.plain)
    found = {}
    for engine in lookup.engines:
        families = by_family(runs.get(engine, {}), runs.get(engine, {}))
        right = float(sum(families.values()))
        of = f"of {len(families)}"
        found[engine] = Reading(engine, right, n=1, note=of) if families else Reading(engine, None)
    return found

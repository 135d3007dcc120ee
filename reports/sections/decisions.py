"""The one procedure that applies the rules of the use cases to the records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from msgspec import structs

from bench.analyse.summary import median, summarise
from bench.contract.records import Sample
from bench.judge.outcome import rank
from bench.questions.catalogue import metric as describe
from bench.questions.metric import Better, Kind, Metric, Scale
from reports.read.lookup import Lookup, as_reading
from reports.sections.usecases import USE_CASES, WHOLE, Criterion, UseCase
from reports.words.catalogue import scale_of
from reports.words.numbers import interval, listing, scaled, with_unit
from reports.words.ranking import Reading, leaders

Status = Literal["favoured", "tie", "insufficient"]


def asked(lookup: Lookup) -> tuple[UseCase, ...]:
    """The use cases of a result: without those about scenarios of which it has none."""
    names = set(lookup.names("recovery."))
    return tuple(
        case for case in USE_CASES if not case.criteria[0].shared or names.intersection(case.criteria[0].metrics)
    )


@dataclass(frozen=True, slots=True)
class TraceStep:
    """What one criterion said: a value for each engine still in, and who stayed."""

    title: str
    values: tuple[tuple[str, str], ...]
    left: tuple[str, ...]
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of one rule on one track."""

    case: UseCase
    track: str
    status: Status
    first: tuple[str, ...]
    trace: tuple[TraceStep, ...]
    absent: tuple[tuple[str, str], ...]
    single_session: bool
    isolations: tuple[str, ...]


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
        step = _apply(criterion, candidates, readings, lookup)
        trace.append(step)
        used += [readings[engine] for engine in candidates if not criterion.required]
        candidates = list(step.left)
        if len(candidates) < 2 or step.remark:
            break
    status: Status = "insufficient" if not contest else "favoured" if len(candidates) == 1 else "tie"
    return Decision(
        case, track, status, tuple(candidates), tuple(trace), absent,
        (_noisy(case, trace) or case.criteria[0].shared) and lookup.single_session(used),
        tuple(dict.fromkeys(r.isolation for r in used if r.isolation not in ("none", "")))
        if case.section in ("runtime", "recovery") and _noisy(case, trace) else (),
    )  # fmt: skip


def _noisy(case: UseCase, trace: Sequence[TraceStep]) -> bool:
    """Whether any criterion that was used is a time; counts of lines need no second session."""
    return any(_metric(criterion).kind == "time" for criterion in case.criteria[: len(trace)])


def _apply(criterion: Criterion, candidates: Sequence[str], readings: dict[str, Reading], lookup: Lookup) -> TraceStep:
    described = _metric(criterion)
    scale = scale_of(described, [readings[engine].value for engine in candidates])
    shown = tuple((engine, _shown(readings[engine], scale)) for engine in candidates)
    if criterion.required:
        left = tuple(e for e in candidates if rank(str(readings[e].value)) >= WHOLE)
        return TraceStep(criterion.title, shown, left)
    lacking = [engine for engine in candidates if not readings[engine].measured]
    if lacking:
        remark = f"not measured for {listing(lookup.title(e) for e in lacking)}, so it cannot decide"
        return TraceStep(criterion.title, shown, tuple(candidates), remark)
    first = leaders([readings[engine] for engine in candidates], described, lookup.noise)
    if criterion.shared and not any(reading.value for reading in first):  # to share nothing is no first place
        first = []
    return TraceStep(criterion.title, shown, tuple(reading.engine for reading in first))


def _shown(reading: Reading, scale: Scale) -> str:
    if reading.value is None:
        return reading.note or "not measured"
    if isinstance(reading.value, str):
        return reading.value
    ends = interval(reading.low, reading.high, scale)
    of = f" {reading.note}" if reading.note.startswith("of ") else ""
    return with_unit(scaled(reading.value, scale), scale.unit) + of + (f" ({ends})" if ends else "")


def _metric(criterion: Criterion) -> Metric:
    """A sum of yes-or-no facts, or of good outcomes, is a count of which more is better."""
    first = describe(criterion.metrics[0])
    if len(criterion.metrics) == 1:
        return first
    counted = first.kind in ("flag", "outcome")
    kind: Kind = "exact" if counted else first.kind
    better: Better = first.better
    unit = "count" if counted else first.unit
    return Metric(first.name, criterion.title, better, kind, unit, first.resolution)


def _readings(criterion: Criterion, lookup: Lookup, track: str) -> dict[str, Reading]:
    if criterion.shared:
        return _over_shared(criterion, lookup, track)
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
    samples = _summed(whole)
    if not samples:
        return Reading(engine, total, n=min(part.n for part in whole), isolation=whole[0].isolation)
    summed = as_reading(summarise(samples)[0], samples)
    return replace(summed, engine=engine, note="", isolation=whole[0].isolation)


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


def _over_shared(criterion: Criterion, lookup: Lookup, track: str) -> dict[str, Reading]:
    """Sums over the metrics that all engines have; an engine that has none of them was not measured."""
    found = {
        engine: {name: r for name in criterion.metrics if (r := lookup.reading(name, engine, track)) and r.measured}
        for engine in lookup.engines
    }
    having = [set(readings) for readings in found.values() if readings]
    common = set.intersection(*having) if having else set()
    return {
        engine: _sum([readings[name] for name in sorted(common)]) if common and readings else Reading(engine, None)
        for engine, readings in found.items()
    }


def _sum(readings: Sequence[Reading]) -> Reading:
    parts = [float(rank(r.value) >= WHOLE) if isinstance(r.value, str) else r.value or 0.0 for r in readings]
    first = readings[0]
    return Reading(
        first.engine, sum(parts), n=min(r.n for r in readings), note=f"of {len(parts)}", isolation=first.isolation
    )

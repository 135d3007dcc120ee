"""The gate: whether a run may be used. Each checker says pass, fail or unknown, and why; a crash is unknown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from bench.contract.endpoint import RunState
from bench.contract.records import Verdict
from bench.contract.words import Status
from bench.observe.journal import Attempt, Journal
from bench.observe.ways import arm, passed_over
from bench.plan.scenarios.record import RIGHT, Expected, Extent
from core.declaration import Graph, Kind, Step

GATE = ("artifacts", "order")
"""Checkers that a run must pass before any time of it is used."""
OF_THE_RECORD = ("engine_record", "engine_times")
"""Checkers of the engine's own record."""
WITHOUT_OUTPUT = ("order", *OF_THE_RECORD)
"""Checkers that also judge a run of which no output is owed."""
CLOCK_TOLERANCE_S = 1.0
BOUND_TOLERANCE_S = 0.001


Checker = Callable[["Known"], list[str]]


class UnknownError(Exception):
    """A checker lacks what it needs to decide; the message says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Everything that is known of one run when it is judged."""

    run_id: str
    engine: str
    journal: Journal
    oracle: Journal | None
    """The plain loop's run of the same pipeline on the same data and settings."""
    state: RunState | None
    """The engine's own word; None if it has no record."""
    graph: Graph
    """Of this run: many like steps stand in it one by one."""
    makespan_s: float | None = None
    parallelism: int = 1
    merits: Mapping[str, Any] | None = None
    """The figures of merit of the artifact that holds them, where they are to be compared."""
    oracle_merits: Mapping[str, Any] | None = None


def check(known: Known) -> list[Verdict]:
    """Judge one run by every checker."""
    return [_verdict(name, checker, known) for name, checker in CHECKERS.items()]


def judged(known: Known, expected: Expected = RIGHT) -> tuple[Verdict, ...]:
    """The verdicts that mean something for a run of which this is expected."""
    if expected.asked:
        return ()
    without = () if known.state else OF_THE_RECORD  # a process of its own: no engine's record to compare
    complete = known.state is None or known.state.status is Status.COMPLETED  # a failure owes no output
    spared = Extent.NONE in (expected.artifacts, expected.required) and Status.COMPLETED in expected.states
    owed = complete and not spared
    return tuple(v for v in check(known) if v.checker not in without and (owed or v.checker in WITHOUT_OUTPUT))


def passed(verdicts: Iterable[Verdict]) -> bool:
    """Whether the gate is passed: the same artifacts as in the plain loop, in the right order."""
    return {v.checker for v in verdicts if v.verdict == "pass"}.issuperset(GATE)


def _verdict(name: str, checker: Checker, known: Known) -> Verdict:
    word: Literal["pass", "fail", "unknown"]
    try:
        found = checker(known)
        word, reason = ("fail", "; ".join(found)) if found else ("pass", "")
    except UnknownError as error:
        word, reason = "unknown", str(error)
    except Exception as error:  # noqa: BLE001 - whatever breaks in a checker, the run was not judged
        word, reason = "unknown", f"the checker crashed: {type(error).__name__}: {error}"
    return Verdict(run_id=known.run_id, engine=known.engine, checker=name, verdict=word, reason=reason)


def artifacts(known: Known) -> list[str]:
    """Each step's digest, the branch's value and the figures of merit equal the plain loop's."""
    oracle = _oracle(known).digests()
    own = known.journal.digests()
    found = [f"{step}: missing" for step in oracle if step not in own]
    found += [f"{step}: ran, but not inline" for step in own if step not in oracle]
    found += [
        f"{step}: {own[step][:12] or 'nothing'} instead of {oracle[step][:12] or 'nothing'}"
        for step in oracle
        if step in own and own[step] != oracle[step]
    ]
    if known.merits is not None and known.oracle_merits is not None:
        names = sorted(known.merits.keys() | known.oracle_merits.keys())
        pairs = [(name, known.merits.get(name), known.oracle_merits.get(name)) for name in names]
        found += [f"metric {name}: {one} instead of {other}" for name, one, other in pairs if one != other]
    return found


def order(known: Known) -> list[str]:
    """No attempt starts before its step's upstreams have ended, and only the chosen arm of a branch runs."""
    if not known.journal.attempts:
        raise UnknownError("no step started")
    declared = {step.name: step for step in known.graph}
    over = passed_over(known.graph, known.journal)
    found = [f"{step}: not a step of the pipeline" for step in known.journal.steps() if step not in declared]
    for attempt in known.journal.attempts:
        if attempt.step in declared:
            found += _early(known, over, declared[attempt.step], attempt)
    return found


def _early(known: Known, over: Collection[str], step: Step, attempt: Attempt) -> list[str]:
    where = f"{step.name}, attempt {attempt.attempt}"
    found = []
    last = attempt == known.journal.attempts_of(step.name)[-1]
    for name in step.upstream:
        tries = known.journal.attempts_of(name)
        joined = step.kind is Kind.JOIN and name in over
        if not joined and not _ready(tries, attempt, step, last=last):
            found.append(f"{where}: started before {name} had ended")
        own, chosen = arm(known.graph.step(name), step.name, known.graph), _ended_before(tries, attempt)
        if own and chosen and own not in {one.result for one in chosen}:
            found.append(f"{where}: ran though {name} had not chosen it")
    if step.kind is Kind.JOIN and step.name in over:
        found.append(f"{where}: ran though nothing before it had")
    return found


def _ready(tries: tuple[Attempt, ...], attempt: Attempt, step: Step, *, last: bool) -> bool:
    """Whether the upstream with these tries had ended by the start of `attempt`.

    A step that always runs does so after a failure too, so for it no upstream may still be running, nor start
    after its last attempt: after an earlier one it may, when a failed run is resumed.
    """
    if step.kind is not Kind.ALWAYS:
        return bool(_ended_before(tries, attempt))
    running = any(a.start_ns < attempt.start_ns < (a.end_ns or 0) for a in tries)
    return not running and not (last and any(a.start_ns >= attempt.start_ns for a in tries))


def _ended_before(tries: tuple[Attempt, ...], attempt: Attempt) -> list[Attempt]:
    return [a for a in tries if a.outcome == "ended" and a.end_ns is not None and a.end_ns <= attempt.start_ns]


def effects(known: Known) -> list[str]:
    """Each effect that the plain loop had happened, as often as there, and none twice."""
    keys = Counter(effect.key for effect in known.journal.effects)
    found = [f"{key}: happened {times} times" for key, times in keys.items() if times > 1]
    expected, own = _oracle(known).effect_kinds(), known.journal.effect_kinds()
    found += [f"{kind}: never happened" for kind in sorted(expected.keys() - own.keys())]
    found += [f"{kind}: happened, but not inline" for kind in sorted(own.keys() - expected.keys())]
    others = [kind for kind in own if not found and own[kind] != expected[kind]]  # under several keys, each once
    return found + [f"{kind}: happened {own[kind]} times, inline {expected[kind]}" for kind in others]


def engine_record(known: Known) -> list[str]:
    """The engine says completed if and only if the pipeline completed, likewise for each step it lists."""
    state = _state(known)
    complete = _oracle(known).digests().keys() <= known.journal.digests().keys()
    found = []
    if (state.status is Status.COMPLETED) != complete:
        found.append(f"the engine says {state.status}, the journal {'completed' if complete else 'not completed'}")
    ended = known.journal.counted()
    for name, step in state.steps.items():
        if (step.status is Status.COMPLETED) != (name in ended):
            found.append(f"{name}: the engine says {step.status}, the journal {'ended' if name in ended else 'no end'}")
    return found


def engine_times(known: Known) -> list[str]:
    """The engine's interval of a step contains one of the step's attempts, give or take a second.

    An engine may start its interval earlier, while it loads the step's code: that is time between
    steps, not a wrong clock. To claim a later start or an earlier end than the work had is wrong.
    """
    found, compared = [], 0
    for name, step in _state(known).steps.items():
        tries = known.journal.attempts_of(name)
        starts = [_utc(a.start_utc) for a in tries if a.start_utc]
        ends = [_utc(a.end_utc) for a in tries if a.end_utc]
        if step.started_utc and starts:
            compared += 1
            late = (_utc(step.started_utc) - max(starts)).total_seconds()
            if late > CLOCK_TOLERANCE_S:
                found.append(f"{name}: the engine's start is {late:.1f} s later than the journal's")
        if step.ended_utc and ends:
            compared += 1
            early = (min(ends) - _utc(step.ended_utc)).total_seconds()
            if early > CLOCK_TOLERANCE_S:
                found.append(f"{name}: the engine's end is {early:.1f} s earlier than the journal's")
    if not compared:
        raise UnknownError("the engine gives no times of steps")
    return found


def bound(known: Known) -> list[str]:
    """The makespan is not below the bound from the run's own step times, nor below its own span."""
    first, last = known.journal.first_start_ns(), known.journal.last_end_ns()
    if known.makespan_s is None or first is None or last is None:
        raise UnknownError("no makespan, or no step ended")
    least = known.journal.bound_s(known.journal.step_times(), known.parallelism, known.graph)
    limits = {"the critical path or work ÷ parallelism": least, "first start to last end": (last - first) / 1e9}
    return [
        f"makespan {known.makespan_s:.3f} s is less than {name}, {limit:.3f} s"
        for name, limit in limits.items()
        if known.makespan_s < limit - BOUND_TOLERANCE_S
    ]


CHECKERS: Mapping[str, Checker] = {
    "artifacts": artifacts,
    "order": order,
    "effects": effects,
    "engine_record": engine_record,
    "engine_times": engine_times,
    "bound": bound,
}


def _oracle(known: Known) -> Journal:
    if known.oracle is None or not known.oracle.attempts:
        raise UnknownError("no inline run to compare with")
    return known.oracle


def _state(known: Known) -> RunState:
    if known.state is None:
        raise UnknownError("the engine has no record of the run")
    return known.state


def _utc(text: str) -> datetime:
    parsed = datetime.fromisoformat(text)
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed

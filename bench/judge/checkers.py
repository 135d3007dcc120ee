"""History in, verdict out. Each checker says pass, fail or unknown, and why; a crash is unknown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from bench.contract.endpoint import RunState
from bench.contract.records import Verdict
from bench.contract.words import Status
from bench.observe.history import Attempt, History
from core.declaration import Graph, Kind, Step

Outcome = Literal[
    "completed",
    "completed after recovery",
    "failed, reported",
    "failed as expected",
    "duplicated",
    "lost",
    "stuck",
    "false success",
    "false failure",
    "indeterminate",
]
GATE = ("artifacts", "order")
"""Checkers that a run must pass before any time of it is used."""
CLOCK_TOLERANCE_S = 1.0
BOUND_TOLERANCE_S = 0.001


class UnknownError(Exception):
    """A checker lacks what it needs to decide; the message says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything that is known of one run when it is judged."""

    history: History
    oracle: History | None
    state: RunState | None
    graph: Graph
    makespan_s: float | None = None
    parallelism: int = 1
    metrics: Mapping[str, Any] | None = None
    oracle_metrics: Mapping[str, Any] | None = None


def check(
    history: History,
    oracle: History | None,
    state: RunState | None,
    graph: Graph,
    *,
    run_id: str,
    engine: str,
    makespan_s: float | None = None,
    parallelism: int = 1,
    metrics: Mapping[str, Any] | None = None,
    oracle_metrics: Mapping[str, Any] | None = None,
) -> list[Verdict]:
    """Judge one run. `oracle` is the inline run's history on the same data and hyperparameters.

    The metrics, where given, are the contents of both `metrics.json`.
    """
    case = Case(
        history=history, oracle=oracle, state=state, graph=graph, makespan_s=makespan_s,
        parallelism=parallelism, metrics=metrics, oracle_metrics=oracle_metrics,
    )  # fmt: skip
    return [_verdict(name, checker, case, run_id, engine) for name, checker in CHECKERS.items()]


def _verdict(name: str, checker: Callable[[Case], list[str]], case: Case, run_id: str, engine: str) -> Verdict:
    word: Literal["pass", "fail", "unknown"]
    try:
        found = checker(case)
        word, reason = ("fail", "; ".join(found)) if found else ("pass", "")
    except UnknownError as error:
        word, reason = "unknown", str(error)
    except Exception as error:  # noqa: BLE001 - whatever breaks in a checker, the run was not judged
        word, reason = "unknown", f"the checker crashed: {type(error).__name__}: {error}"
    return Verdict(run_id=run_id, engine=engine, checker=name, verdict=word, reason=reason)


def artifacts(case: Case) -> list[str]:
    """Each step's digest, the branch's value and the metrics equal the inline run's."""
    oracle = _oracle(case).digests()
    own = case.history.digests()
    found = [f"{step}: missing" for step in oracle if step not in own]
    found += [f"{step}: ran, but not inline" for step in own if step not in oracle]
    found += [
        f"{step}: {own[step][:12] or 'nothing'} instead of {oracle[step][:12] or 'nothing'}"
        for step in oracle
        if step in own and own[step] != oracle[step]
    ]
    if case.metrics is not None and case.oracle_metrics is not None:
        names = sorted(case.metrics.keys() | case.oracle_metrics.keys())
        pairs = [(name, case.metrics.get(name), case.oracle_metrics.get(name)) for name in names]
        found += [f"metric {name}: {one} instead of {other}" for name, one, other in pairs if one != other]
    return found


def order(case: Case) -> list[str]:
    """No attempt starts before its step's upstreams have ended, and only the chosen branch runs."""
    if not case.history.attempts:
        raise UnknownError("no step started")
    known = {step.name: step for step in case.graph.steps}
    found = [f"{step}: not a step of the pipeline" for step in case.history.steps() if step not in known]
    for attempt in case.history.attempts:
        if attempt.step in known:
            found += _early(case.history, case.graph, known[attempt.step], attempt)
    return found


def _early(history: History, graph: Graph, step: Step, attempt: Attempt) -> list[str]:
    where = f"{step.name}, attempt {attempt.attempt}"
    found = []
    for name in step.upstream:
        tries = history.attempts_of(name)
        if not _ready(tries, attempt, step, last=attempt == history.attempts_of(step.name)[-1]):
            found.append(f"{where}: started before {name} had ended")
        chosen = {a.result for a in _ended_before(tries, attempt) if isinstance(a.result, str)}
        if step.name in graph.step(name).arms and step.name not in chosen and chosen:
            found.append(f"{where}: ran though {name} had not chosen it")
    return found


def _ready(tries: tuple[Attempt, ...], attempt: Attempt, step: Step, *, last: bool) -> bool:
    """Whether the upstream with these tries had ended by the start of `attempt`.

    A joined step also runs after a failure, so for it no upstream may still be running, nor start
    after its last attempt: after an earlier one it may, when a failed run is resumed.
    """
    if step.kind is not Kind.ALWAYS:
        return bool(_ended_before(tries, attempt))
    running = any(a.start_ns < attempt.start_ns < (a.end_ns or 0) for a in tries)
    return not running and not (last and any(a.start_ns >= attempt.start_ns for a in tries))


def _ended_before(tries: tuple[Attempt, ...], attempt: Attempt) -> list[Attempt]:
    return [a for a in tries if a.outcome == "ended" and a.end_ns is not None and a.end_ns <= attempt.start_ns]


def effects(case: Case) -> list[str]:
    """Each effect that the inline run had happened, and happened once."""
    keys = Counter(effect.key for effect in case.history.effects)
    found = [f"{key}: happened {times} times" for key, times in keys.items() if times > 1]
    expected, own = _oracle(case).effect_kinds(), case.history.effect_kinds()
    found += [f"{kind}: never happened" for kind in sorted(expected.keys() - own.keys())]
    found += [f"{kind}: happened, but not inline" for kind in sorted(own.keys() - expected.keys())]
    others = [kind for kind in own if not found and own[kind] != expected[kind]]  # under several keys, each once
    return found + [f"{kind}: happened {own[kind]} times, inline {expected[kind]}" for kind in others]


def engine_record(case: Case) -> list[str]:
    """The engine says completed if and only if the pipeline completed, likewise for each step it lists."""
    state = _state(case)
    complete = _oracle(case).digests().keys() <= case.history.digests().keys()
    found = []
    if (state.status is Status.COMPLETED) != complete:
        found.append(f"the engine says {state.status}, the journal {'completed' if complete else 'not completed'}")
    ended = case.history.counted()
    for name, step in state.steps.items():
        if (step.status is Status.COMPLETED) != (name in ended):
            found.append(f"{name}: the engine says {step.status}, the journal {'ended' if name in ended else 'no end'}")
    return found


def engine_times(case: Case) -> list[str]:
    """The engine's interval of a step contains one of the step's attempts, give or take a second.

    An engine may start its interval earlier, while it loads the step's code: that is time between
    steps, not a wrong clock. To claim a later start or an earlier end than the work had is wrong.
    """
    found, compared = [], 0
    for name, step in _state(case).steps.items():
        tries = case.history.attempts_of(name)
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


def bound(case: Case) -> list[str]:
    """The makespan is not below the bound from the run's own step times, nor below its own span."""
    first, last = case.history.first_start_ns(), case.history.last_end_ns()
    if case.makespan_s is None or first is None or last is None:
        raise UnknownError("no makespan, or no step ended")
    least = case.history.bound_s(case.history.step_times(), case.parallelism, case.graph)
    limits = {"the critical path or work ÷ parallelism": least, "first start to last end": (last - first) / 1e9}
    return [
        f"makespan {case.makespan_s:.3f} s is less than {name}, {limit:.3f} s"
        for name, limit in limits.items()
        if case.makespan_s < limit - BOUND_TOLERANCE_S
    ]


CHECKERS: dict[str, Callable[[Case], list[str]]] = {
    "artifacts": artifacts,
    "order": order,
    "effects": effects,
    "engine_record": engine_record,
    "engine_times": engine_times,
    "bound": bound,
}


def outcome(
    history: History,
    status: Status | None,
    *,
    expected_failure: bool = False,
    timed_out: bool = False,
    oracle: History | None = None,
    faulted: bool = False,
) -> Outcome:
    """Name what became of a run.

    `status` is the engine's last word, None if it has no record of the run. `faulted`: something
    was broken from outside, so that even a run without a second attempt has recovered.
    """
    oracle = oracle if oracle and oracle.attempts else None
    if history.duplicates() or (oracle and _more_than(oracle, history)):
        return "duplicated"
    if status is None:
        return "lost"
    if timed_out:
        return "stuck"
    if status is Status.FAILED:
        return _failed(history, oracle, expected_failure)
    if status is not Status.COMPLETED:
        return "indeterminate"
    return _succeeded(history, oracle, expected_failure, faulted)


def _failed(history: History, oracle: History | None, expected_failure: bool) -> Outcome:
    if oracle and (_same(history, oracle) or (expected_failure and _had_its_effects(history, oracle))):
        return "false failure"
    if expected_failure:
        return "failed as expected"
    unfinished = set(history.steps()) - set(history.counted())
    return "failed, reported" if unfinished or oracle else "indeterminate"


def _succeeded(history: History, oracle: History | None, expected_failure: bool, faulted: bool) -> Outcome:
    if expected_failure:
        # with the inline run's own output the fault cannot have struck, which proves nothing
        return "indeterminate" if oracle and _same(history, oracle) else "false success"
    if oracle is None:
        return "indeterminate"
    if not _same(history, oracle):
        never_ran = set(oracle.digests()) - set(history.steps())
        no_effect = oracle.effect_kinds() - history.effect_kinds()
        silent = not any(a.outcome != "ended" for a in history.attempts)
        return "lost" if (never_ran or no_effect) and silent else "false success"
    return "completed after recovery" if faulted or history.retried() else "completed"


def _same(history: History, oracle: History) -> bool:
    """Same output of the same steps, and the same effects."""
    own, expected = ((one.digests(), set(one.steps()), one.effect_kinds()) for one in (history, oracle))
    return own == expected


def _had_its_effects(history: History, oracle: History) -> bool:
    """Whether all that the run is for has happened, even if not every step: a cancelled run may go that far."""
    expected = oracle.effect_kinds()
    return bool(expected) and not expected - history.effect_kinds()


def _more_than(oracle: History, history: History) -> bool:
    """Whether an effect that happened inline happened more often."""
    own = history.effect_kinds()
    return any(own[kind] > times for kind, times in oracle.effect_kinds().items())


def _oracle(case: Case) -> History:
    if case.oracle is None or not case.oracle.attempts:
        raise UnknownError("no inline run to compare with")
    return case.oracle


def _state(case: Case) -> RunState:
    if case.state is None:
        raise UnknownError("the engine has no record of the run")
    return case.state


def _utc(text: str) -> datetime:
    parsed = datetime.fromisoformat(text)
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed

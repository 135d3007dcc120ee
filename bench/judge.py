"""What became of a broken run: history in, findings out. Independent of the engine, and of what struck it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from bench.contract import Status
from bench.history import Attempt, History
from bench.results import Strike, Verdict
from bench.watching import Sighting
from core.pipelines import Pipeline

ALARMED = (Status.RETRYING, Status.FAILED)
WHOLE = ("completed", "completed after recovery", "duplicated")
LENGTHENING = "slow"
"""The kind of fault inside a step that only gives a fault from outside time to strike."""
NS = 1e9
RECOVERY = ("recovery_s", "recovery_work_s", "recovery_delay_s", "recovery_rest_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """All that is known of one scenario's run when it is judged."""

    history: History
    oracle: History
    outcome: str
    right: bool
    """Whether it made the same artifacts as inline, in the right order."""
    sightings: tuple[Sighting, ...] = ()
    """The engine's own record over time."""
    strikes: tuple[Strike, ...] = ()
    """Faults from outside."""
    verdicts: tuple[Verdict, ...] = ()
    pipeline: Pipeline
    step: str
    """The one that was struck."""
    limit_s: float
    retry_delay_s: float
    down_s: float = 0.0
    """How long what was struck was kept down on purpose."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One value, or why there is none."""

    unit: str
    value: float | str | None
    note: str = ""


def safe_findings(case: Aftermath) -> dict[str, Finding]:
    """As `findings`; if judging itself breaks, the outcome is indeterminate and nothing else is said."""
    try:
        return findings(case)
    except Exception as error:  # noqa: BLE001 - whatever breaks in the judge, the run was not judged
        return {"outcome": Finding("text", "indeterminate", f"the judge crashed: {type(error).__name__}: {error}")}


def findings(case: Aftermath) -> dict[str, Finding]:
    """Every finding by its name in the result: `recovery.<scenario>.<name>`."""
    history = case.history
    struck = struck_ns(history, case.strikes)
    found_s = detection_s(case.sightings, struck)
    detection = Finding("s", found_s, "" if found_s is not None else "not seen in the engine's record")
    killed = max((one.t_ns for one in case.strikes), default=None)
    return {
        "outcome": Finding("text", case.outcome),
        "correct": Finding("boolean", float(history.digests() == case.oracle.digests())),
        "detection_s": detection,
        **_recovery(case, struck),
        "attempts": Finding("count", float(len(history.attempts_of(case.step)))),
        "wasted_s": Finding("s", history.wasted_s(killed)),
        "overlaps": Finding("count", float(overlaps(history, case.strikes))),
        "duplicates": Finding("count", float(len(history.duplicates()))),
        "record": Finding("text", record(case.verdicts)),
    }


def struck_ns(history: History, strikes: Iterable[Strike] = ()) -> int | None:
    """The first instant of a fault; None if none struck."""
    outside = [strike.t_ns for strike in strikes if strike.t_ns]
    inside = [mark.t_ns for mark in history.faults if not (outside and mark.kind == LENGTHENING)]
    return min([*outside, *inside], default=None)


def detection_s(sightings: tuple[Sighting, ...], since_ns: int | None, *, final: bool = False) -> float | None:
    """Seconds from an instant until the engine's own record showed trouble (`final`: showed the run as failed)."""
    if since_ns is None:
        return None
    for sighting in sightings:
        state = sighting.state
        troubled = any(step.status in ALARMED or step.attempts > 1 for step in state.steps.values())
        if sighting.t_ns >= since_ns and (state.status is Status.FAILED or (troubled and not final)):
            return (sighting.t_ns - since_ns) / NS
    return None


def _recovery(case: Aftermath, struck: int | None) -> dict[str, Finding]:
    """From the fault to the last step's right end, in parts: work, configured delay, and the rest."""
    spans = _effective(case.history)
    if note := _no_recovery(case, struck, spans):
        return {name: Finding("s", None, note) for name in RECOVERY}
    since = struck or 0
    total = (max(end for _, end in spans) - since) / NS
    work = _covered_s([(max(start, since), end) for start, end in spans if end > since])
    delay = min(_waited_s(case, since) + case.down_s, max(0.0, total - work))
    values = (total, work, delay, total - work - delay)
    return {name: Finding("s", max(0.0, value)) for name, value in zip(RECOVERY, values, strict=True)}


def _no_recovery(case: Aftermath, struck: int | None, spans: list[tuple[int, int]]) -> str:
    """Why there is no recovery time; empty if there is one."""
    if struck is None:
        return "no fault struck"
    if case.outcome == "stuck":
        return f"> {case.limit_s:.0f} s"
    if case.outcome == "completed":
        return "it completed as if nothing had been"
    right = case.right and case.outcome in WHOLE and max((end for _, end in spans), default=0) > struck
    return "" if right else f"it ended: {case.outcome}"


def _effective(history: History) -> list[tuple[int, int]]:
    """Start and end of the attempt of each step with which the run went on: the first that ended."""
    first: dict[str, tuple[int, int]] = {}
    for one in sorted((a for a in history.attempts if a.outcome == "ended"), key=lambda a: a.end_ns or 0):
        first.setdefault(one.step, (one.start_ns, one.end_ns or 0))
    return list(first.values())


def _covered_s(spans: Iterable[tuple[int, int]]) -> float:
    """Seconds in which at least one of the spans was under way."""
    total, reached = 0, 0
    for start, end in sorted(spans):
        total += max(0, end - max(start, reached))
        reached = max(reached, end)
    return total / NS


def _waited_s(case: Aftermath, struck: int) -> float:
    """The configured delay before each retry that began after the fault."""
    retries = [
        later
        for step in case.history.steps()
        for earlier, later in pairwise(case.history.attempts_of(step))
        if later.start_ns > struck and earlier.outcome != "ended"
    ]
    return len(retries) * case.retry_delay_s


def overlaps(history: History, strikes: Iterable[Strike] = ()) -> int:
    """How many steps had two attempts under way at once."""
    killed = {pid: strike.t_ns for strike in strikes if strike.action in ("kill", "crash") for pid in strike.pids}
    return sum(
        any(_last_ns(one, killed) > other.start_ns for one, other in pairwise(history.attempts_of(step)))
        for step in history.steps()
    )


def _last_ns(attempt: Attempt, killed: dict[int, int]) -> int:
    """Its end; for a lost one the strike that hit its process, or else the last thing known of it."""
    return attempt.end_ns or max(attempt.last_ns, killed.get(attempt.pid, 0))


def record(verdicts: Iterable[Verdict]) -> str:
    """Whether the engine's own record agrees with the history; if not, in what it does not."""
    said = [one for one in verdicts if one.checker == "engine_record"]
    wrong = [one.reason for one in said if one.verdict == "fail"]
    return "; ".join(wrong) if wrong else "agrees" if said else "not judged"

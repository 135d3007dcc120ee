"""What became of a broken run: history in, findings out. Independent of the engine, and of what struck it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations, pairwise

from bench.contract.records import Strike, Verdict
from bench.contract.words import Status
from bench.observe.history import Attempt, History
from bench.observe.watching import Sighting
from core.declaration import Graph

ALARMED = (Status.RETRYING, Status.FAILED)
WHOLE = ("completed", "completed after recovery")
"""Outcomes of runs that came right by themselves."""
KILLING = ("kill", "crash")
LENGTHENING = "slow"
"""How the kinds of faults inside a step begin that only give a fault from outside time to strike."""
UNITS = {
    "outcome": "text", "correct": "boolean", "detection_s": "s", "recovery_s": "s", "recovery_work_s": "s",
    "recovery_delay_s": "s", "recovery_rest_s": "s", "attempts": "count", "wasted_s": "s", "overlaps": "count",
    "duplicates": "count", "record": "text",
}  # fmt: skip
"""What is found, and its unit."""
HANGING = "hang"
"""How the kinds of faults begin that leave an attempt without a trace of its end."""
BY_RESUMING = "when people resumed the run"
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
    graph: Graph
    step: str
    """The one that was struck."""
    limit_s: float
    """How long the run was waited for, from its submission."""
    submit_ns: int = 0
    resumed: History | None = None
    """The same with what came after, where people resumed the run."""
    retry_delay_s: float
    down_s: float = 0.0
    """How long what was struck was kept down on purpose; without a strike, how long a setting let the fault last."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One value, or why there is none."""

    unit: str
    value: float | str | None
    note: str = ""


def safe_findings(case: Aftermath) -> dict[str, Finding]:
    """As `findings`; if judging itself breaks, the outcome is indeterminate and nothing else has a value."""
    try:
        return findings(case)
    except Exception as error:  # noqa: BLE001 - whatever breaks in the judge, the run was not judged
        note = f"the judge crashed: {type(error).__name__}: {error}"
        unjudged = {name: Finding(unit, None, note) for name, unit in UNITS.items()}
        return unjudged | {"outcome": Finding(UNITS["outcome"], "indeterminate", note)}


def findings(case: Aftermath) -> dict[str, Finding]:
    """Every finding by its name in the result: `recovery.<scenario>.<name>`.

    What happened twice counts also where it was people's resuming the run that did it.
    """
    history, strikes, whole = case.history, case.strikes, case.resumed or case.history
    struck = struck_ns(history, strikes)
    detected_s = detection_s(case.sightings, struck)
    values: dict[str, float | str | None] = {
        "outcome": case.outcome,
        "correct": float(correct(history, case.oracle)) if case.oracle.attempts else None,
        "detection_s": detected_s,
        "attempts": float(len(history.attempts_of(case.step))),
        "wasted_s": _wasted_s(case, _lost_by_ns(case, struck, detected_s)) + _done_again_s(case),
        "overlaps": float(overlaps(whole, strikes)),
        "duplicates": float(len(whole.duplicates())),
        "record": record(case.verdicts),
    }
    unseen = _waited(case, struck) if struck and _never_ended(case) else "not seen in the engine's record"
    absent = {"correct": "no inline run to compare with", "detection_s": unseen}
    told = {name: (value, absent[name] if value is None else "") for name, value in values.items()}
    if len(whole.duplicates()) > len(history.duplicates()):
        told["duplicates"] = (values["duplicates"], BY_RESUMING)
    told |= _recovery(case, struck)
    return {name: Finding(unit, *told[name]) for name, unit in UNITS.items()}


def _lost_by_ns(case: Aftermath, struck: int | None, detected_s: float | None) -> int | None:
    """Until when an attempt without an end was under way: the strike, or for a hang the instant it was noticed."""
    if case.strikes:
        return min(one.t_ns for one in case.strikes)
    hung = any(mark.kind.startswith(HANGING) for mark in case.history.faults)
    return struck + round(detected_s * NS) if hung and struck and detected_s else None


def _wasted_s(case: Aftermath, lost_by_ns: int | None) -> float:
    """Seconds of work with which the run did not go on; time for which it stood still is no work."""
    still = sum(_paused_ns(case, one) for one in case.history.superseded(case.graph))
    return case.history.wasted_s(case.graph, lost_by_ns) - still / NS


def _done_again_s(case: Aftermath) -> float:
    """Seconds of attempts that had ended, but did not count for a resume, which did their steps again."""
    if case.resumed is None:
        return 0.0
    last_ns = max((one.start_ns for one in case.history.attempts), default=0)
    again = {one.step for one in case.resumed.attempts if one.start_ns > last_ns}
    return sum(one.time_s for one in case.history.effective(case.graph) if one.step in again)


def correct(history: History, oracle: History) -> bool:
    """Whether the run has the artifacts and the branch of the inline run, whatever the engine says of it."""
    own, expected = ({step: digest for step, digest in one.digests().items() if digest} for one in (history, oracle))
    return bool(expected) and own == expected


def struck_ns(history: History, strikes: Iterable[Strike] = ()) -> int | None:
    """The first instant of a fault; None if none struck."""
    outside = [strike.t_ns for strike in strikes if strike.t_ns]
    inside = [mark.t_ns for mark in history.faults if not (outside and mark.kind.startswith(LENGTHENING))]
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


def _recovery(case: Aftermath, struck: int | None) -> dict[str, tuple[float | None, str]]:
    """From the fault to the last step's right end, in parts: work, configured delay where no work was done, the rest.

    As (seconds, note).
    """
    work = _worked(case)
    end = max((end for _, end in work), default=0)
    if struck is None or (note := _no_recovery(case, struck, end)):
        return dict.fromkeys(RECOVERY, (None, "no fault struck" if struck is None else note))
    working, busy = (_covered_ns(spans, struck, end) for spans in (work, work + _delays(case, struck)))
    parts = (end - struck, working, busy - working, end - struck - busy)
    return {name: (part / NS, "") for name, part in zip(RECOVERY, parts, strict=True)}


def _no_recovery(case: Aftermath, struck: int, end: int) -> str:
    """Why there is no recovery time; empty if there is one."""
    if _never_ended(case):
        return _waited(case, struck)
    if case.outcome == "completed":
        return "it completed as if nothing had been"
    if case.outcome not in WHOLE:
        return f"it ended: {case.outcome}"
    if not (case.right and case.history.digests() == case.oracle.digests()):
        return f"it ended: {case.outcome}, with other steps, artifacts or order than inline"
    return "" if end > struck else "every step had ended before"


def _never_ended(case: Aftermath) -> bool:
    return case.outcome == "stuck" or bool(case.sightings and not case.sightings[-1].state.status.ended)


def _waited(case: Aftermath, struck: int) -> str:
    """For how long since the fault, at least."""
    waited_s = case.limit_s - (struck - case.submit_ns) / NS if case.submit_ns else case.limit_s
    return f"> {waited_s:.0f} s"


def _worked(case: Aftermath) -> list[tuple[int, int]]:
    """From when to when the attempts worked with which the run went on, without the time for which they were paused."""
    spans = []
    for one in case.history.effective(case.graph):
        begin, end = one.start_ns, one.end_ns or 0
        for still, again in _pauses(case, one):
            spans.append((begin, still))
            begin = again
        spans.append((begin, end))
    return spans


def _pauses(case: Aftermath, one: Attempt) -> list[tuple[int, int]]:
    """From when to when an attempt's process stood still."""
    end = one.end_ns or max(one.last_ns, one.start_ns)
    pauses = [strike for strike in case.strikes if strike.action == "pause" and one.pid in strike.pids]
    down_ns = round(case.down_s * NS)
    return [(p.t_ns, min(end, p.t_ns + down_ns)) for p in pauses if one.start_ns < p.t_ns < end]


def _paused_ns(case: Aftermath, one: Attempt) -> int:
    return sum(again - still for still, again in _pauses(case, one))


def _delays(case: Aftermath, struck: int) -> list[tuple[int, int]]:
    """When the run waited as configured: before each retry, and while it was kept down."""
    delay_ns = round(case.retry_delay_s * NS)
    went_on_with = case.history.effective(case.graph)
    waits = [
        (_due_ns(_last_ns(earlier, case.strikes), later.start_ns, delay_ns), later.start_ns)
        for step in case.history.steps()
        for earlier, later in pairwise(case.history.attempts_of(step))
        if earlier not in went_on_with
    ]
    return waits + _kept_down(case, struck)


def _due_ns(last_ns: int, start_ns: int, delay_ns: int) -> int:
    """When the wait for an attempt began; one that was given up earlier may have worked on beside it."""
    begun = start_ns - delay_ns
    return begun if last_ns > start_ns else max(last_ns, begun)


def _kept_down(case: Aftermath, struck: int) -> list[tuple[int, int]]:
    """What nobody healed was not kept down on purpose, and a restart begins at once."""
    down_ns = round(case.down_s * NS)
    if not case.strikes:
        return [(struck, struck + down_ns)]
    healed = [one for one in case.strikes if one.healed_ns and one.action != "restart"]
    return [(one.t_ns, min(one.t_ns + down_ns, one.healed_ns)) for one in healed]


def _covered_ns(spans: Iterable[tuple[int, int]], since: int, until: int) -> int:
    """Nanoseconds between two instants in which at least one of the spans was under way."""
    total, reached = 0, since
    for start, end in sorted(spans):
        total += max(0, min(end, until) - max(start, reached))
        reached = max(reached, end)
    return total


def overlaps(history: History, strikes: Iterable[Strike] = ()) -> int:
    """How many steps had two attempts under way at once."""
    known = tuple(strikes)
    return sum(
        any(_at_once(one, other, known) for one, other in combinations(history.attempts_of(step), 2))
        for step in history.steps()
    )


def _at_once(one: Attempt, other: Attempt, strikes: tuple[Strike, ...]) -> bool:
    """Whether either started while the other was under way."""
    pairs = ((one, other), (other, one))
    return any(first.start_ns <= second.start_ns < _last_ns(first, strikes) for first, second in pairs)


def _last_ns(attempt: Attempt, strikes: tuple[Strike, ...]) -> int:
    """Its end; for a lost one the strike that killed its process, or else the last thing known of it."""
    if attempt.end_ns is not None:
        return attempt.end_ns
    kills = [one.t_ns for one in strikes if one.action in KILLING and attempt.pid in one.pids]
    return max([attempt.last_ns, attempt.start_ns, *kills])


def record(verdicts: Iterable[Verdict]) -> str:
    """Whether the engine's own record agrees with the history; if not, in what it does not, or why it is not known."""
    said = [one for one in verdicts if one.checker == "engine_record"]
    wrong = [one.reason for one in said if one.verdict == "fail"]
    unknown = [f"unknown: {one.reason}" for one in said if one.verdict == "unknown"]
    return "; ".join([*wrong, *unknown]) or ("agrees" if said else "not judged")

"""How long a broken run took to come right, in parts: work, configured delay, and what the engine took."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from bench.judge.aftermath import NS, Aftermath, last_ns, limited_s
from bench.judge.outcome import WHOLE
from bench.observe.journal import Attempt

RECOVERY = ("recovery_s", "recovery_work_s", "recovery_delay_s", "recovery_rest_s")


def recovery(case: Aftermath, struck: int | None) -> dict[str, tuple[float | None, str]]:
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
    if never_ended(case):
        return waited(case, struck)
    if case.outcome == "completed":
        return "it completed as if nothing had been"
    if case.outcome not in WHOLE:
        return f"it ended: {case.outcome}"
    if not (case.right and case.journal.digests() == case.oracle.digests()):
        return f"it ended: {case.outcome}, with other steps, artifacts or order than inline"
    return "" if end > struck else "every step had ended before"


def never_ended(case: Aftermath) -> bool:
    return case.outcome == "stuck" or bool(case.sightings and not case.sightings[-1].state.status.ended)


def waited(case: Aftermath, struck: int) -> str:
    """For how long since the fault, at least."""
    waited_s = case.limit_s - (struck - case.submit_ns) / NS if case.submit_ns else case.limit_s
    return f"> {waited_s:.0f} s"


def _worked(case: Aftermath) -> list[tuple[int, int]]:
    """From when to when the attempts worked with which the run went on, without the time for which they were paused."""
    spans = []
    for one in case.journal.effective(case.graph):
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


def paused_ns(case: Aftermath, one: Attempt) -> int:
    return sum(again - still for still, again in _pauses(case, one))


def _delays(case: Aftermath, struck: int) -> list[tuple[int, int]]:
    """When the run waited as configured: before each retry, and while it was kept down."""
    delay_ns = round(case.retry_delay_s * NS)
    went_on_with = case.journal.effective(case.graph)
    waits = [
        (_due_ns(last_ns(earlier, case.strikes), later.start_ns, delay_ns), later.start_ns)
        for step in case.journal.steps()
        for earlier, later in pairwise(case.journal.attempts_of(step))
        if earlier not in went_on_with
    ]
    return waits + _kept_down(case, struck)


def _due_ns(last_ns: int, start_ns: int, delay_ns: int) -> int:
    """When the wait for an attempt began; one that was given up earlier may have worked on beside it."""
    begun = start_ns - delay_ns
    return begun if last_ns > start_ns else max(last_ns, begun)


def _kept_down(case: Aftermath, struck: int) -> list[tuple[int, int]]:
    """What nobody healed was not kept down on purpose, and a restart begins at once. A hang lasts until our limit."""
    if not case.strikes:
        return [(struck, struck + round(limited_s(case, struck) * NS))]
    down_ns = round(case.down_s * NS)
    healed = [one for one in case.strikes if one.healed_ns and one.action != "restart"]
    return [(one.t_ns, min(one.t_ns + down_ns, one.healed_ns)) for one in healed]


def _covered_ns(spans: Iterable[tuple[int, int]], since: int, until: int) -> int:
    """Nanoseconds between two instants in which at least one of the spans was under way."""
    total, reached = 0, since
    for start, end in sorted(spans):
        total += max(0, min(end, until) - max(start, reached))
        reached = max(reached, end)
    return total

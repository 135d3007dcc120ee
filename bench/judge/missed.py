"""Whether a fault met what it was meant for: one that did not says nothing of its engine, and is never a pass."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from bench.contract.records import Strike
from bench.judge.aftermath import KILLING, LENGTHENING
from bench.observe.journal import Attempt, Journal
from bench.plan.scenarios.record import Aimed, Moment, When
from core.instrument.config import Fault

NEVER_CAME = "the run never came to that point"


def missed(
    aimed: Aimed, journal: Journal, strikes: Sequence[Strike], *, accepted_ns: int = 0, problem: str = ""
) -> str:
    """Why a run's faults have not struck where they were meant to; empty if they have.

    `accepted_ns`: when the engine had accepted the run, 0 if it never did before the fault; `problem`: why there was
    nothing to strike from outside.
    """
    if aimed.nemesis is None:
        return unmarked(aimed.faults, journal)
    if not strikes:
        return problem or NEVER_CAME
    inside = [one for one in aimed.faults if not one.kind.startswith(LENGTHENING)]
    return _late(aimed.nemesis.at, journal, strikes[0], accepted_ns) or unmarked(inside, journal)


def unmarked(faults: Iterable[Fault], journal: Journal) -> str:
    """Which fault inside a step the journal does not know of, and why; empty if it knows all."""
    struck = {(mark.step, mark.kind) for mark in journal.faults}
    absent = next((one.step for one in faults if (one.step, one.kind) not in struck), "")
    if not absent:
        return ""
    return f"{absent} {'ran without it' if journal.attempts_of(absent) else 'never ran'}"


def outside(at: Moment, journal: Journal, t_ns: int, killed: Collection[int] = ()) -> str:
    """Why an instant is none of a point in or before a step; empty if it is. `killed`: the processes that end then.

    An instant before a step may as well lie in it: `met` says so.
    """
    if under_way(journal.attempts_of(at.step), t_ns, killed):
        return ""
    begun = any(one.start_ns <= t_ns for one in journal.attempts_of(at.step))
    if begun:
        return f"{at.step} had ended before"
    return "" if at.when is When.BEFORE else f"{at.step} had not begun"


def under_way(tries: Iterable[Attempt], t_ns: int, killed: Collection[int] = ()) -> bool:
    """Whether an attempt was at work then; one whose process was killed and that ended all the same was not hit."""
    return any(
        one.start_ns <= t_ns and (one.end_ns is None or (one.end_ns > t_ns and one.pid not in killed)) for one in tries
    )


def met(at: Moment, journal: Journal, strike: Strike) -> str:
    """The point that was really struck: a step that was to be met before its start may have begun meanwhile."""
    begun = at.when is When.BEFORE and under_way(journal.attempts_of(at.step), strike.t_ns)
    return str(Moment(When.IN, at.step)) if begun else str(at)


def _late(at: Moment, journal: Journal, strike: Strike, accepted_ns: int) -> str:
    if at.when is When.SUBMIT:
        return "the submission had been accepted before" if 0 < accepted_ns < strike.t_ns else ""
    return outside(at, journal, strike.t_ns, strike.pids if strike.action in KILLING else ())

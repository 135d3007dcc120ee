"""All that is known of a broken run when it is judged, and what it shows by itself: independent of the engine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from bench.contract.endpoint import RunState, StepState
from bench.contract.records import Strike, Verdict
from bench.contract.words import Status
from bench.observe.journal import Attempt, Journal, utc_ns
from bench.observe.watching import Sighting
from core.declaration import Graph

ALARMED = (Status.RETRYING, Status.FAILED)
KILLING = ("kill", "crash")
LENGTHENING = "slow"
"""How the kinds of faults inside a step begin that only give a fault from outside time to strike."""
UNSEEN = "not seen in the engine's record"
NS = 1e9


@dataclass(frozen=True, slots=True)
class Limit:
    """The setting of ours that ends what does not come to its end by itself."""

    of: Literal["step", "run"]
    seconds: float
    """From the start of the attempt, or of the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """All that is known of one scenario's run when it is judged."""

    journal: Journal
    oracle: Journal
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
    resumed: Journal | None = None
    """The same with what came after, where people resumed the run."""
    retry_delay_s: float
    down_s: float = 0.0
    """How long what was struck was kept down on purpose."""
    limit: Limit | None = None
    """Of a hang: what ends it, as the engine has a limit for steps, or only one for runs."""


def correct(journal: Journal, oracle: Journal) -> bool:
    """Whether the run has the artifacts and the branch of the inline run, whatever the engine says of it."""
    own, expected = ({step: digest for step, digest in one.digests().items() if digest} for one in (journal, oracle))
    return bool(expected) and own == expected


def struck_ns(journal: Journal, strikes: Iterable[Strike] = ()) -> int | None:
    """The first instant of a fault; None if none struck."""
    outside = [strike.t_ns for strike in strikes if strike.t_ns]
    inside = [mark.t_ns for mark in journal.faults if not (outside and mark.kind.startswith(LENGTHENING))]
    return min([*outside, *inside], default=None)


def detection_s(
    sightings: tuple[Sighting, ...], since_ns: int | None, *, final: bool = False, ahead_ns: int | None = None
) -> float | None:
    """Seconds from an instant until the engine's own record showed trouble (`final`: showed the run as failed).

    A run that waits to be tried again shows it also where no step does, as when it broke between two steps.
    By the engine's own time of it, where it gives one that lies between that instant and the one at which it was seen;
    else by the latter, which is late by up to the interval at which the engine is asked. `ahead_ns`: UTC less the
    monotonic clock, as `Journal.ahead_ns`; None: the engine's own times cannot be placed.
    """
    if since_ns is None:
        return None
    alarmed = (Status.FAILED,) if final else ALARMED
    for sighting in sightings:
        troubled = [] if final else [one for one in sighting.state.steps.values() if _in_trouble(one)]
        if sighting.t_ns >= since_ns and (troubled or sighting.state.status in alarmed):
            told = _told_ns(sighting.state, troubled, ahead_ns)
            return (
                min([one for one in told if since_ns <= one <= sighting.t_ns], default=sighting.t_ns) - since_ns
            ) / NS
    return None


def _in_trouble(step: StepState) -> bool:
    return step.status in ALARMED or step.attempts > 1


def _told_ns(state: RunState, troubled: Iterable[StepState], ahead_ns: int | None) -> list[int]:
    """When it came to trouble, as the engine says: a step's attempt failed or its next began, or the run ended."""
    told = [one.ended_utc if one.status in ALARMED else one.started_utc for one in troubled]
    told += [state.ended_utc] if state.status is Status.FAILED else []
    return [utc_ns(one) - ahead_ns for one in told if one and ahead_ns is not None]


def limited_s(case: Aftermath, struck: int | None) -> float:
    """Seconds from the fault until our limit had come; 0 without one, and where the engine had noticed it before."""
    if case.limit is None or struck is None:
        return 0.0
    mark = next((one for one in case.journal.faults if one.t_ns == struck), None)
    tries = [one for one in case.journal.attempts_of(mark.step) if one.attempt == mark.attempt] if mark else []
    begun = [one.start_ns for one in (tries if case.limit.of == "step" else case.journal.attempts)]
    set_s = max(0.0, (min(begun, default=struck) - struck) / NS + case.limit.seconds)
    noticed_s = detection_s(case.sightings, struck, ahead_ns=case.journal.ahead_ns())
    return set_s if noticed_s is None or set_s <= noticed_s else 0.0


def overlaps(journal: Journal, strikes: Iterable[Strike] = ()) -> int:
    """How many steps had two attempts under way at once."""
    known = tuple(strikes)
    return sum(
        any(_at_once(one, other, known) for one, other in combinations(journal.attempts_of(step), 2))
        for step in journal.steps()
    )


def _at_once(one: Attempt, other: Attempt, strikes: tuple[Strike, ...]) -> bool:
    """Whether either started while the other was under way."""
    pairs = ((one, other), (other, one))
    return any(first.start_ns <= second.start_ns < last_ns(first, strikes) for first, second in pairs)


def last_ns(attempt: Attempt, strikes: tuple[Strike, ...]) -> int:
    """Its end; for a lost one the strike that killed its process, or else the last thing known of it."""
    if attempt.end_ns is not None:
        return attempt.end_ns
    kills = [one.t_ns for one in strikes if one.action in KILLING and attempt.pid in one.pids]
    return max([attempt.last_ns, attempt.start_ns, *kills])


def record(verdicts: Iterable[Verdict]) -> str:
    """Whether the engine's own record agrees with the journal; if not, in what it does not, or why it is not known."""
    said = [one for one in verdicts if one.checker == "engine_record"]
    wrong = [one.reason for one in said if one.verdict == "fail"]
    unknown = [f"unknown: {one.reason}" for one in said if one.verdict == "unknown"]
    return "; ".join([*wrong, *unknown]) or ("agrees" if said else "not judged")

"""What happened in the runs of one scenario, from their journals: attempts, faults, and what came of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bench.contract.records import Run, Strike
from bench.judge.aftermath import LENGTHENING
from bench.observe.journal import Attempt, FaultMark, Journal, parse

NS = 1e9
DEADLY = ("kill", "exit", "kill_after", "torn")
"""Faults inside a step after which its process is gone."""
DEADLY_ACTIONS = ("kill", "crash")
NEEDED = {"t_ns", "step", "attempt", "event"}
"""Without these a record says nothing that could be drawn."""

How = Literal["ended", "error", "killed", "open"]


@dataclass(frozen=True, slots=True)
class Bar:
    """One attempt of one step, in seconds since the start of the timeline."""

    step: str
    attempt: int
    start_s: float
    end_s: float
    how: How
    """killed: its process was; open: no end was ever written, so it is drawn until the next attempt, or the last thing
    known of the run."""


@dataclass(frozen=True, slots=True)
class Point:
    """A fault inside a step."""

    step: str
    at_s: float
    what: str


@dataclass(frozen=True, slots=True)
class Band:
    """What was struck from outside, from the strike until it was healed; without width if nobody healed it."""

    start_s: float
    end_s: float
    what: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """Starts with the first submission, or with the strike that came before it."""

    submit_s: float
    steps: tuple[str, ...]
    bars: tuple[Bar, ...]
    points: tuple[Point, ...]
    bands: tuple[Band, ...]
    ends: tuple[float, ...]
    """When the engine's terminal state was seen: of the run, of the resumed run, of the run that was made anew."""
    asked: tuple[float, ...] = ()
    """When people asked for something to be done."""

    @property
    def struck_s(self) -> float | None:
        """The first instant of a fault."""
        return min([*(band.start_s for band in self.bands), *(point.at_s for point in self.points)], default=None)

    @property
    def last_s(self) -> float:
        """The last thing that is known."""
        ends = (one.end_s for some in (self.bars, self.bands) for one in some)
        return max([*ends, *self.ends, *self.asked])


def timeline(
    runs: Sequence[Run],
    written: Iterable[Iterable[dict[str, Any]]],
    strikes: Iterable[Strike],
    limit_s: float | None = None,
    gone_s: float | None = None,
    *,
    order: Sequence[str] = (),
) -> Timeline | None:
    """Build it from the runs in their order, and what was `written` into each journal; None if no step started.

    `limit_s`: how long after its submission a run was given up that had not ended. `gone_s`: how long after people had
    asked for its end its step was still at work. `order`: of the steps, as declared.
    """
    whole = ([one for one in records if one.keys() >= NEEDED] for records in written)
    journals = [journal for journal in map(parse, whole) if journal.attempts]
    struck = [one for one in strikes if one.t_ns]
    if not journals:
        return None
    submit = next((run.submit_ns for run in runs if run.submit_ns), 0) or journals[0].attempts[0].start_ns
    zero = min([submit, *(one.t_ns for one in struck)])
    ends = list(dict.fromkeys(run.terminal_ns for run in runs if run.terminal_ns))
    asked = list(dict.fromkeys(run.asked_ns for run in runs if run.asked_ns))
    attempts = [one for journal in journals for one in journal.attempts]
    waited = [submit + round((limit_s or 0) * NS), *(one + round((gone_s or 0) * NS) for one in asked)]
    known = max([*ends, *waited, *(max(one.end_ns or 0, one.last_ns, one.start_ns) for one in attempts)])
    faults = [mark for journal in journals for mark in _faults(journal, lengthened=bool(struck or asked))]
    return Timeline(
        submit_s=(submit - zero) / NS,
        steps=_order(list(dict.fromkeys(one.step for one in attempts)), order),
        bars=tuple(_bar(one, journal, struck, known, zero) for journal in journals for one in journal.attempts),
        points=tuple(Point(mark.step, (mark.t_ns - zero) / NS, mark.kind) for mark in faults),
        bands=tuple(_band(one, zero) for one in struck),
        ends=tuple((end - zero) / NS for end in ends),
        asked=tuple((one - zero) / NS for one in asked),
    )


def _faults(journal: Journal, *, lengthened: bool) -> list[FaultMark]:
    """Without those that only give a fault from outside, or people, the time to strike."""
    return [mark for mark in journal.faults if not (lengthened and mark.kind.startswith(LENGTHENING))]


def _band(strike: Strike, zero: int) -> Band:
    what = f"{strike.action} of the {strike.target}".replace("_", " ")
    return Band((strike.t_ns - zero) / NS, (max(strike.healed_ns, strike.t_ns) - zero) / NS, what)


def _bar(one: Attempt, journal: Journal, strikes: Sequence[Strike], known: int, zero: int) -> Bar:
    how, end = _end(one, journal, strikes, known)
    return Bar(one.step, one.attempt, (one.start_ns - zero) / NS, (end - zero) / NS, how)


def _end(one: Attempt, journal: Journal, strikes: Sequence[Strike], known: int) -> tuple[How, int]:
    if one.end_ns is not None:
        return ("ended" if one.outcome == "ended" else "error"), one.end_ns
    later = [other.start_ns for other in journal.attempts_of(one.step) if other.start_ns > one.start_ns]
    until = min(later, default=known)
    kills = [s.t_ns for s in strikes if s.action in DEADLY_ACTIONS and one.pid in s.pids and s.t_ns >= one.start_ns]
    kills += [m.t_ns for m in journal.faults if m.step == one.step and m.kind in DEADLY and m.attempt == one.attempt]
    return ("killed", min(kills)) if kills else ("open", max(until, one.start_ns))


def _order(met: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """The steps that are declared in their order; others as met."""
    return (*(step for step in known if step in met), *(step for step in met if step not in known))

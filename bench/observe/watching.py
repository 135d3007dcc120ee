"""Watches a run by its journal and over the engine's API: the same rules, intervals and limits for every engine.

A plain run is watched by its journal alone, of which the engine knows nothing, until its last step has ended; then
the engine is asked every `POLL_S` until it has recorded that. A journal that has said nothing for `SILENCE_S` may be
that of a run that failed: the engine is asked once, and again after the next such silence. A run in which something is
broken is asked for in full every `BROKEN_POLL_S`, which is the resolution of what only asking tells.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.contract.endpoint import ApiError, RunState
from bench.contract.words import Status, Track
from bench.session.bring_up import Session
from core.instrument import journal
from core.instrument.journal import now_ns

POLL_S = 0.25
"""How often an engine's API is asked for a run whose steps have ended; the same for all."""
BROKEN_POLL_S = 0.5
"""How often it is asked for a run in which something is broken; the same for all."""
LOOK_S = 0.05
"""How often it is looked whether a journal has grown."""
SILENCE_S = 5.0
INTERVALS = {"broken_s": BROKEN_POLL_S, "ended_s": POLL_S, "silence_s": SILENCE_S}
"""As the manifest has them."""
SETTLE_LIMIT_S = 5.0
MANY_SETTLE_LIMIT_S = 40.0
"""Where many steps were run: the records of the last of them may come half a minute after the run's end."""
SOON_SETTLED = 10
"""Up to so many steps, as the training pipeline has, are recorded soon."""
FEW_STEPS = 20
RUN_LIMIT_S = {Track.TUNED: 120.0, Track.STOCK: 900.0}
STEP_LIMIT_S = 5.0
"""What each step beyond a few adds to a run's limit."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """The engine's own view of a run at one instant."""

    t_ns: int
    state: RunState


def nothing() -> None:
    """Of whom the end of the last step concerns nobody."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """A run that is watched by its journal until all its steps have ended."""

    run_dir: Path
    steps: int
    """As many as the plain loop's run had."""
    settle_s: float
    """How long the engine may take to record the steps after the run's end."""
    at_last_end: Callable[[], object] = nothing
    """Called once, as soon as the last step is seen to have ended."""

    def wait(self, until: float, stop: threading.Event) -> bool:
        """Return True once every step has ended; False if the journal falls silent, at `until`, or once `stop` is set.

        `until` is on the clock of `time.monotonic`.
        """
        size, since = -1, time.monotonic()
        while (now := time.monotonic()) < until:
            grown = journal.size_bytes(self.run_dir)
            if grown != size:
                size, since = grown, now
                if journal.ends(self.run_dir) >= self.steps:
                    self.at_last_end()
                    return True
            elif now - since >= SILENCE_S:
                break
            if stop.wait(LOOK_S):
                break
        return False


def limit_s(track: Track, steps: int) -> float:
    """How long a run of so many steps may take."""
    return RUN_LIMIT_S[track] + STEP_LIMIT_S * max(0, steps - FEW_STEPS)


def settle_s(steps: int) -> float:
    """How long engines may take to record so many steps after the end of a run."""
    return SETTLE_LIMIT_S if steps <= SOON_SETTLED else MANY_SETTLE_LIMIT_S


def watch(
    session: Session,
    engine_run_id: str,
    limit: float,
    *,
    quietly: Quiet | None = None,
    stop: threading.Event | None = None,
    on_end: Callable[[int], None] | None = None,
) -> tuple[list[Sighting], bool]:
    """Ask for a run's state until it has ended; return what was seen when it changed, and whether time ran out.

    After the run's end its steps are asked for a little longer: some engines record them later. `quietly` is for runs
    that are timed, or many, where asking is itself work for the engine; then the run alone is asked for until it has
    ended. Once `stop` is set it returns what it has. `on_end` is told the instant at which the run was first seen to
    have ended.
    """
    deadline, stop = time.monotonic() + limit, stop or threading.Event()
    sightings: list[Sighting] = []
    all_ended = False
    while time.monotonic() < deadline and not stop.is_set():
        ended_before = bool(sightings) and sightings[-1].state.status.ended
        if quietly and not (ended_before or all_ended):
            all_ended = quietly.wait(deadline, stop)
        asked = time.monotonic()
        state = ask_state(session, engine_run_id, steps=not quietly or ended_before)
        if state and (not sightings or _differs(state, sightings[-1].state)):
            sightings.append(Sighting(now_ns(), state))
            if state.status.ended and not ended_before:
                if on_end:
                    on_end(sightings[-1].t_ns)
                deadline = min(deadline, time.monotonic() + (quietly.settle_s if quietly else SETTLE_LIMIT_S))
                if quietly:
                    continue  # now for the steps
        if state and state.status.ended and _all_told(state, quietly):
            break
        stop.wait(max(0.0, asked + (POLL_S if quietly else BROKEN_POLL_S) - time.monotonic()))
    return sightings, not (sightings and sightings[-1].state.status.ended)


def _all_told(state: RunState, quietly: Quiet | None) -> bool:
    """Whether the engine lists every step, each with its end. Some list only those that they have recorded so far."""
    listed = not quietly or state.status is not Status.COMPLETED or len(state.steps) >= quietly.steps
    return listed and all(step.status.ended for step in state.steps.values())


def ask_state(session: Session, engine_run_id: str, *, steps: bool = True) -> RunState | None:
    """The engine's view of a run; None while its API does not answer."""
    try:
        return session.endpoint.state(engine_run_id) if steps else RunState(session.endpoint.status(engine_run_id))
    except (httpx.HTTPError, ApiError):
        return None


def last_word(session: Session, engine_run_id: str, sightings: Sequence[Sighting]) -> Status | None:
    """The engine's last word on a run; None if it answers that it has none of it.

    Of an engine whose API is silent nothing is known: the run counts as one that has not ended.
    """
    if sightings:
        return sightings[-1].state.status
    try:
        return session.endpoint.status(engine_run_id)
    except ApiError:
        return None
    except httpx.HTTPStatusError as error:
        return None if error.response.is_client_error else Status.PENDING
    except httpx.HTTPError:
        return Status.PENDING


def _differs(one: RunState, other: RunState) -> bool:
    def essence(state: RunState) -> tuple[Status, Mapping[str, tuple[Status, int]]]:
        return state.status, {name: (step.status, step.attempts) for name, step in state.steps.items()}

    return essence(one) != essence(other)

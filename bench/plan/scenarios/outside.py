"""What is struck from outside while a step runs, or a run is submitted."""

from __future__ import annotations

from typing import Any

from bench.contract.targets import Target
from bench.contract.words import Track
from bench.plan.scenarios.record import (
    LONG_S,
    MIDDLE_S,
    PAUSE_S,
    USUALLY,
    Action,
    Inside,
    Moment,
    Nemesis,
    Scenario,
    When,
)  # fmt: skip
from core.declaration import Part
from core.instrument.config import FaultKind

KILL, CRASH, RESTART, PAUSE, LOCK = Action
STEP, RUN, WORKER, SCHEDULER, API, CONTROL_PLANE, DATABASE = Target
AT_WORK = Moment(When.IN, Part.HEAVY)
SUBMITTING = Moment(When.SUBMIT)


def outside(
    key: str,
    title: str,
    action: Action,
    target: Target,
    at: Moment = AT_WORK,
    *,
    down_s: float = 5.0,
    lasts_s: float = MIDDLE_S,
    **more: Any,
) -> Scenario:
    """A scenario with a fault from outside. The step that is struck in its middle lasts long enough to be met."""
    longer = (Inside(FaultKind.SLOW_AFTER, attempts=0, seconds=lasts_s),) if at.when is When.IN else ()
    record: dict[str, Any] = {"seconds": 11.0 + down_s, "suffers": at.step or Part.HEAVY} | more
    return Scenario(key=key, title=title, faults=longer, nemesis=Nemesis(action, target, at, down_s), **record)


def _paused(key: str, title: str, target: Target, **more: Any) -> Scenario:
    return outside(key, title, PAUSE, target, down_s=PAUSE_S, **more)


TITLE = "From outside"
SCENARIOS = (
    _paused("step_paused", "The step's process is paused", STEP),
    outside("run_killed", "The run's process is killed", KILL, RUN, lasts_s=LONG_S, seconds=19.0, budgets=USUALLY),
    _paused("run_paused", "The run's process is paused", RUN),
    outside("worker_killed", "The worker is killed", KILL, WORKER, seconds=70.0),
    _paused("worker_paused", "The worker is paused", WORKER),
    outside("worker_crashed", "The worker's first process is killed", CRASH, WORKER, lasts_s=LONG_S, seconds=37.0),
    outside("worker_restarted", "The worker is restarted", RESTART, WORKER, seconds=33.0),
    outside("scheduler_killed", "The scheduler is killed", KILL, SCHEDULER, seconds=14.0, budgets=USUALLY),
    _paused("scheduler_paused", "The scheduler is paused", SCHEDULER, seconds=12.0),
    outside("scheduler_crashed", "The scheduler's first process is killed", CRASH, SCHEDULER, lasts_s=LONG_S),
    outside("scheduler_restarted", "The scheduler is restarted", RESTART, SCHEDULER, seconds=9.0),
    outside("api_killed", "The API server is killed", KILL, API),
    _paused("api_paused", "The API server is paused", API),
    outside("api_restarted", "The API server is restarted", RESTART, API),
    outside("api_killed_during_submit", "The API server is killed during a submission", KILL, API, SUBMITTING),
    outside("control_plane_killed", "Everything is killed at once", KILL, CONTROL_PLANE, seconds=70.0),
    _paused("control_plane_paused", "Everything is paused at once", CONTROL_PLANE),
    outside("control_plane_restarted", "Everything is restarted", RESTART, CONTROL_PLANE, seconds=49.0),
    outside("database_down_5_s", "The database is down for 5 s", KILL, DATABASE, tracks=(Track.TUNED,)),
    outside(
        "database_down_60_s", "The database is down for 60 s", KILL, DATABASE, down_s=60.0,
        tracks=(Track.TUNED,), seconds=86.0,
    ),
    outside("database_locked", "The database is locked", LOCK, DATABASE, down_s=20.0, tracks=(Track.STOCK,)),
)  # fmt: skip

"""What is broken on purpose, or done by people: each scenario as data. The harness acts on it, the judge reads it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bench.contract.targets import Target
from bench.contract.words import Ability, Track
from core.instrument.config import Fault

STEP = "train"
"""The step that suffers: it comes after work worth keeping and before the effect."""
MIDDLE_S = 3.0
"""How much longer a step lasts that is struck from outside, so that its middle can be met: after its work and before
its engine is told, where there is most to lose. Each of its attempts, or an engine that loses the first would be done
before one that does not."""
LONG_S = 15.0
"""The same where what is struck leaves the step running: longer than it takes any engine to call it lost."""
PAUSE_S = 15.0
"""How long something stands still: longer than it takes any engine to call a task lost that sends no heartbeats, and
shorter than a step's time limit, which goes on meanwhile."""
INTO_S = 1.5
"""How long the step has run when it is struck in its middle."""


class Action(StrEnum):
    """What is done to a target. Each is healed."""

    KILL = "kill"
    """SIGKILL of a service and of all that it has started, as when its container is killed; after `down_s` it is
    started again, as a process manager does. Of a worker that is no service: with all that it has started too. Of a
    step's or a run's processes: that one process alone."""
    CRASH = "crash"
    """SIGKILL of the service's first process alone: what it has started lives on; started again likewise."""
    RESTART = "restart"
    """SIGTERM to the service's first process, its end awaited, then SIGKILL to what it has left, as a container's end
    does; and started again at once: an upgrade. Of services only."""
    PAUSE = "pause"
    """SIGSTOP, and SIGCONT after `down_s`; of a service, of all that it has started too."""
    LOCK = "lock"
    """The database file locked by another writer for `down_s`."""

    @property
    def starts_again(self) -> bool:
        """Whether a service that is struck has to be started again."""
        return self in (Action.KILL, Action.CRASH, Action.RESTART)


class When(StrEnum):
    """Where in a step's course a fault from outside strikes."""

    SUBMIT = "during submit"
    BEFORE = "before"
    """All its upstreams have ended, it has not started."""
    IN = "in"
    """While it runs."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A point of the history."""

    when: When
    step: str = ""
    """Empty for a submission."""
    into_s: float = INTO_S
    """In a step: how long after its start."""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.when, self.step)))


@dataclass(frozen=True, slots=True)
class Nemesis:
    """A fault from outside."""

    action: Action
    target: Target
    at: Moment
    down_s: float = 5.0
    """From the strike until the heal."""


class Remedy(StrEnum):
    """What people do, by the engine's own means."""

    RESUME = "resume"
    """Fix the cause, and go on from the failed step."""
    RERUN = "rerun"
    """Fix the cause, and run the whole pipeline again."""
    CANCEL = "cancel"
    """Stop a run in the middle of a step."""
    ROLL_BACK = "roll back"
    """After a bad deployment make the last good model current again."""
    CATCH_UP = "catch up"
    """The data of one day come late; then run what is missing."""
    BACKFILL = "backfill"
    """Run ten days, with the scheduler killed in the middle."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One thing that goes wrong in a run of the training pipeline, or is done by people."""

    name: str
    faults: tuple[Fault, ...] = ()
    """Inside a step."""
    nemesis: Nemesis | None = None
    """From outside."""
    remedy: Remedy | None = None
    defective: bool = False
    """Whether a true failure that is shown is the right outcome."""
    tracks: tuple[Track, ...] = tuple(Track)
    needs: tuple[Ability, ...] = ()
    """Abilities without which it is not supported."""
    harmless: bool = False
    """Whether its step only raises or takes long, so that no process or slot can be left behind."""
    seconds: float = 12.0
    """Rough seconds on two cores, on tuned settings; the same for every engine."""


def _inside(kind: str, *, attempts: int = 1, step: str = STEP, seconds: float = 0.0) -> tuple[Fault, ...]:
    return (Fault(step, kind, attempts=attempts, seconds=seconds),)


def outside(
    name: str,
    action: Action,
    target: Target,
    at: Moment,
    down_s: float = 5.0,
    *,
    lasts_s: float = MIDDLE_S,
    **more: object,
) -> Scenario:
    """A scenario with a fault from outside. The step that is struck in its middle lasts long enough to be met."""
    longer = _inside("slow_after", attempts=0, step=at.step, seconds=lasts_s) if at.when is When.IN else ()
    more = {"seconds": 11.0 + down_s} | more
    return Scenario(name, longer, Nemesis(action, target, at, down_s), **more)  # type: ignore[arg-type]


IN_TRAIN = Moment(When.IN, STEP)
SUBMITTING = Moment(When.SUBMIT)

INSIDE = (
    Scenario("transient_error", _inside("transient"), harmless=True),
    Scenario("unretryable_error", _inside("unretryable", attempts=0), defective=True, harmless=True),
    Scenario("permanent_error", _inside("defect", attempts=0), defective=True, harmless=True),
    Scenario("step_killed", _inside("kill")),
    Scenario("step_exits", _inside("exit"), seconds=30),
    Scenario("hung_step", _inside("hang"), seconds=56),
    Scenario("hung_in_c", _inside("hang_in_c"), seconds=100),
    Scenario("hung_subprocess", _inside("hang_in_subprocess"), seconds=56),
    Scenario("slow_step", _inside("slow", seconds=10.0), harmless=True, seconds=18),
    Scenario("memory_exceeded", _inside("memory"), harmless=True),
    Scenario("killed_before_acknowledgement", _inside("kill_after", step="deploy")),
    Scenario("torn_write", _inside("torn")),
    Scenario("empty_output", _inside("empty", step="features"), defective=True, harmless=True),
    Scenario("corrupt_output", _inside("corrupt", step="features"), defective=True, harmless=True),
    Scenario("disk_full", _inside("disk_full"), harmless=True),
)
OUTSIDE = (
    outside("step_paused", Action.PAUSE, Target.STEP, IN_TRAIN, PAUSE_S),
    outside("run_killed", Action.KILL, Target.RUN, IN_TRAIN, lasts_s=LONG_S, seconds=19.0),
    outside("run_paused", Action.PAUSE, Target.RUN, IN_TRAIN, PAUSE_S),
    outside("worker_killed", Action.KILL, Target.WORKER, IN_TRAIN, seconds=70.0),
    outside("worker_paused", Action.PAUSE, Target.WORKER, IN_TRAIN, PAUSE_S),
    outside("worker_crashed", Action.CRASH, Target.WORKER, IN_TRAIN, lasts_s=LONG_S, seconds=37.0),
    outside("worker_restarted", Action.RESTART, Target.WORKER, IN_TRAIN, seconds=33.0),
    outside("scheduler_killed", Action.KILL, Target.SCHEDULER, IN_TRAIN, seconds=14.0),
    outside("scheduler_paused", Action.PAUSE, Target.SCHEDULER, IN_TRAIN, PAUSE_S, seconds=12.0),
    outside("scheduler_crashed", Action.CRASH, Target.SCHEDULER, IN_TRAIN, lasts_s=LONG_S),
    outside("scheduler_restarted", Action.RESTART, Target.SCHEDULER, IN_TRAIN, seconds=9.0),
    outside("api_killed", Action.KILL, Target.API, IN_TRAIN),
    outside("api_paused", Action.PAUSE, Target.API, IN_TRAIN, PAUSE_S),
    outside("api_restarted", Action.RESTART, Target.API, IN_TRAIN),
    outside("api_killed_during_submit", Action.KILL, Target.API, SUBMITTING),
    outside("control_plane_killed", Action.KILL, Target.CONTROL_PLANE, IN_TRAIN, seconds=70.0),
    outside("control_plane_paused", Action.PAUSE, Target.CONTROL_PLANE, IN_TRAIN, PAUSE_S),
    outside("control_plane_restarted", Action.RESTART, Target.CONTROL_PLANE, IN_TRAIN, seconds=49.0),
    outside("database_down_5_s", Action.KILL, Target.DATABASE, IN_TRAIN, 5.0, tracks=(Track.TUNED,)),
    outside("database_down_60_s", Action.KILL, Target.DATABASE, IN_TRAIN, 60.0, tracks=(Track.TUNED,), seconds=86.0),
    outside("database_locked", Action.LOCK, Target.DATABASE, IN_TRAIN, 20.0, tracks=(Track.STOCK,)),
)
PEOPLE = (
    Scenario(
        "resume_after_fix", _inside("defect", attempts=0), remedy=Remedy.RESUME, needs=(Ability.RESUME,), seconds=18
    ),
    Scenario("rerun_after_fix", _inside("defect", attempts=0), remedy=Remedy.RERUN, seconds=18),
    Scenario("cancel", _inside("slow", attempts=0, seconds=15.0), remedy=Remedy.CANCEL, needs=(Ability.CANCEL,)),
    Scenario("roll_back", remedy=Remedy.ROLL_BACK, seconds=7),
    Scenario("late_data", remedy=Remedy.CATCH_UP, needs=(Ability.BACKFILL,), seconds=28),
    Scenario("backfill_killed", remedy=Remedy.BACKFILL, needs=(Ability.BACKFILL,), seconds=36),
)
SCENARIOS = {one.name: one for one in (*INSIDE, *OUTSIDE, *PEOPLE)}

WAITING = (("hung_in_c", "hung_step", "hung_subprocess"),)
"""Scenarios that are conducted at once, each in a run of its own, the longest first: nothing but that run's processes
is struck, and nothing is to be done but wait. No more of them than there are slots."""
APART_S = 12.0
"""Between their submissions, so that one's steps do not run when another's limit has come and its steps run again."""
RESUMED_S = 10.0
"""Rough seconds of resuming one of them, which follows when all have ended."""


def batches(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The scenarios of these names in their order, each with those that are conducted with it at once."""
    met: set[str] = set()
    for name in names:
        group = next((group for group in WAITING if name in group), (name,))
        if name not in met:
            yield tuple(one for one in group if one in names)
        met.update(group)


BASIC = ("transient_error", "step_killed", "resume_after_fix")
"""What every budget holds."""
STANDARD = (*BASIC, "run_killed", "worker_killed", "scheduler_killed", "hung_step", "cancel")

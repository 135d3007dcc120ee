"""A scenario is a record: what goes wrong or is done by people, in which part of a pipeline, and what is right then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import inf

from bench.contract.targets import Target
from bench.contract.words import Ability, Status, Track
from core.declaration import Companion, Part, Pipeline
from core.instrument.config import Fault, FaultKind

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

ALIKE = {
    FaultKind.EXIT: "kill", FaultKind.KILL_AFTER: "kill", FaultKind.TORN: "kill",
    FaultKind.HANG_IN_C: "hang", FaultKind.HANG_IN_SUBPROCESS: "hang",
}  # fmt: skip
"""Faults inside a step of one mechanism: its process is gone, or it does not come to its end."""

Where = Part | str
"""A part that a pipeline declares; or, of one run, a step by its name."""
RARELY = {"full": 3, "alone": 1}
"""Budget -> in how many first blocks; `alone` is the standard one where nothing but recovery is asked for."""
USUALLY = {"standard": 1, **RARELY}
ALWAYS = {"quick": 1, **USUALLY}
FOUR_TIMES = {"alone": 4}


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
    """A point of a run."""

    when: When
    step: Where = ""
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


@dataclass(frozen=True, slots=True)
class Inside:
    """A fault inside the step that suffers."""

    kind: FaultKind
    attempts: int = 1
    """How many first attempts it strikes; 0 is every one."""
    seconds: float = 0.0


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


class Extent(StrEnum):
    """How much of what the plain loop makes."""

    ALL = "all"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Expected:
    """What is right in the end, whatever the engine. Artifacts and effects are compared with the plain loop's."""

    states: tuple[Status, ...] = (Status.COMPLETED,)
    """What the engine may call the run in the end."""
    required: Extent = Extent.ALL
    """Effects that must have happened, each as often as in the plain loop."""
    artifacts: Extent = Extent.ALL
    """What must have been made, and alike."""
    forbidden: tuple[Where, ...] = ()
    """Steps that must have no effect: a run that ends so has refused what it should."""
    asked: bool = False
    """Whether people ask for the failure itself, such as to stop a run: then nothing else counts of it."""
    stopped: bool = False
    """Whether they ask the engine for it, which may pass over that; and do not plant it."""

    def of(self, pipeline: Pipeline) -> Expected:
        """With the steps of a pipeline."""
        return replace(self, forbidden=tuple(step_of(one, pipeline) for one in self.forbidden))


RIGHT = Expected()
"""As the plain loop."""
SHOWN = Expected((Status.FAILED,), Extent.NONE, Extent.NONE)
"""The fault does not go away, so that to show the failure is right."""
ASKED = replace(SHOWN, asked=True)
"""People ask for it."""
STOPPED = replace(ASKED, stopped=True)
"""They ask the engine to stop the run."""


def step_of(where: Where, pipeline: Pipeline, ran: Sequence[str] = ()) -> str:
    """The step of a pipeline; where that is one of many like steps, the first of those that `ran`."""
    name = pipeline.part(where) if isinstance(where, Part) else str(where)
    graph = pipeline.graph({})
    declared = graph.declared(name)
    if declared is None or not declared.many or declared.name != name:
        return name
    return next((one for one in ran if graph.declared(one) is declared), name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aimed:
    """A scenario as it is conducted in one pipeline: with its steps."""

    scenario: Scenario
    step: str
    """The one that suffers; empty if none does."""
    faults: tuple[Fault, ...]
    nemesis: Nemesis | None
    expected: Expected

    @property
    def key(self) -> str:
        return self.scenario.key


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One thing that goes wrong in a run, or is done by people."""

    key: str
    title: str
    suffers: Where = Part.HEAVY
    """The step that suffers: the heavy one comes after work worth keeping and before the effect. Empty: none does."""
    faults: tuple[Inside, ...] = ()
    """Inside that step."""
    nemesis: Nemesis | None = None
    """From outside."""
    remedy: Remedy | None = None
    expected: Expected = RIGHT
    budgets: Mapping[str, int] = field(default_factory=lambda: RARELY)
    """Budget -> in how many first blocks it is conducted."""
    times: Mapping[str, int] = field(default_factory=dict)
    """Budget -> how often in a block, where that is more than once: what is to be told apart by itself, without others
    of its family, for which four runs are the least."""
    tracks: tuple[Track, ...] = tuple(Track)
    needs: tuple[Ability, ...] = ()
    """Abilities without which it is not supported."""
    beside: Companion | None = None
    """What people must run beside the pipeline."""
    leaves: bool = True
    """Whether a process or a slot can be left behind, which is then looked for; not if a step only raises or waits."""
    counts: str = "recovery_s"
    """Which of its times tells how well people are served."""
    since: str = ""
    """From when to when that is, if not from what people do until the run is right."""
    seconds: float = 12.0
    """Rough seconds on two cores, on tuned settings; the same for every engine."""

    @property
    def sentence(self) -> str:
        """What is done, where, what is right then, and what it costs, for people."""
        where = f" (the {self.suffers} step)" if self.suffers else ""
        right = "complete" if Status.COMPLETED in self.expected.states else "end as failed"
        return f"{self.title}{where}: the run should {right}; some {self.seconds:.0f} s an engine."

    @property
    def family(self) -> str:
        """What is struck, and how: `worker, kill`. Empty of what people do, and where no run can complete.

        It is fixed by the record: families, not scenarios, are counted where engines are compared over many faults.
        """
        if self.remedy or Status.COMPLETED not in self.expected.states:
            return ""
        if self.nemesis:
            return f"{self.nemesis.target}, {self.nemesis.action}".replace("_", " ")
        kinds = dict.fromkeys(ALIKE.get(one.kind, str(one.kind)) for one in self.faults)
        return f"{self.suffers} step, {' and '.join(kinds)}".replace("_", " ") if kinds else ""

    def blocks(self, budget: str) -> float:
        """In how many first blocks of a budget it is conducted; in one that asks for it by name in all."""
        return self.budgets.get(budget, inf)

    def absent(self, pipeline: Pipeline) -> str:
        """Why a pipeline cannot have it; empty if it can."""
        wanted = (self.suffers, *self.expected.forbidden)
        lacking = next((one for one in wanted if isinstance(one, Part) and one not in pipeline.parts), None)
        if lacking:
            return f"the pipeline declares no {lacking} step"
        if self.beside and self.beside not in pipeline.companions:
            return f"the pipeline has nothing beside it for: {self.beside.replace('_', ' ')}"
        return ""

    def of(self, pipeline: Pipeline, ran: Sequence[str] = ()) -> Aimed:
        """With the steps of a pipeline, of which `ran` did in the plain loop; KeyError where `absent` says why."""
        step = step_of(self.suffers, pipeline, ran) if self.suffers else ""
        nemesis = self.nemesis
        if nemesis and nemesis.at.step:
            nemesis = replace(nemesis, at=replace(nemesis.at, step=step_of(nemesis.at.step, pipeline, ran)))
        return Aimed(
            scenario=self,
            step=step,
            faults=tuple(Fault(step, one.kind, attempts=one.attempts, seconds=one.seconds) for one in self.faults),
            nemesis=nemesis,
            expected=self.expected.of(pipeline),
        )

"""A session of one arm while its questions are measured."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from bench.contract.errors import EngineError
from bench.contract.records import Arm, Mode
from bench.contract.settings import Variant
from bench.plan.cell import Planned
from bench.plan.workloads import Workload
from bench.questions.ledger import Ledger
from bench.run.conductor import Conductor
from bench.run.observation import Observation
from bench.session.bring_up import Session
from bench.session.supervisor import Supervisor


def in_variant(conductor: Conductor, variant: Variant) -> Conductor:
    """The same with another isolation of steps: an arm of its own."""
    arm = msgspec.structs.replace(conductor.arm, engine=f"{conductor.arm.engine}-{variant.name}", isolation="none")
    return replace(conductor, arm=arm, variant=variant, label=f"{conductor.label}-{variant.name}", _isolation="")


@dataclass
class Bound:
    """A session of one arm, with what the result holds so far."""

    ledger: Ledger
    planned: Planned
    conductor: Conductor
    supervisor: Supervisor
    scratch: Path
    session: Session | None = None
    local: bool = False
    """Whether the server is stopped, and the mode without one prepared."""
    effective: Conductor | None = None
    """The conductor of runs that are broken, once one is made: they must have an effect."""
    warm_ups: list[float | None] = field(default_factory=list)
    """Makespans of the session's warm-ups so far."""
    failed: tuple[Observation, str] | None = None
    """A run that ended at a planted exception, and its log: one question makes it, another reads it."""

    @property
    def own(self) -> Workload:
        """A plain run of the arm's pipeline."""
        return Workload(self.planned.pipeline)

    def of(self, workload: Workload, mode: Mode = "served") -> Conductor:
        """The session's conductor for another workload or mode, judging by the plain loop's run of that workload."""
        own = self.conductor
        if mode == own.arm.mode and workload == own.workload:
            return own
        label = f"{own.label}-local" if mode == "local" else own.label
        arm = msgspec.structs.replace(own.arm, mode=mode)
        return replace(own, arm=arm, label=label, workload=workload, oracle=self.ledger.oracles[workload])

    def locally(self, workload: Workload, variant: Variant | None = None) -> Conductor:
        """That for the mode without a server; another isolation of it is an arm of its own."""
        usual = self.of(workload, "local")
        return in_variant(usual, variant) if variant else usual

    @property
    def up(self) -> Session:
        """The engine's session; only the plain loop has none."""
        if self.session is None:
            raise EngineError(f"{self.planned.name} has no engine")
        return self.session

    @property
    def anywhere(self) -> Arm:
        """The arm of what does not depend on track and mode, such as the installation."""
        return msgspec.structs.replace(self.conductor.arm, track="none", mode="none")

"""A session of one arm while its parts are measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from bench.contract.errors import EngineError
from bench.contract.records import Mode
from bench.plan.budgets import Part
from bench.plan.planner import Planned
from bench.plan.workloads import Workload
from bench.run.conductor import Conductor, Observation
from bench.session.bring_up import Session
from bench.session.supervisor import Supervisor

if TYPE_CHECKING:
    from bench.campaign import Job


@dataclass
class Bound:
    """A session of one arm, bound to the job that it belongs to."""

    job: Job
    planned: Planned
    conductor: Conductor
    supervisor: Supervisor
    scratch: Path
    session: Session | None = None
    local: bool = False
    """Whether the server is stopped, and the mode without one prepared."""
    until: float = float("inf")
    """The monotonic second by which the session's cells should have ended."""
    exception: tuple[Observation, str] | None = None
    """A run that ended at a planted exception, and its log: recovery makes it, debugging reads it."""

    def of(self, workload: Workload, mode: Mode = "served") -> Conductor:
        """The session's conductor for another workload or mode, judging by the plain loop's run of that workload."""
        own = self.conductor
        if mode == own.arm.mode and workload == own.workload:
            return own
        label = f"{own.label}-local" if mode == "local" else own.label
        arm = msgspec.structs.replace(own.arm, mode=mode)
        return replace(own, arm=arm, label=label, workload=workload, oracle=self.job.oracles[workload])

    def pending(self, topics: Sequence[str]) -> tuple[str, ...]:
        """Those cells of the part about recovery that are not done yet in this result."""
        done = {cell.name for cell in self.job.manifest.cells}
        return tuple(topic for topic in topics if self.planned.cell(Part.RECOVERY, topic) not in done)

    def cell(self, topics: Sequence[str], seconds: float, measure: Callable[[], object]) -> None:
        """Measure cells of the part about recovery, all at once, if they fit before the deadline."""
        self.job.cell(self.planned, topics, measure, part=Part.RECOVERY, seconds=seconds, until=self.until)

    @property
    def up(self) -> Session:
        """The engine's session; only inline has none."""
        if self.session is None:
            raise EngineError(f"{self.planned.name} has no engine")
        return self.session

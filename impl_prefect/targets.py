"""Which of Prefect's processes faults from outside strike."""

from __future__ import annotations

from bench.contract.targets import OfRole, OfStep, Target, Targets
from bench.contract.words import Unsupported

TARGETS: Targets = {
    Target.STEP: Unsupported("tasks run in the flow run's process, which is struck as the run"),
    Target.RUN: OfStep("the flow run's process, in which its tasks run too"),
    Target.WORKER: OfRole("worker", "the process worker, which starts flow runs as its children"),
    Target.SCHEDULER: Unsupported("scheduling is a background service of the API server's process"),
    Target.API: OfRole("api", "the server: API and background services"),
}

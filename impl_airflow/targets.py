"""Which of Airflow's processes faults from outside strike."""

from __future__ import annotations

from bench.contract.targets import OfRole, OfStep, Target, Targets
from bench.contract.words import Unsupported

TARGETS: Targets = {
    Target.STEP: OfStep("the process in which a task's supervisor runs the task's code"),
    Target.RUN: Unsupported("no process belongs to one run: the scheduler conducts all of them"),
    Target.WORKER: OfStep(
        "the LocalExecutor's worker process, which supervises the task's process", above="LocalExecutor"
    ),
    Target.SCHEDULER: OfRole("scheduler", "the scheduler with its LocalExecutor, whose workers are its children"),
    Target.API: OfRole("api-server", "the API server, which also the tasks' supervisors talk to"),
}

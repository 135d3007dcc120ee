"""Which of Dagster's processes faults from outside strike."""

from __future__ import annotations

from bench.contract.targets import OfRole, OfStep, Target, Targets

TARGETS: Targets = {
    Target.STEP: OfStep("the process that the multiprocess executor starts for a step"),
    Target.RUN: OfStep("the run worker, which conducts one run and starts its steps", above="multiprocessing.spawn"),
    Target.WORKER: OfRole("code-server", "the code server, which starts run workers as its children"),
    Target.SCHEDULER: OfRole("daemon", "the daemon, which takes runs from the queue and monitors them"),
    Target.API: OfRole("webserver", "the webserver with the GraphQL API"),
}

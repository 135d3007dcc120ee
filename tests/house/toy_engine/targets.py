"""Which of the toy engine's processes faults from outside strike."""

from __future__ import annotations

from bench.contract.targets import OfRole, OfStep, Target, Targets
from bench.contract.words import Unsupported

TARGETS: Targets = {
    Target.STEP: OfStep("the process that is forked for an attempt of a step"),
    Target.RUN: OfStep("the fork of the worker that conducts one run and forks its attempts", above="toyflow.worker"),
    Target.WORKER: OfRole("worker", "the worker, which takes runs from the queue and starts their processes"),
    Target.SCHEDULER: Unsupported("nothing is scheduled: the worker takes runs from the queue itself"),
    Target.API: OfRole("server", "the server, which writes submissions into the queue and reads the record"),
}

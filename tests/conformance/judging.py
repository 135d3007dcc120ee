"""Conductors of workloads whose runs must equal the plain loop's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

from like_steps import PARALLEL

from bench.contract.records import Arm
from bench.observe.journal import Journal
from bench.observe.store import Store
from bench.plan.workloads import Workload, sized
from bench.run.conductor import EFFECTS, Conductor, inline_command
from bench.run.observation import Observation
from bench.run.source import Source
from bench.session.supervisor import Supervisor
from bench.session.workspace import PARALLELISM, clean_environment, make_scratch
from core.instrument.config import Fault

LONGER_THAN_STARTS_S = 6.0
"""So long a step lasts that others have started meanwhile, however slowly an engine starts them."""
WIDE = sized(PARALLEL, PARALLELISM + 1)
Judge = Callable[[Workload], Conductor]


def judged(engine: str, store: Store, source: Source, oracle: Journal) -> Judge:
    """A conductor for a workload, with the plain loop's run of it as the oracle."""
    plain = Conductor(store, source, Arm(engine="inline", mode="local"), f"{engine}-inline", Journal())
    arm = Arm(engine=engine, track="tuned", mode="served")
    numbers = count(1)  # no two runs may have one folder

    def conductor(workload: Workload) -> Conductor:
        label = f"{engine}-{next(numbers)}-{workload.label}"
        own = Conductor(store, source, arm, label, oracle, workload=workload)
        if workload == own_of(source):
            return own
        scratch = make_scratch()
        environment = clean_environment(scratch, Path("/usr/bin"))
        with Supervisor(scratch, environment, store.folder / "logs" / "inline") as supervisor:
            inline = replace(plain, workload=workload)
            run, config = inline.prepare(scratch / EFFECTS)
            return replace(own, oracle=inline.process(supervisor, inline_command(config), run).journal)

    return conductor


def own_of(source: Source) -> Workload:
    """The pipeline whose data these are."""
    return Workload(source.pipeline.name)


def objections(seen: Observation) -> list[str]:
    return [f"{v.checker}: {v.verdict}: {v.reason}" for v in seen.verdicts if v.verdict != "pass"]


def slow_steps(workload: Workload) -> tuple[Fault, ...]:
    (many,) = (step for step in workload.graph if step.many)
    work = [many.instance(index).name for index in range(1, workload.size + 1)]
    return tuple(Fault(name, "slow", attempts=0, seconds=LONGER_THAN_STARTS_S) for name in work)

"""Opens the session of an arm in which its questions are measured."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.contract import registry
from bench.contract.records import Arm
from bench.contract.workspace import STEP_TIMEOUT_S
from bench.observe.describing import describe
from bench.observe.journal import Journal
from bench.plan.arms import VERSION
from bench.plan.cell import Planned
from bench.plan.workloads import Workload
from bench.questions.bound import Bound
from bench.questions.ledger import Ledger
from bench.run.conductor import Conductor
from bench.run.phases import spread
from bench.session import environments
from bench.session.bring_up import open_session
from bench.session.supervisor import Supervisor
from bench.session.workspace import clean_environment, make_scratch

TIMEOUT_FACTOR = 10.0
"""A step's time limit is at least so many times what the slowest step takes without an engine."""


@contextmanager
def opened(ledger: Ledger, planned: Planned, number: int) -> Iterator[Bound]:
    """The session with that number, with nothing started in it yet."""
    logs = ledger.store.folder / "logs" / f"{number:03d}-{planned.name}-{planned.track}"
    if planned.loop:
        scratch = make_scratch()
        with Supervisor(scratch, clean_environment(scratch / "home", Path("/usr/bin")), logs) as supervisor:
            yield Bound(ledger, planned, _conductor(ledger, planned, number, ""), supervisor, scratch)
        return
    kind = registry.adapter(planned.engine)
    environment = environments.require(planned.environment)
    version = kind.install.version(environment)
    slowest_s = max(ledger.inline_s(Workload(planned.pipeline)).values(), default=0.0)
    limit_s = max(planned.step_timeout_s or STEP_TIMEOUT_S, TIMEOUT_FACTOR * slowest_s)
    with open_session(
        kind, planned.track, environment, logs, planned.deployed,
        variants=planned.variants, limited=planned.limited, storage=planned.storage, step_timeout_s=limit_s,
    ) as session:  # fmt: skip
        describe(ledger.manifest, ledger.store, session)
        conductor = _conductor(ledger, planned, number, version)
        yield Bound(ledger, planned, conductor, session.supervisor, session.scratch, session)


def _conductor(ledger: Ledger, planned: Planned, number: int, version: str) -> Conductor:
    track, mode = ("none", "local") if planned.loop else (str(planned.track), "served")
    arm = Arm(engine=planned.name, version=version, track=track, mode=mode)  # type: ignore[arg-type]
    label = f"{number:03d}-{planned.name.replace(VERSION, '-')}" + ("" if planned.loop else f"-{track}")
    start = random.Random(f"offsets {ledger.manifest.seed} {label}").random()  # noqa: S311 - an offset
    workload = Workload(planned.pipeline)
    return Conductor(
        ledger.store, ledger.source(planned.pipeline), arm, label, ledger.oracles.get(workload, Journal()),
        workload=workload, session=number, block=planned.block, phases=spread(start),
    )  # fmt: skip

"""`python reach_arms.py RESULT SIZE...`: conduct the toy pipeline in each size, by the plain loop and by the engine."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.contract import registry
from bench.contract.records import Arm
from bench.contract.words import Track
from bench.observe.journal import Journal
from bench.observe.store import Store
from bench.plan.workloads import Workload
from bench.run.conductor import EFFECTS, Conductor, inline_command
from bench.run.source import Source, generated
from bench.session import environments
from bench.session.bring_up import Session, open_session
from core.declaration import Shaped, pipeline

NAME = ENGINE = "toy"


def conduct(session: Session, store: Store, source: Source, size: int) -> None:
    workload = Workload.make(NAME, n=size)
    plain = Conductor(store, source, Arm(engine="inline", mode="local"), f"inline-{size}", Journal(), workload=workload)
    run, config = plain.prepare(session.scratch / EFFECTS)
    oracle = plain.process(session.supervisor, inline_command(config), run).journal
    arm = Arm(engine=ENGINE, track="tuned", mode="served")
    Conductor(store, source, arm, f"{ENGINE}-{size}", oracle, workload=workload).served(session)


def main(folder: Path, sizes: list[int]) -> None:
    store, source = Store(folder), generated(pipeline(NAME), folder / "data", seed=7)
    environment = environments.require(ENGINE)
    with open_session(registry.adapter(ENGINE), Track.TUNED, environment, folder / "logs", (Shaped(NAME),)) as session:
        session.bring_up()
        for size in sizes:
            conduct(session, store, source, size)


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(size) for size in sys.argv[2:]])

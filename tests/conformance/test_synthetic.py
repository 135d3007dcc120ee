"""What every adapter must do with the synthetic pipelines and its other isolations, on a served, tuned engine."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from pathlib import Path

import msgspec
import pytest
from like_steps import LOCAL, PARALLEL, SERVED

from bench.contract.records import Arm
from bench.observe.journal import Journal, most_at_once
from bench.observe.store import Store
from bench.plan.workloads import Workload, sized
from bench.run.conductor import EFFECTS, Conductor, inline_command
from bench.run.observation import Observation
from bench.run.source import Source
from bench.session.bring_up import Session
from bench.session.supervisor import Supervisor
from bench.session.workspace import PARALLELISM, clean_environment, make_scratch
from core.instrument.config import Fault

LONGER_THAN_STARTS_S = 6.0
"""So long a step lasts that others have started meanwhile, however slowly an engine starts them."""
WIDE = sized(PARALLEL, PARALLELISM + 1)
Judge = Callable[[Workload], Conductor]


@pytest.fixture(scope="session")
def judge(engine: str, store: Store, source: Source, oracle: Journal) -> Judge:
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


@pytest.mark.parametrize("workload", SERVED, ids=lambda workload: workload.label)
def test_served_run_equals_inline(workload: Workload, judge: Judge, limited: Session) -> None:
    conductor = judge(workload)
    seen = conductor.served(limited)
    assert seen.run.outcome == "completed"
    assert not objections(seen)
    assert seen.state
    assert set(seen.state.steps) == set(conductor.oracle.steps())
    assert limited.endpoint.status(seen.run.engine_run_id) == seen.state.status


def slow_steps(workload: Workload) -> tuple[Fault, ...]:
    (many,) = (step for step in workload.graph if step.many)
    work = [many.instance(index).name for index in range(1, workload.size + 1)]
    return tuple(Fault(name, "slow", attempts=0, seconds=LONGER_THAN_STARTS_S) for name in work)


@pytest.mark.thorough
def test_a_limit_of_steps_at_once_holds_within_each_run_alone(judge: Judge, session: Session) -> None:
    assert session.workspace.at_once_over_all is None
    conductor = judge(WIDE)
    seen = conductor.at_once(session, 2, slow_steps(WIDE))
    assert not [said for one in seen for said in objections(one)]
    assert all(one.state and set(one.state.steps) == set(conductor.oracle.steps()) for one in seen)
    assert all(1 < most_at_once(one.journal) <= session.workspace.parallelism for one in seen)
    assert most_at_once(*(one.journal for one in seen)) > session.workspace.parallelism, (
        "runs are held by another limit"
    )


@pytest.mark.thorough
def test_a_limit_of_steps_at_once_holds_over_all_runs(judge: Judge, limited: Session, source: Source) -> None:
    """Of the pipeline's own code beside runs of the binding: no slot is free while it wants one."""
    beside = judge(own_of(source))
    with ThreadPoolExecutor(1) as aside:
        begun = aside.submit(beside.served, limited)
        seen = [*judge(WIDE).at_once(limited, 2, slow_steps(WIDE)), begun.result()]
    assert not [said for one in seen for said in objections(one)]
    spans = [(one.journal.first_start_ns() or 0, one.journal.last_end_ns() or 0) for one in seen]
    assert max(start for start, _ in spans) < min(end for _, end in spans), "no instant at which all were under way"
    assert limited.workspace.at_once_over_all is not None
    assert most_at_once(*(one.journal for one in seen)) == limited.workspace.at_once_over_all


def test_each_other_isolation_equals_inline_and_is_what_it_says(judge: Judge, limited: Session, source: Source) -> None:
    for variant in limited.adapter.variants:
        conductor = judge(own_of(source))
        arm = msgspec.structs.replace(conductor.arm, engine=f"{conductor.arm.engine}-{variant.name}")
        seen = replace(conductor, arm=arm, variant=variant, label=f"{conductor.label}-{variant.name}").served(limited)
        assert seen.run.outcome == "completed"
        assert not objections(seen)
        assert seen.run.isolation == variant.isolation
        assert variant.source.startswith("https://")


def test_polling_intervals_are_documented(session: Session) -> None:
    for one in session.adapter.polling():
        assert one.seconds > 0, one
        assert one.source.startswith("https://"), one


@pytest.mark.parametrize("workload", LOCAL, ids=lambda workload: workload.label)
def test_local_run_equals_inline(workload: Workload, judge: Judge, local: Session) -> None:
    conductor = judge(workload)
    arm, label = msgspec.structs.replace(conductor.arm, mode="local"), f"{conductor.label}-local"
    own = replace(conductor, arm=arm, label=label)
    run, config = own.prepare(local.scratch / "local-effects")
    seen = own.process(local.supervisor, local.adapter.local(workload.offered, config), run)
    assert seen.run.outcome == "completed"
    assert not objections(seen)

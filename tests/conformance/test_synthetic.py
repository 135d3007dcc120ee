"""What every adapter must do with the synthetic pipelines and its other isolations, on a served, tuned engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from like_steps import LOCAL, PARALLEL, SERIES, SERVED

from bench.contract.records import Arm
from bench.observe.journal import Journal
from bench.observe.store import Store
from bench.plan.workloads import Workload, sized
from bench.run.conductor import EFFECTS, Conductor, inline_command
from bench.run.observation import Observation
from bench.run.source import Source
from bench.session.bring_up import Session
from bench.session.supervisor import Supervisor
from bench.session.workspace import clean_environment, make_scratch
from core.instrument.config import Fault

LONGER_THAN_A_START_S = 3.0
"""So long a step lasts that the next one has started meanwhile, however slowly an engine starts them."""
Judge = Callable[[Workload], Conductor]


@pytest.fixture(scope="session")
def judge(engine: str, store: Store, source: Source, oracle: Journal) -> Judge:
    """A conductor for a workload, with the plain loop's run of it as the oracle."""
    plain = Conductor(store, source, Arm(engine="inline", mode="local"), f"{engine}-inline", Journal())
    arm = Arm(engine=engine, track="tuned", mode="served")

    def conductor(workload: Workload) -> Conductor:
        own = Conductor(store, source, arm, f"{engine}-{workload.label}", oracle, workload=workload)
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
def test_served_run_equals_inline(workload: Workload, judge: Judge, session: Session) -> None:
    conductor = judge(workload)
    seen = conductor.served(session)
    assert seen.run.outcome == "completed"
    assert not objections(seen)
    assert seen.state
    assert set(seen.state.steps) == set(conductor.oracle.steps())


def test_steps_of_a_fan_out_run_at_once_but_no_more_than_allowed(judge: Judge, session: Session) -> None:
    workload = sized(PARALLEL, 8)
    (many,) = (step for step in workload.graph if step.many)
    work = [many.instance(index).name for index in range(1, workload.size + 1)]
    slow = tuple(Fault(name, "slow", attempts=0, seconds=LONGER_THAN_A_START_S) for name in work)
    attempts = [one for one in judge(workload).served(session, faults=slow).journal.attempts if one.step in work]
    at_once = [sum(a.start_ns <= one.start_ns < (a.end_ns or 0) for a in attempts) for one in attempts]
    assert 1 < max(at_once) <= session.workspace.parallelism


def test_what_is_measured_is_served_beside_them(judge: Judge, session: Session, source: Source) -> None:
    seen = judge(own_of(source)).served(session)
    assert seen.run.outcome == "completed"
    assert not objections(seen)


def test_each_other_isolation_equals_inline_and_is_what_it_says(judge: Judge, session: Session, source: Source) -> None:
    for variant in session.adapter.variants:
        conductor = judge(own_of(source))
        arm = msgspec.structs.replace(conductor.arm, engine=f"{conductor.arm.engine}-{variant.name}")
        seen = replace(conductor, arm=arm, variant=variant, label=f"{conductor.label}-{variant.name}").served(session)
        assert seen.run.outcome == "completed"
        assert not objections(seen)
        assert seen.run.isolation == variant.isolation
        assert variant.source.startswith("https://")


def test_polling_intervals_are_documented(session: Session) -> None:
    for one in session.adapter.polling():
        assert one.seconds > 0, one
        assert one.source.startswith("https://"), one


def test_status_agrees_with_state(judge: Judge, session: Session) -> None:
    seen = judge(sized(SERIES, 2)).served(session)
    assert session.endpoint.status(seen.run.engine_run_id) == session.endpoint.state(seen.run.engine_run_id).status


@pytest.mark.parametrize("workload", LOCAL, ids=lambda workload: workload.label)
def test_local_run_equals_inline(workload: Workload, judge: Judge, local: Session) -> None:
    conductor = judge(workload)
    arm, label = msgspec.structs.replace(conductor.arm, mode="local"), f"{conductor.label}-local"
    own = replace(conductor, arm=arm, label=label)
    run, config = own.prepare(local.scratch / "local-effects")
    seen = own.process(local.supervisor, local.adapter.local(workload.offered, config), run)
    assert seen.run.outcome == "completed"
    assert not objections(seen)

"""What every adapter must do with the synthetic pipelines and its other isolations, on a served, tuned engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from bench.contract import registry
from bench.contract.records import Arm
from bench.contract.words import Track
from bench.observe.history import History
from bench.observe.store import Store
from bench.plan.workloads import Workload
from bench.run.conductor import Conductor, Observation, inline_command
from bench.run.source import Source
from bench.session import environments
from bench.session.bring_up import Session, open_session
from bench.session.supervisor import Supervisor
from bench.session.workspace import clean_environment, make_scratch
from core.instrument.config import Fault

CHAINS = (2, 5)
LONGER_THAN_A_START_S = 3.0
"""So long a step lasts that the next one has started meanwhile, however slowly an engine starts them."""
SERVED = (
    Workload.make("chain", n=5, fib=10),
    Workload.make("fan_out", n=7),
    Workload.make("chain", n=2, payload_bytes=100_000, channel="engine"),
    Workload.make("chain", n=2, payload_bytes=100_000, channel="reference"),
)
LOCAL = (Workload.make("chain", n=2), Workload.make("fan_out", n=2))

Judge = Callable[[Workload], Conductor]


@pytest.fixture(scope="module")
def session(engine: str, store: Store) -> Iterator[Session]:
    """The engine, up on the tuned track, with the synthetic pipelines beside the training pipeline."""
    environment, logs = environments.require(engine), store.folder / "logs" / f"{engine}-synthetic"
    with open_session(registry.adapter(engine), Track.TUNED, environment, logs, CHAINS) as opened:
        opened.bring_up()
        yield opened


@pytest.fixture(scope="module")
def judge(engine: str, store: Store, source: Source, oracle: History) -> Judge:
    """A conductor for a workload, with the plain loop's run of it as the oracle."""
    plain = Conductor(store, source, Arm(engine="inline", mode="local"), f"{engine}-inline", History())
    arm = Arm(engine=engine, track="tuned", mode="served")

    def conductor(workload: Workload) -> Conductor:
        own = Conductor(store, source, arm, f"{engine}-{workload.label}", oracle, workload=workload)
        if workload == Workload("training"):
            return own
        scratch = make_scratch()
        environment = clean_environment(scratch, Path("/usr/bin"))
        with Supervisor(scratch, environment, store.folder / "logs" / "inline") as supervisor:
            inline = replace(plain, workload=workload)
            run, config = inline.prepare(scratch / "effects")
            return replace(own, oracle=inline.process(supervisor, inline_command(config), run).history)

    return conductor


def objections(seen: Observation) -> list[str]:
    return [f"{v.checker}: {v.verdict}: {v.reason}" for v in seen.verdicts if v.verdict != "pass"]


@pytest.mark.parametrize("workload", SERVED, ids=lambda workload: workload.label)
def test_served_run_equals_inline(workload: Workload, judge: Judge, session: Session) -> None:
    seen = judge(workload).served(session)
    assert seen.run.outcome == "completed"
    assert not objections(seen)
    assert seen.state
    assert set(seen.state.steps) == {step.name for step in workload.pipeline.steps}


def test_steps_of_a_fan_out_run_at_once_but_no_more_than_allowed(judge: Judge, session: Session) -> None:
    workload = Workload.make("fan_out", n=8)
    work = [step.name for step in workload.pipeline.steps if step.function == "work"]
    slow = tuple(Fault(name, "slow", attempts=0, seconds=LONGER_THAN_A_START_S) for name in work)
    attempts = [one for one in judge(workload).served(session, faults=slow).history.attempts if one.step in work]
    at_once = [sum(a.start_ns <= one.start_ns < (a.end_ns or 0) for a in attempts) for one in attempts]
    assert 1 < max(at_once) <= session.workspace.parallelism


def test_training_is_served_beside_them(judge: Judge, session: Session) -> None:
    seen = judge(Workload("training")).served(session)
    assert seen.run.outcome == "completed"
    assert not objections(seen)


def test_each_other_isolation_equals_inline_and_is_what_it_says(judge: Judge, session: Session) -> None:
    for variant in session.adapter.variants:
        conductor = judge(Workload("training"))
        arm = msgspec.structs.replace(conductor.arm, engine=f"{conductor.arm.engine}-{variant.name}")
        seen = replace(conductor, arm=arm, variant=variant, label=f"{conductor.label}-{variant.name}").served(session)
        assert seen.run.outcome == "completed"
        assert not objections(seen)
        assert seen.run.isolation == variant.isolation
        assert variant.source.startswith("https://")


def test_polling_intervals_are_documented(session: Session) -> None:
    found = session.adapter.polling()
    assert found
    assert all(one.seconds > 0 and one.source.startswith("https://") for one in found)


def test_status_agrees_with_state(judge: Judge, session: Session) -> None:
    seen = judge(Workload.make("chain", n=2)).served(session)
    assert session.endpoint.status(seen.run.engine_run_id) == session.endpoint.state(seen.run.engine_run_id).status


@pytest.mark.parametrize("workload", LOCAL, ids=lambda workload: workload.label)
def test_local_run_equals_inline(workload: Workload, judge: Judge, session: Session) -> None:
    home = session.workspace.home / "local"
    if not home.exists():
        for number, command in enumerate(session.adapter.local_initialise(), 1):
            session.supervisor.run(f"local-initialise-{number}", command)
    conductor = judge(workload)
    local = replace(
        conductor, arm=msgspec.structs.replace(conductor.arm, mode="local"), label=f"{conductor.label}-local"
    )
    run, config = local.prepare(session.scratch / "local-registry")
    seen = local.process(session.supervisor, session.adapter.local(workload.deployed, config), run)
    assert seen.run.outcome == "completed"
    assert not objections(seen)

"""What every adapter must do with the synthetic pipelines and its other isolations, on a served, tuned engine."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import msgspec
import pytest
from judging import WIDE, Judge, objections, own_of, slow_steps
from like_steps import LOCAL, SERVED

from bench.observe.journal import most_at_once
from bench.plan.workloads import Workload
from bench.run.conductor import Conductor
from bench.run.source import Source
from bench.session.bring_up import Session


@pytest.mark.parametrize("workload", SERVED, ids=lambda workload: workload.label)
def test_served_run_equals_inline(workload: Workload, judge: Judge, limited: Session) -> None:
    conductor = judge(workload)
    seen = conductor.served(limited)
    assert seen.run.outcome == "completed"
    assert not objections(seen)
    assert seen.state
    assert set(seen.state.steps) == set(conductor.oracle.steps())
    assert limited.endpoint.status(seen.run.engine_run_id) == seen.state.status


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


def test_polling_intervals_are_documented(limited: Session) -> None:
    for one in limited.adapter.polling():
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


def test_local_mode_equals_inline(conductor: Conductor, local: Session) -> None:
    arm, label = msgspec.structs.replace(conductor.arm, mode="local"), f"{conductor.label}-local"
    own = replace(conductor, arm=arm, label=label)
    run, config = own.prepare(local.scratch / "local-effects")
    seen = own.process(local.supervisor, local.adapter.local(own.workload.offered, config), run)
    assert seen.run.outcome == "completed"
    assert seen.right

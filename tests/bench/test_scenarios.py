"""Scenarios as data: each aimed at a pipeline's own steps; what is conducted at once cannot get in its own way."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.contract.targets import Target
from bench.contract.words import Status, Track
from bench.plan.budgets import BUDGETS, Budget, chosen
from bench.plan.priced import Ask
from bench.plan.scenarios import SCENARIOS, WAITING, batches, of_budget, of_topic, topic
from bench.plan.scenarios.outside import AT_WORK
from bench.plan.scenarios.record import Expected, Moment, Scenario, When
from bench.questions.recovery import question
from bench.session.workspace import PARALLELISM
from core.declaration import Part, pipeline, pipelines

TRAINING = pipeline("training")
FAN_OUT = pipeline("fan_out")
keys = st.lists(st.sampled_from(list(SCENARIOS)), unique=True)


@given(keys)
def test_each_scenario_is_in_one_batch(wanted: list[str]) -> None:
    found = list(batches(wanted))
    assert sorted(key for batch in found for key in batch) == sorted(wanted)
    assert [batch[0] for batch in found if len(batch) == 1] == [
        key for key in wanted if not any(key in group and len(set(group) & set(wanted)) > 1 for group in WAITING)
    ]


def asked(budget: Budget) -> list[tuple[str, ...]]:
    return [one.names for one in question.scenario_cells(Ask(budget, Track.TUNED, 1, 7, {}, "training"))]


def test_two_scenarios_are_run_four_times_where_nothing_but_recovery_is_asked_for() -> None:
    """Four of four against none of four is the least that tells two engines apart by one scenario."""
    budget = chosen({"budget": "standard", "only": ["recovery"]})
    assert budget.limit_s == 110 * 60
    topics = [name for names in asked(budget) for name in names]
    assert len(topics) == len(set(topics))  # each a cell of its own, so that a job can be resumed between them
    times = Counter(of_topic(name).key for name in topics)
    assert {key: n for key, n in times.items() if n > 1} == {"step_killed": 4, "resume_after_fix": 4}
    assert set(times) == set(SCENARIOS)
    followed = [of_topic(name).key for name in topics]
    assert all(one != other for one, other in pairwise(followed))


@pytest.mark.parametrize("name", BUDGETS)
def test_every_other_budget_runs_each_scenario_once(name: str) -> None:
    topics = [one for names in asked(BUDGETS[name]) for one in names]
    assert sorted(topics) == sorted(BUDGETS[name].scenarios)


@given(st.sampled_from(list(SCENARIOS)), st.integers(1, 9))
def test_a_cell_names_its_scenario(key: str, time: int) -> None:
    assert of_topic(topic(key, time)) is SCENARIOS[key]
    assert (topic(key, time) == key) == (time == 1)


def test_batches_strike_nothing_that_their_runs_share() -> None:
    for group in WAITING:
        assert len(group) <= PARALLELISM
        together = [SCENARIOS[key] for key in group]
        assert not any(one.remedy for one in together)
        assert {one.nemesis.target for one in together if one.nemesis} <= {Target.STEP, Target.RUN}


def test_larger_budgets_hold_what_smaller_ones_hold_and_that_first() -> None:
    quick, standard, full = (of_budget(name) for name in ("quick", "standard", "full"))
    assert standard[: len(quick)] == quick
    assert full[: len(standard)] == standard
    assert set(full) == set(of_budget("alone")) == set(SCENARIOS)


@pytest.mark.parametrize("key", SCENARIOS)
def test_every_scenario_can_be_aimed_at_a_pipeline_with_every_part(key: str) -> None:
    scenario = SCENARIOS[key]
    assert not scenario.absent(TRAINING)
    aimed = scenario.of(TRAINING)
    graph = TRAINING.graph({})
    assert {fault.step for fault in aimed.faults} <= {aimed.step} <= {"", *(step.name for step in graph)}
    assert scenario.title
    assert "" not in scenario.budgets


@pytest.mark.parametrize("key", SCENARIOS)
@pytest.mark.parametrize("name", [one.name for one in pipelines()])
def test_a_scenario_is_aimed_at_a_pipeline_or_says_why_not(name: str, key: str) -> None:
    own, scenario = pipeline(name), SCENARIOS[key]
    if reason := scenario.absent(own):
        assert reason.startswith("the pipeline ")
        return
    step = scenario.of(own).step
    assert not step or own.graph({}).declared(step)


def test_parts_are_steps_only_where_a_scenario_is_conducted() -> None:
    aimed = SCENARIOS["scheduler_killed"].of(TRAINING)
    assert (aimed.step, str(aimed.nemesis.at if aimed.nemesis else "")) == ("train", "in train")
    assert [(fault.step, fault.kind) for fault in aimed.faults] == [("train", "slow_after")]
    assert SCENARIOS["killed_before_acknowledgement"].of(TRAINING).step == "deploy"
    assert SCENARIOS["empty_output"].of(TRAINING).step == "features"


def test_of_many_like_steps_the_first_of_those_that_ran_suffers() -> None:
    mapped = replace(FAN_OUT, parts={Part.HEAVY: "work"})
    aimed = SCENARIOS["scheduler_killed"].of(mapped, ("plan", "work_0001", "work_0002", "gather"))
    assert aimed.step == "work_0001"
    assert aimed.nemesis
    assert aimed.nemesis.at == Moment(When.IN, "work_0001")


def test_a_pipeline_without_the_part_says_so() -> None:
    without = replace(TRAINING, parts={Part.HEAVY: "train"}, companions={})
    assert SCENARIOS["empty_output"].absent(without) == "the pipeline declares no early step"
    assert SCENARIOS["roll_back"].absent(without) == "the pipeline has nothing beside it for: roll back"
    assert not SCENARIOS["step_killed"].absent(without)


def test_what_is_forbidden_is_said_of_a_part_too() -> None:
    refused = Scenario(
        key="bad_data", title="Data that must be refused", suffers=Part.EARLY,
        expected=Expected((Status.FAILED,), forbidden=(Part.EFFECT,)),
    )  # fmt: skip
    assert refused.of(TRAINING).expected.forbidden == ("deploy",)
    assert refused.absent(FAN_OUT) == "the pipeline declares no effect step"


def test_a_moment_in_a_part_is_no_step_yet() -> None:
    assert str(AT_WORK) == "in heavy"

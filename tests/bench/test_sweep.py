"""Points of the kill-point sweep: drawn by the seed, all different, none that the engine does not have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.contract.errors import UsageError
from bench.contract.targets import Target
from bench.plan import sweep
from bench.plan.scenarios.record import INTO_S, MIDDLE_S, Action, Moment, Scenario, When
from bench.plan.sweep import TARGETS, Sweep, checked, chosen, moments
from core.declaration import pipeline

TRAINING, FAN_OUT = pipeline("training"), pipeline("fan_out")
STEPS = tuple(step.name for step in TRAINING.graph({}) if step.name != "notify")
"""Those that run when the model is good enough."""
MOMENTS = moments(TRAINING.graph({}), STEPS)
SOME = st.sets(st.sampled_from(TARGETS))
OF_WORK = {Target.STEP, Target.RUN}


def draw(wanted: Sweep, absent: Collection[Target], of_step: Collection[Target], seed: int) -> tuple[Scenario, ...]:
    return sweep.draw(wanted, at(*wanted.at), absent, of_step, seed)


def at(*words: str) -> tuple[Moment, ...]:
    return chosen(Sweep(at=words), TRAINING, TRAINING.graph({}), STEPS)


@given(seed=st.integers(), points=st.integers(0, 400), absent=SOME, of_step=SOME)
def test_points_are_what_was_asked_for(seed: int, points: int, absent: set[Target], of_step: set[Target]) -> None:
    drawn = draw(Sweep(points), absent, of_step, seed)
    assert drawn == draw(Sweep(points), absent, of_step, seed)
    assert len(drawn) == len({one.key for one in drawn}) == (points if absent < set(TARGETS) else 0)
    struck = [one.nemesis for one in drawn if one.nemesis]
    assert len(struck) == len(drawn)
    assert not {one.target for one in struck} & absent
    assert all(one.at.when is When.IN for one in struck if one.target in of_step)


def test_every_target_is_met_at_every_boundary_and_middle_before_any_other_instant() -> None:
    services = [target for target in TARGETS if target not in OF_WORK]
    every = len(MOMENTS) * len(services) + len(STEPS) * len(OF_WORK)
    struck = [one.nemesis for one in draw(Sweep(200), (), OF_WORK, 1) if one.nemesis]
    assert {one.at.into_s for one in struck[:every]} == {INTO_S}
    met = Counter((one.target, str(one.at)) for one in struck[:every])
    assert len(met) == every
    later = [one.at for one in struck[every:]]
    assert len(later) == 200 - every
    assert all(at.when is When.IN and 0 <= at.into_s <= MIDDLE_S for at in later)


def test_targets_are_struck_in_turn() -> None:
    struck = Counter(one.nemesis.target for one in draw(Sweep(20), {Target.RUN}, {Target.STEP}, 1) if one.nemesis)
    assert struck == dict.fromkeys(set(TARGETS) - {Target.RUN}, 4)


def test_points_without_an_instant_are_as_many_as_there_are() -> None:
    (one,) = draw(Sweep(5, targets=(Target.API,), at=("submit",)), (), (), 1)
    assert one.key == "kill-api-during-submit"


def test_points_of_one_place_are_at_different_instants() -> None:
    one, *others = draw(Sweep(5, targets=(Target.API,), at=("in:train",)), (), (), 1)
    assert one.key == "kill-api-in-train"
    assert len({other.nemesis.at.into_s for other in others if other.nemesis}) == 4


def test_seeds_draw_different_points() -> None:
    assert draw(Sweep(20), (), (), 1) != draw(Sweep(20), (), (), 2)


@given(seed=st.integers(), number=st.integers(0, 30))
def test_in_the_place_of_a_point_the_same_target_is_struck_within_steps(seed: int, number: int) -> None:
    missed = draw(Sweep(40, (Action.KILL, Action.PAUSE)), (), OF_WORK, seed)[number]
    found = sweep.spares(missed, MOMENTS, seed)
    assert found == sweep.spares(missed, MOMENTS, seed)
    assert len({one.key for one in (missed, *found)}) == 1 + sweep.SPARES
    for one in found:
        assert one.nemesis
        assert missed.nemesis
        assert (one.nemesis.action, one.nemesis.target) == (missed.nemesis.action, missed.nemesis.target)
        assert one.nemesis.at.when is When.IN
        assert one.faults  # the step lasts long enough to be met


def test_where_no_step_is_struck_within_nothing_is_struck_instead() -> None:
    submitting = at("submit")
    (one,) = draw(Sweep(1, targets=(Target.API,), at=("submit",)), (), (), 1)
    assert sweep.spares(one, submitting, 1) == ()


def test_a_step_struck_in_its_middle_lasts_long_enough() -> None:
    (one,) = draw(Sweep(1, targets=(Target.API,), at=("in:heavy",)), (), (), 1)
    assert one.key == "kill-api-in-train"
    assert [(fault.step, fault.kind, fault.attempts) for fault in one.of(TRAINING).faults] == [
        ("train", "slow_after", 0)
    ]
    assert one.nemesis
    assert one.nemesis.action is Action.KILL


def test_words_for_points() -> None:
    assert at("submit") == (Moment(When.SUBMIT),)
    assert set(at("train")) == set(at("heavy")) == {Moment(When.BEFORE, "train"), Moment(When.IN, "train")}
    assert at("in:train") == at("in:heavy") == (Moment(When.IN, "train"),)
    assert at("last", "early") == tuple(one for one in MOMENTS if one.step in ("features", "cleanup"))
    assert at() == MOMENTS
    assert len(MOMENTS) == 2 * len(STEPS) - 1  # nothing happens before the first step


def test_a_word_for_many_like_steps_names_each_that_ran() -> None:
    ran = ("plan", "work_0001", "work_0002", "gather")
    each = [Moment(When.IN, "work_0001"), Moment(When.IN, "work_0002")]
    assert list(chosen(Sweep(at=("in:work",)), FAN_OUT, FAN_OUT.graph({}), ran)) == each
    assert list(chosen(Sweep(at=("in:work_0002",)), FAN_OUT, FAN_OUT.graph({}), ran)) == each[1:]


def test_a_plan_foresees_the_arm_that_is_a_part() -> None:
    assert moments(TRAINING.graph({}), sweep.foreseen(TRAINING)) == MOMENTS
    assert Moment(When.IN, "work_0001") in moments(FAN_OUT.graph({}), sweep.foreseen(FAN_OUT))


def test_a_step_that_the_plain_loop_did_not_run_is_no_point() -> None:
    with pytest.raises(UsageError, match="--at notify: no such step ran in the plain loop"):
        at("notify")


@pytest.mark.parametrize("text", ["", "tea", "after:train", "train:in"])
def test_a_word_that_names_no_point_is_told(text: str) -> None:
    with pytest.raises(UsageError, match=f"--at {text}: not a point; write submit"):
        checked(text, TRAINING)


def test_a_part_that_a_pipeline_does_not_declare_is_no_point() -> None:
    with pytest.raises(UsageError, match="--at effect: not a point"):
        checked("effect", FAN_OUT)

"""The plan: fair in every block, drawn from the seed alone, and within the budget."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.analyse.noise import detectable_ratio
from bench.contract.errors import UsageError
from bench.contract.registry import adapter
from bench.contract.targets import OfRole, OfStep, Target
from bench.contract.words import Track, Unsupported
from bench.plan.arms import AGAIN, INLINE, Arm, arms, cheapest
from bench.plan.budgets import BUDGETS, Budget, chaos_budget, chosen
from bench.plan.cell import Cell, blocks, sessions
from bench.plan.costs import RENDER_S, SESSION_S, Clock, Estimates
from bench.plan.pipelines import default
from bench.plan.planner import plan
from bench.plan.priced import ONLY_BLOCKS, Needs
from bench.plan.repeats import of_engines
from bench.plan.repeats import planned as planned_repeats
from bench.plan.scenarios import SCENARIOS, of_budget
from bench.plan.workloads import Workload
from bench.questions.discovery import groups, questions
from bench.questions.runtime import RUN_S

ENGINES = ["airflow", "dagster", "prefect"]
QUESTIONS = {one.key: one for one in questions()}
TARGETS = {
    name: {
        Target.STEP: Unsupported("none"),
        Target.RUN: OfStep("conducts one run"),
        Target.API: OfRole("server", "answers"),
    }
    for name in ENGINES
}
budgets = st.sampled_from(list(BUDGETS.values()))
engines = st.lists(st.sampled_from([*ENGINES, "fourth"]), unique=True, min_size=1)
some_groups = st.lists(st.sampled_from(groups()), unique=True)
seeds = st.integers(0, 2**32)
some = settings(deadline=None, max_examples=20)
"""A plan of the largest budget has thousands of cells."""


def queue(budget: Budget, names: Sequence[str], only: list[str], seed: int, pipelines: tuple[str, ...]) -> list[Cell]:
    wanted = arms(budget, names, budget.tracks, pipelines, "prefect")
    return plan(budget, questions(), wanted, only, seed=seed, targets=TARGETS)


def planned(budget: Budget, names: Sequence[str], only: list[str], seed: int) -> list[list[list[Cell]]]:
    """By block and session."""
    return [sessions(block) for block in blocks(queue(budget, names, only, seed, ("training",)))]


def keys(session: Sequence[Cell]) -> list[str]:
    return [one.question.key for one in session]


@some
@given(budgets, engines, seeds)
def test_every_block_holds_each_arm_once(budget: Budget, names: list[str], seed: int) -> None:
    for number, block in enumerate(planned(budget, names, [], seed), 1):
        tracks = [track for track in budget.tracks if number <= budget.often[track].blocks]
        expected = {(name, track) for name in names for track in tracks}
        if budget.again and "prefect" in names:
            expected.add(("prefect" + AGAIN, Track.TUNED))
        met = [(one[0].planned.name, one[0].planned.track) for one in block if "samples" in keys(one)]
        assert len(met) == len(set(met))
        assert set(met) == expected
        assert sum(one[0].planned.name == INLINE for one in block) == 1
        assert {one[0].planned.block for one in block} == {number}


@some
@given(budgets, engines, some_groups, seeds)
def test_no_session_is_opened_twice_or_for_nothing(
    budget: Budget, names: list[str], only: list[str], seed: int
) -> None:
    for block in planned(budget, names, only, seed):
        opened = [one[0].planned for one in block]
        assert len({(one.name, one.track, one.topic) for one in opened}) == len(opened)
        for session in block:
            if "setup" not in (only or groups()) and not session[0].planned.loop:
                assert keys(session) != ["first"]


@some
@given(budgets, engines, some_groups, seeds)
def test_what_is_run_is_deployed_and_was_run_inline(
    budget: Budget, names: list[str], only: list[str], seed: int
) -> None:
    known: set[Workload] = set()
    for block in planned(budget, names, only, seed):
        known |= {workload for one in block if one[0].planned.loop for workload in one[0].planned.workloads}
        for session in block:
            one = session[0].planned
            assert set(one.workloads) <= known
            if one.loop:
                continue
            asked = [cell.question for cell in session]
            served = any(question.needs is Needs.UP for question in asked)
            assert served == ("first" in keys(session)), "what needs no server has none brought up"
            probed = budget.thorough and any(question.companions for question in asked)
            assert bool(one.workloads) == any(question.workloads(budget) for question in asked)
            assert one.operations == probed
            assert not probed or one.chains
            assert {each.size for each in one.workloads if each.declared.fixed_by} <= set(one.chains)


@some
@given(budgets, engines, some_groups, seeds)
def test_same_seed_same_order(budget: Budget, names: list[str], only: list[str], seed: int) -> None:
    assert planned(budget, names, only, seed) == planned(budget, names, only, seed)


def test_engines_are_brought_up_only_where_something_is_broken() -> None:
    wish = {"role": [], "at": [], "count": 3}
    for faults, topics in (
        (["kill"], ["kill points"]),
        (["hung_step"], [""]),
        (["hung_step", "kill"], ["", "kill points"]),
    ):
        (block,) = planned(chaos_budget(wish | {"fault": faults}, default()), ["airflow"], [], 1)
        assert [one[0].planned.topic for one in block if not one[0].planned.loop] == topics


def test_points_are_asked_of_the_pipeline_that_is_measured() -> None:
    wish = {"role": [], "at": ["train"], "count": 1, "fault": ["kill"]}
    assert chaos_budget(wish, ["training"]).sweep.at == ("train",)
    with pytest.raises(UsageError, match="--at train: not a point"):
        chaos_budget(wish, ["training", "chain"])


def test_points_are_those_of_the_targets_that_the_engine_has() -> None:
    wish = {"role": [], "at": [], "count": 9, "fault": ["kill"]}
    (block,) = planned(chaos_budget(wish, default()), ["airflow"], [], 1)
    names = [topic for one in block for cell in one for topic in cell.topics]
    assert len(names) == 9
    assert {name.split("-")[1] for name in names} == {"run", "api", "control_plane"}
    assert [one for one in names if "-run-before-" in one] == []


@some
@given(seeds)
def test_order_differs_between_blocks_and_seeds(seed: int) -> None:
    def orders(of: int) -> list[list[tuple[str, Track]]]:
        found = planned(BUDGETS["full"], ENGINES, [], of)
        return [[(one[0].planned.name, one[0].planned.track) for one in block] for block in found]

    own = orders(seed)
    assert len({tuple(order) for order in own}) > len(own) // 2
    assert own != orders(seed + 1)


def test_each_arm_is_the_first_after_inline_at_times() -> None:
    """No arm is always met on a colder or warmer machine than the others."""
    for budget in BUDGETS.values():
        first = [block for seed in range(30) for block in planned(budget, ENGINES, [], seed)[:2]]
        assert {next(one[0].planned.name for one in block if not one[0].planned.loop) for block in first} >= set(
            ENGINES
        )


@some
@given(budgets, engines, some_groups, seeds)
def test_inline_is_first_of_all(budget: Budget, names: list[str], only: list[str], seed: int) -> None:
    first = planned(budget, names, only, seed)[0][0]
    assert first[0].planned.name == INLINE
    assert "inline" in keys(first)


@some
@given(budgets, engines, seeds)
def test_scenarios_of_every_engine_come_before_kill_points(budget: Budget, names: list[str], seed: int) -> None:
    for block in planned(budget, names, [], seed):
        late = ["kill points" in keys(one) for one in block]
        assert late == sorted(late)


@some
@given(budgets, engines, some_groups, seeds)
def test_only_selects_the_questions_that_serve_it(budget: Budget, names: list[str], only: list[str], seed: int) -> None:
    blocks_of: dict[str, set[int]] = {}
    for one in queue(budget, names, only, seed, ("training",)):
        assert one.question.base or one.question.group in (only or groups())
        blocks_of.setdefault(one.question.key, set()).add(one.planned.block)
    for key, asked in blocks_of.items():
        assert len(asked) <= (QUESTIONS[key].budgets.get(budget.name) or ONLY_BLOCKS)


@some
@given(budgets, engines, seeds)
def test_arms_of_a_block_and_track_stand_together_before_all_that_takes_long(
    budget: Budget, names: list[str], seed: int
) -> None:
    for block in planned(budget, names, [], seed):
        topics = [bool(one[0].planned.topic) for one in block]
        assert topics == sorted(topics)
        timed = [one[0].planned for one in block if not one[0].planned.topic and one[0].planned.name != INLINE]
        assert len([track for track, _ in groupby(one.track for one in timed)]) == len({one.track for one in timed})
    if not budget.sessions:
        return
    cells = queue(budget, names, [], seed, ("training",))
    assert {one.question.key for one in cells if not (one.planned.topic or one.planned.loop)} == {"first", "samples"}


def test_what_takes_long_is_asked_in_the_last_of_the_planned_blocks() -> None:
    for name in ("standard", "full"):
        budget = BUDGETS[name]
        cells = queue(budget, ENGINES, [], 7, ("training",))
        for key in ("recovery", "debugging", "resources", "environment"):
            asked = sorted({one.planned.block for one in cells if one.question.key == key})
            count = QUESTIONS[key].budgets.get(name, 0)
            assert asked == list(range(budget.blocks - count + 1, budget.blocks + 1))


def estimated(*only: str, tracks: Sequence[Track] = tuple(Track)) -> tuple[Budget, list[Cell]]:
    """What is planned of a standard result, with the numbers of samples that earlier results suggest."""
    budget = chosen({"budget": "standard", "only": list(only)})
    wanted = arms(budget, ENGINES, tracks, ("training",), "prefect")
    told = planned_repeats(budget, wanted, {name: adapter(name).earlier for name in ENGINES})
    return budget, plan(budget, questions(), wanted, only, seed=7, targets=TARGETS, samples=of_engines(told))


def test_standard_holds_five_blocks_of_four_samples_within_its_time() -> None:
    budget, cells = estimated()
    held = [one for one in cells if one.planned.block <= budget.blocks]
    timed = [one for one in held if one.question.key == "samples"]
    blocks_of = {track: {one.planned.block for one in timed if one.planned.track is track} for track in Track}
    assert blocks_of == {Track.TUNED: {1, 2, 3, 4, 5}, Track.STOCK: {1, 2}}
    assert all(one.planned.samples >= 4 for one in timed if one.planned.track is Track.TUNED)
    assert len({one.planned.block for one in held if one.question.key == "local"}) == 2
    assert budget.limit_s
    assert Estimates().sessions_s(held) < budget.limit_s - RENDER_S


def test_runtime_alone_on_tuned_spends_its_time_in_samples() -> None:
    """Seven blocks fit: with a spread of the ratio of 5 %, as a pair of arms showed, they detect 1.065."""
    budget, cells = estimated("runtime", tracks=[Track.TUNED])
    held = [one for one in cells if one.planned.block <= budget.blocks]
    estimates, left_s = Estimates(), (budget.limit_s or 0) - RENDER_S
    further = [one for one in cells if one.planned.block == budget.blocks + 1]
    number = budget.blocks + int((left_s - estimates.sessions_s(held)) / estimates.sessions_s(further))
    assert number >= 7
    deviations = np.linspace(-1, 1, number)
    assert (detectable_ratio(list(0.05 * deviations / deviations.std(ddof=1))) or 2.0) <= 1.07
    blocks_ = [one for one in held if not one.planned.topic]
    sampling_s = sum(one.planned.samples * RUN_S[one.planned.track] for one in blocks_ if one.question.key == "samples")
    assert sampling_s >= 0.4 * estimates.sessions_s(blocks_)


@pytest.mark.parametrize(
    ("group", "asked"),
    [
        ("code", {"code", "inline"}),
        ("setup", {"inline", "environment", "first"}),
        ("runtime", {"instrument", "inline", "first", "samples", "local"}),
        ("debugging", {"inline", "first", "debugging"}),
        ("scaling", {"inline", "first", "scaling", "local-scaling"}),
        ("resources", {"inline", "first", "resources"}),
        ("micro", {"inline", "micro"}),
    ],
)
def test_cells_of_one_group(group: str, asked: set[str]) -> None:
    for budget in BUDGETS.values():
        assert {one.question.key for one in queue(budget, ENGINES, [group], 7, ("training",))} == asked


def test_kill_points_belong_to_recovery_where_a_budget_has_some() -> None:
    asked = {}
    for name, budget in BUDGETS.items():
        asked[name] = {one.question.key for one in queue(budget, ENGINES, ["recovery"], 7, ("training",))}
    plain = {"inline", "first", "recovery"}
    assert asked == {"quick": plain, "standard": plain, "full": plain | {"kill points"}}


def test_questions_of_the_first_blocks_alone_are_not_asked_for_ever() -> None:
    assert len(planned(BUDGETS["standard"], ENGINES, ["recovery"], 7)) == 1
    assert len(planned(BUDGETS["full"], ENGINES, ["debugging"], 7)) == 3


def test_quick_is_tuned_alone_and_one_block() -> None:
    cells = queue(BUDGETS["quick"], ENGINES, [], 7, ("training",))
    assert {(one.planned.block, one.planned.track) for one in cells} == {(1, Track.TUNED)}
    assert not [one for one in cells if one.planned.again]
    limit = BUDGETS["quick"].limit_s
    assert limit
    assert Estimates().total_s(cells) + RENDER_S < 1.5 * limit


def test_again_is_the_same_engine_on_tuned_alone_without_the_deep_questions() -> None:
    for name in ("standard", "full"):
        again = [one for one in queue(BUDGETS[name], ENGINES, [], 7, ("training",)) if one.planned.again]
        assert {(one.planned.engine, one.planned.track) for one in again} == {("prefect", Track.TUNED)}
        assert {one.question.key for one in again} == {"first", "samples"}


def test_again_is_the_cheapest_unless_it_is_chosen() -> None:
    assert cheapest({"slow": 10.0, "fast": 2.0, "as_fast": 2.0}) == "fast"
    assert cheapest({}) == ""
    found = arms(BUDGETS["standard"], ENGINES, [Track.TUNED], ("one", "fan_out"), "dagster")
    assert found[-1] == Arm("dagster" + AGAIN, Track.TUNED, "one")
    assert not any(one.again for one in arms(BUDGETS["quick"], ENGINES, [Track.TUNED], ("one",), "dagster"))


def test_each_pipeline_is_an_arm_and_what_is_of_the_engine_is_asked_once() -> None:
    cells = queue(BUDGETS["standard"], ["prefect"], [], 7, ("training", "fan_out"))
    (loop,) = {one.planned for one in cells if one.planned.loop and one.planned.block == 1}
    assert [one.pipeline for one in loop.workloads[:2]] == ["training", "fan_out"]
    own = [one for one in cells if one.planned.name == "prefect" and one.planned.block <= BUDGETS["standard"].blocks]
    names = ("training", "fan_out")
    asked = {name: {one.question.key for one in own if one.planned.pipeline == name} for name in names}
    assert asked["training"] - asked["fan_out"] == {"environment"}
    assert asked["fan_out"] <= asked["training"]


@pytest.mark.parametrize(("name", "only"), [("full", []), ("standard", ["concurrency"]), ("standard", ["runtime"])])
def test_a_limit_over_all_runs_is_set_where_several_are_up_and_nothing_else_is_measured(
    name: str, only: list[str]
) -> None:
    cells = [one for one in queue(BUDGETS[name], ENGINES, only, 7, ("training",)) if not one.planned.loop]
    asked = {one.question.key for one in cells if one.planned.limited and not one.question.base}
    assert asked == ({"concurrency"} if "runtime" not in only else set())
    assert all(one.planned.track is Track.TUNED for one in cells if one.planned.limited)
    several = [one.planned for one in cells if one.question.key == "concurrency"]
    assert all(one.limited == (one.track is Track.TUNED) for one in several)


def test_nothing_is_deployed_beside_what_is_timed_but_its_other_isolations() -> None:
    for budget in (BUDGETS["standard"], BUDGETS["full"]):
        timed = [one.planned for one in queue(budget, ENGINES, [], 7, ("training",)) if one.question.key == "samples"]
        assert {(one.chains, one.operations) for one in timed} == {((), False)}
        assert {one.track for one in timed if one.variants} == set(budget.deep_tracks)


@some
@given(budgets, engines, some_groups, seeds)
def test_cells_have_names_and_keys_of_their_own(budget: Budget, names: list[str], only: list[str], seed: int) -> None:
    cells = [each for one in queue(budget, names, only, seed, ("training",)) for each in one.noted("done")]
    assert len({one.name for one in cells}) == len(cells)
    found = [key for one in queue(budget, names, only, seed, ("training", "fan_out")) for key in one.keys]
    assert len(found) == len(set(found))


@some
@given(engines, seeds, st.floats(0, 1e5))
def test_shares_of_a_block_add_up_to_the_time_left(names: list[str], seed: int, left_s: float) -> None:
    cells = queue(BUDGETS["quick"], names, [], seed, ("training",))
    estimates = Estimates()
    rest, spent = left_s, 0.0
    while cells:
        share = estimates.share_s(rest, cells)
        assert 0 <= share <= rest * (1 + 1e-9)
        rest, spent = rest - share, spent + share
        cells = cells[len(sessions(cells)[0]) :]
    assert math.isclose(spent, left_s, rel_tol=1e-6, abs_tol=1e-6)


def of(name: str, *asked: str) -> list[Cell]:
    """Cells of one session."""
    cells = queue(BUDGETS["full"], [name], [], 7, ("training",))
    own = [one for one in cells if (one.planned.name, one.planned.track, one.planned.block) == (name, "tuned", 1)]
    return [one for one in own if one.question.key in asked]


def cost_s(*asked: str) -> float:
    return sum(one.cost_s for one in of("a", *asked))


def test_share_is_by_estimate_and_without_a_deadline_unlimited() -> None:
    short, long = of("a", "local"), of("b", "first", "samples")
    estimates = Estimates()
    total = cost_s("local", "first", "samples")
    assert estimates.share_s(50, [*short, *long]) == pytest.approx(50 * cost_s("local") / total)
    needed = SESSION_S + cost_s("first", "samples")
    assert estimates.share_s(1000, [*short, *long]) == 1000 - needed  # with enough for all nobody is held to a part
    assert estimates.share_s(math.inf, [*short, *long]) == math.inf
    assert estimates.share_s(100, []) == 100


def test_estimates_learn_from_what_an_arm_took() -> None:
    one, other = of("a", "first"), of("b", "first")
    estimates = Estimates()
    guess = estimates.total_s(other)
    estimates.learn(one[0], 3.5)
    assert estimates.total_s([*one, *other]) == 3.5 + guess


def test_sessions_cost_more_than_their_cells() -> None:
    (block,) = planned(BUDGETS["quick"], ["a"], ["recovery"], 7)[:1]
    (session,) = (one for one in block if not one[0].planned.loop)
    estimates = Estimates()
    recovery_s = sum(SCENARIOS[name].seconds for name in of_budget("quick"))
    assert recovery_s > 0
    other = of("b", "first")
    assert estimates.sessions_s([*session, *other]) == 2 * (SESSION_S + cost_s("first")) + recovery_s
    assert estimates.sessions_s(session, essential=True) == SESSION_S + cost_s("first")
    assert estimates.sessions_s([]) == 0


def test_clock_leaves_room_for_the_report() -> None:
    assert 100 - RENDER_S - 5 < Clock(100).left_s() <= 100 - RENDER_S
    assert Clock(None).left_s() == math.inf


@pytest.mark.parametrize("question", questions(), ids=lambda one: one.key)
def test_records_of_questions_are_whole(question: object) -> None:
    one = QUESTIONS[question.key]  # type: ignore[attr-defined]
    assert one is question
    assert set(one.budgets) <= {*BUDGETS, "chaos"}
    assert set(one.cost_s) == set(Track)
    assert bool(one.leaves) == bool(one.subjects)
    assert one.base or one.group in groups()
    assert (one.needs is Needs.LOOP) == (one.key == "inline")

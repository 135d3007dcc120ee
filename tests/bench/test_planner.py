"""The plan: fair in every block, drawn from the seed alone, and within the budget."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.contract.words import Track
from bench.plan.budgets import (
    BUDGETS,
    ESSENTIAL,
    ESTIMATES_S,
    GROUPS,
    ONLY_BLOCKS,
    SYNTHETIC,
    Budget,
    Group,
    Part,
    chaos_budget,
)
from bench.plan.planner import AGAIN, INLINE, RENDER_S, SESSION_S, Clock, Estimates, Planned, plan, recovery_s
from bench.plan.scenarios import BASIC, SCENARIOS
from bench.plan.workloads import Workload

ENGINES = ["airflow", "dagster", "prefect"]
budgets = st.sampled_from(list(BUDGETS.values()))
engines = st.lists(st.sampled_from([*ENGINES, "fourth"]), unique=True, min_size=1)
groups = st.lists(st.sampled_from(list(Group)), unique=True)
seeds = st.integers(0, 2**32)


def planned(budget: Budget, names: list[str], only: list[Group], seed: int) -> list[list[Planned]]:
    return plan(budget, names, list(budget.tracks), only, seed)


@given(budgets, engines, seeds)
def test_every_block_holds_each_arm_once(budget: Budget, names: list[str], seed: int) -> None:
    expected = {(name, track) for name in names for track in budget.tracks}
    if budget.again and "prefect" in names:
        expected.add(("prefect" + AGAIN, Track.TUNED))
    for number, block in enumerate(planned(budget, names, [], seed), 1):
        arms = [(one.name, one.track) for one in block if Part.SAMPLES in one.parts]
        assert len(arms) == len(set(arms))
        assert set(arms) == expected
        assert sum(one.name == INLINE for one in block) == 1
        assert {one.block for one in block} == {number}


@given(budgets, engines, groups, seeds)
def test_no_session_is_opened_twice_or_for_nothing(
    budget: Budget, names: list[str], only: list[Group], seed: int
) -> None:
    for block in planned(budget, names, only, seed):
        sessions = [(one.name, one.track, one.topic) for one in block]
        assert len(sessions) == len(set(sessions))
        for one in block:
            assert one.parts
            if Group.SETUP not in (only or Group):
                assert one.parts != (Part.FIRST,)


@given(budgets, engines, groups, seeds)
def test_what_is_run_is_deployed_and_was_run_inline(
    budget: Budget, names: list[str], only: list[Group], seed: int
) -> None:
    known: set[Workload] = set()
    for block in planned(budget, names, only, seed):
        known |= {workload for one in block if one.name == INLINE for workload in one.workloads}
        for one in block:
            assert set(one.workloads) <= known
            probed = Part.RECOVERY in one.parts and budget.thorough
            assert bool(one.workloads) <= bool(set(one.parts) & set(SYNTHETIC) or one.name == INLINE or probed)
            assert one.operations == (probed and one.name != INLINE)
            assert bool(one.scenarios or one.sweep.points) == (Part.RECOVERY in one.parts)
            assert not probed or one.chains or one.name == INLINE
            if one.name != INLINE:
                assert {workload.n for workload in one.workloads if workload.name == "chain"} <= set(one.chains)


@given(budgets, engines, groups, seeds)
def test_same_seed_same_order(budget: Budget, names: list[str], only: list[Group], seed: int) -> None:
    assert planned(budget, names, only, seed) == planned(budget, names, only, seed)


def test_engines_are_brought_up_only_where_something_is_broken() -> None:
    wish = {"role": [], "at": [], "count": 3}
    for faults, topics in (
        (["kill"], [", kill points"]),
        (["hung_step"], [""]),
        (["hung_step", "kill"], ["", ", kill points"]),
    ):
        (block,) = plan(chaos_budget(wish | {"fault": faults}), ["airflow"], [Track.TUNED], [], 1)
        assert [one.topic for one in block if one.name != INLINE] == topics


@given(seeds)
def test_order_differs_between_blocks_and_seeds(seed: int) -> None:
    def orders(of: int) -> list[list[tuple[str, Track]]]:
        return [[(o.name, o.track) for o in block] for block in planned(BUDGETS["full"], ENGINES, [], of)]

    own = orders(seed)
    assert len({tuple(order) for order in own}) > len(own) // 2
    assert own != orders(seed + 1)


def test_each_arm_is_the_first_after_inline_at_times() -> None:
    """No arm is always met on a colder or warmer machine than the others."""
    for budget in BUDGETS.values():
        blocks = [block for seed in range(100) for block in planned(budget, ENGINES, [], seed)[:2]]
        assert {next(one.name for one in block if one.name != INLINE) for block in blocks} >= set(ENGINES)


@given(budgets, engines, groups, seeds)
def test_inline_is_first_of_all(budget: Budget, names: list[str], only: list[Group], seed: int) -> None:
    first = planned(budget, names, only, seed)[0][0]
    assert first.name == INLINE
    assert Part.INLINE in first.parts


@given(budgets, engines, groups, seeds)
def test_only_selects_the_parts_that_serve_it(budget: Budget, names: list[str], only: list[Group], seed: int) -> None:
    wanted = set(only or Group)
    for block in planned(budget, names, only, seed):
        for one in block:
            assert all(wanted & set(GROUPS[part]) for part in one.parts)
            assert all(one.block <= (budget.measured.get(part) or ONLY_BLOCKS) for part in one.parts)


@pytest.mark.parametrize(
    ("group", "parts"),
    [
        (Group.CODE, {Part.CODE, Part.INLINE}),
        (Group.SETUP, {Part.INLINE, Part.ENVIRONMENT, Part.FIRST}),
        (Group.RUNTIME, {Part.INSTRUMENT, Part.INLINE, Part.FIRST, Part.SAMPLES, Part.LOCAL}),
        (Group.RECOVERY, {Part.INLINE, Part.FIRST, Part.RECOVERY}),
        (Group.DEBUGGING, {Part.INLINE, Part.FIRST, Part.DEBUGGING}),
        (Group.SCALING, {Part.INLINE, Part.FIRST, Part.SCALING, Part.LOCAL_SCALING}),
        (Group.RESOURCES, {Part.INLINE, Part.FIRST, Part.RESOURCES}),
        (Group.MICRO, {Part.INLINE, Part.MICRO}),
    ],
)
def test_parts_of_one_question(group: Group, parts: set[Part]) -> None:
    for budget in BUDGETS.values():
        blocks = planned(budget, ENGINES, [group], 7)
        assert {part for block in blocks for one in block for part in one.parts} == parts


def test_questions_of_the_first_blocks_alone_are_not_asked_for_ever() -> None:
    assert len(planned(BUDGETS["standard"], ENGINES, [Group.RECOVERY], 7)) == 1
    assert len(planned(BUDGETS["full"], ENGINES, [Group.DEBUGGING], 7)) == 3


def test_quick_is_tuned_alone_and_one_block() -> None:
    blocks = planned(BUDGETS["quick"], ENGINES, [], 7)
    assert len(blocks) == 1
    assert {one.track for one in blocks[0]} == {Track.TUNED}
    assert not [one for one in blocks[0] if one.name.endswith(AGAIN)]
    estimate = Estimates().total_s(blocks[0])
    limit = BUDGETS["quick"].limit_s
    assert limit
    assert estimate + RENDER_S < 1.5 * limit


def test_again_is_the_same_engine_on_tuned_alone_without_the_deep_parts() -> None:
    for name in ("standard", "full"):
        again = [one for block in planned(BUDGETS[name], ENGINES, [], 7) for one in block if one.name.endswith(AGAIN)]
        assert {(one.engine, one.track) for one in again} == {("prefect", Track.TUNED)}
        assert {part for one in again for part in one.parts} == {Part.FIRST, Part.SAMPLES}


def test_large_synthetic_pipelines_are_not_deployed_beside_what_is_timed() -> None:
    for block in planned(BUDGETS["full"], ENGINES, [], 7):
        for one in block:
            assert Part.SAMPLES not in one.parts or max(one.chains, default=0) <= 20


@given(budgets, engines, groups, seeds)
def test_cells_have_names_of_their_own(budget: Budget, names: list[str], only: list[Group], seed: int) -> None:
    cells = [o.cell(p) for b in planned(budget, names, only, seed) for o in b for p in o.parts]
    assert len(cells) == len(set(cells))


@given(engines, seeds, st.floats(0, 1e5))
def test_shares_of_a_block_add_up_to_the_time_left(names: list[str], seed: int, left_s: float) -> None:
    block = planned(BUDGETS["quick"], names, [], seed)[0]
    estimates = Estimates()
    rest, spent = left_s, 0.0
    for number in range(len(block)):
        share = estimates.share_s(rest, block[number:])
        assert 0 <= share <= rest * (1 + 1e-9)
        rest, spent = rest - share, spent + share
    assert math.isclose(spent, left_s, rel_tol=1e-6, abs_tol=1e-6)


def test_share_is_by_estimate_and_without_a_deadline_unlimited() -> None:
    short = Planned("a", Track.TUNED, 1, (Part.LOCAL,))
    long = Planned("b", Track.TUNED, 1, (Part.FIRST, Part.SAMPLES))
    estimates = Estimates()
    costs = {part: ESTIMATES_S[part][Track.TUNED] for part in Part}
    total = costs[Part.LOCAL] + costs[Part.FIRST] + costs[Part.SAMPLES]
    assert estimates.share_s(50, [short, long]) == pytest.approx(50 * costs[Part.LOCAL] / total)
    needed = SESSION_S + costs[Part.FIRST] + costs[Part.SAMPLES]
    assert estimates.share_s(1000, [short, long]) == 1000 - needed  # where there is enough, nobody is held to a part
    assert estimates.share_s(math.inf, [short, long]) == math.inf
    assert estimates.share_s(100, [Planned("c", Track.TUNED, 1, ())]) == 100


def test_estimates_learn_from_what_an_arm_took() -> None:
    one, other = Planned("a", Track.TUNED, 1, (Part.FIRST,)), Planned("b", Track.TUNED, 2, (Part.FIRST,))
    estimates = Estimates()
    guess = estimates.total_s([other])
    estimates.learn(one, Part.FIRST, 3.5)
    assert estimates.total_s([one, other]) == 3.5 + guess


def test_sessions_cost_more_than_their_parts() -> None:
    one = Planned("a", Track.TUNED, 1, (Part.FIRST, Part.RECOVERY), scenarios=BASIC)
    estimates = Estimates()
    costs = {Part.FIRST: ESTIMATES_S[Part.FIRST][Track.TUNED], Part.RECOVERY: recovery_s(one)}
    assert costs[Part.RECOVERY] == sum(SCENARIOS[name].seconds for name in BASIC) > 0
    assert estimates.sessions_s([one, one]) == 2 * (SESSION_S + sum(costs.values()))
    assert estimates.sessions_s([one], ESSENTIAL) == SESSION_S + costs[Part.FIRST]
    assert estimates.sessions_s([]) == 0


def test_standard_holds_its_blocks_with_some_time_to_spare() -> None:
    budget = BUDGETS["standard"]
    blocks = planned(budget, ENGINES, [], 7)[: budget.blocks]
    assert budget.limit_s
    assert Estimates().sessions_s([one for block in blocks for one in block]) < budget.limit_s * 1.1


def test_clock_leaves_room_for_the_report() -> None:
    assert 100 - RENDER_S - 5 < Clock(100).left_s() <= 100 - RENDER_S
    assert Clock(None).left_s() == math.inf

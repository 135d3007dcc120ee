"""How many samples a session has: the sharpest plan for what earlier results showed, whoever was fast."""

from __future__ import annotations

from math import sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.contract import registry
from bench.contract.earlier import Earlier
from bench.contract.words import Track
from bench.plan.arms import arms
from bench.plan.budgets import ALONE, BUDGETS
from bench.plan.repeats import MEDIAN, between_squared, of_engines, planned, samples

earliers = st.builds(
    Earlier, session_s=st.floats(10, 60), run_s=st.floats(2, 30), within=st.floats(0.02, 0.2),
    of_six=st.floats(0.06, 0.2),
)  # fmt: skip


def cost(arms: list[Earlier], numbers: list[float]) -> float:
    """Variance of comparisons times the seconds of a block: what a given time can do best is where it is least."""
    pairs = list(zip(arms, numbers, strict=True))
    variance = sum(between_squared(one) + MEDIAN * one.within**2 / n for one, n in pairs)
    return variance * sum(one.session_s + n * one.run_s for one, n in pairs)


@settings(deadline=None)
@given(st.lists(earliers, min_size=2, max_size=4))
def test_no_other_number_is_much_sharper(of: list[Earlier]) -> None:
    arms = {str(index): one for index, one in enumerate(of)}
    if not sum(map(between_squared, of)):
        return
    chosen = [float(n) for n in samples(arms, 1, 1000).values()]
    best = cost(of, chosen)
    for index in range(len(of)):
        for step in (-1, 1):
            other = [n + step * (position == index) for position, n in enumerate(chosen)]
            assert other[index] < 1 or cost(of, other) > 0.9 * best


def test_what_varies_between_sessions_alone_is_not_repeated() -> None:
    steady = {"a": Earlier(within=0.001, of_six=0.05), "b": Earlier(within=0.001, of_six=0.05)}
    assert samples(steady, 1, 9) == {"a": 1, "b": 1}
    assert samples({name: Earlier(within=0.3, of_six=0.1) for name in "ab"}, 1, 9) == {"a": 9, "b": 9}


def test_spread_of_six_tells_what_is_between_sessions() -> None:
    assert sqrt(between_squared(Earlier(within=0.06, of_six=0.051))) == pytest.approx(0.041, abs=0.001)
    assert between_squared(Earlier(within=0.06, of_six=0.016)) == 0


@pytest.mark.parametrize(
    ("budget", "allowed"),
    [(BUDGETS["quick"], {1}), (BUDGETS["standard"], {4}), (ALONE["standard", "runtime"], {4, 5, 6})],
)
def test_every_arm_has_its_number_before_the_first_block(budget: object, allowed: set[int]) -> None:
    names = registry.engines()
    earlier = {name: registry.adapter(name).earlier for name in names}
    wanted = arms(budget, names, [Track.TUNED, Track.STOCK], ("training",), names[0])  # type: ignore[arg-type]
    told = planned(budget, wanted, earlier)  # type: ignore[arg-type]
    assert [(one.engine, one.track) for one in told] == [(arm.name, arm.track) for arm in wanted]
    tuned = of_engines(told)
    assert set(tuned.values()) <= allowed
    assert {one.warm_ups for one in told} == {0}
    if f"{names[0]}-again" in tuned:
        assert tuned[f"{names[0]}-again"] == tuned[names[0]]


def test_another_version_has_as_many_as_the_engine_showed() -> None:
    wanted = arms(ALONE["standard", "runtime"], ["one", "one@1.2", "other"], [Track.TUNED], ("training",))
    told = planned(ALONE["standard", "runtime"], wanted, {"one": Earlier(run_s=4.0), "other": Earlier(run_s=30.0)})
    found = of_engines(told)
    assert found["one"] == found["one@1.2"] > found["other"]

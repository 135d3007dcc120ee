"""Fits of time by size, on curves whose truth is known."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.analyse.scaling import fits
from bench.contract.records import Record, Sample
from bench.observe.first_schema import DECLARED_PIPELINES

RESULTS = 3000 if os.environ.get("ORCHBENCH_FULL_SIMULATIONS") else 600
ERROR = 2 * (0.05 * 0.95 / RESULTS) ** 0.5
"""Of a share of about 5 %, found with so many simulations: two standard errors."""
SIZES = (5, 20, 50, 100)
Truth = Callable[[float], float]


def sample(n: int, value: float | None, session: int = 0, **more: Any) -> Sample:
    plain = {
        "engine": "prefect",
        "metric": "runtime.makespan_s",
        "unit": "s",
        "pipeline": "chain",
        "isolation": "threads",
    }
    return Sample(**{**plain, "params": {"n": n}, "value": value, "session": session, "block": session, **more})


def measured(truth: Truth, sizes: Sequence[int] = SIZES, sessions: int = 5, seed: int = 0) -> list[Sample]:
    """Each session is slower or faster as a whole, by 5 %, and each time by 3 %."""
    random = np.random.default_rng(seed)
    return [
        sample(n, float(truth(n) * np.exp(whole + random.normal(0, 0.03))), session)
        for session, whole in enumerate(random.normal(0, 0.05, sessions))
        for n in sizes
    ]


def exact(truth: Truth, sizes: Sequence[int] = SIZES, sessions: int = 3) -> list[Sample]:
    return [sample(n, truth(n), session) for session in range(sessions) for n in sizes]


def by_name(samples: Sequence[Sample]) -> dict[str, Record]:
    return {record.metric.removeprefix("scaling."): record for record in fits(samples, DECLARED_PIPELINES)}


def line(n: float) -> float:
    return 3 + 0.2 * n


def bend(n: float) -> float:
    return line(n) + 0.004 * n**2


@settings(deadline=None)  # a busy host is no fault of the fit
@given(
    st.floats(0.1, 100), st.floats(0.001, 10), st.integers(2, 4), st.sampled_from([SIZES, (5, 20, 40), (1, 10, 1000)])
)
def test_an_exact_line_is_recovered(fixed: float, marginal: float, sessions: int, sizes: tuple[int, ...]) -> None:
    found = by_name(exact(lambda n: fixed + marginal * n, sizes, sessions))
    assert found["fixed_s"].value == pytest.approx(fixed, rel=1e-5, abs=1e-5)
    assert found["marginal_s"].value == pytest.approx(marginal, rel=1e-5)
    assert {found["fixed_s"].unit, found["marginal_s"].unit} == {"s"}


@settings(deadline=None)  # a busy host is no fault of the fit
@given(st.floats(0.1, 100), st.floats(0.001, 10), st.floats(0.01, 1))
def test_an_exact_bend_is_recovered(fixed: float, marginal: float, quadratic: float) -> None:
    def truth(n: float) -> float:
        return fixed + marginal * n + quadratic * n**2

    parts = dict(enumerate((0.999, 1.0, 1.001)))  # with no spread at all, nothing could be told by chance either
    found = by_name([sample(n, part * truth(n), session) for session, part in parts.items() for n in SIZES])
    assert found["quadratic_s"].value == pytest.approx(quadratic, rel=1e-3)
    assert found["marginal_s"].value == pytest.approx(marginal, rel=1e-2, abs=1e-3 * quadratic)


@pytest.mark.parametrize("sizes", [(5, 20, 50), SIZES, (5, 20, 100, 1000)])
def test_intervals_of_five_sessions_cover_the_truth_in_95_percent(sizes: tuple[int, ...]) -> None:
    found = [by_name(measured(line, sizes, seed=seed)) for seed in range(RESULTS)]
    for name, truth in (("fixed_s", 3), ("marginal_s", 0.2)):
        inside = [r.ci_low <= truth <= r.ci_high for r in (one[name] for one in found) if r.ci_low and r.ci_high]
        assert len(inside) == RESULTS
        assert 0.93 - ERROR <= np.mean(inside) <= 0.97 + ERROR
    assert np.mean(["quadratic_s" in one for one in found]) <= 0.05
    assert np.mean([one["superlinear_at_n"].value is not None for one in found]) <= 0.05 + ERROR


def test_a_real_bend_is_found_and_so_is_where_it_begins() -> None:
    found = [by_name(measured(bend, seed=seed)) for seed in range(100)]
    assert np.mean(["quadratic_s" in one for one in found]) >= 0.95
    assert {one["superlinear_at_n"].value for one in found} <= {50.0, 100.0}
    assert "times what the line through the smaller sizes predicts" in found[0]["superlinear_at_n"].note
    assert "of the first tasks" in found[0]["marginal_s"].note


def test_coefficients_are_averaged_over_sessions() -> None:
    slow = [sample(n, 2 * line(n), session=1) for n in SIZES]
    found = by_name([*exact(line, sessions=1), *slow])
    assert found["fixed_s"].value == pytest.approx(4.5)
    assert found["marginal_s"].value == pytest.approx(0.3)
    assert (found["marginal_s"].n, found["marginal_s"].params) == (2, {})
    assert found["marginal_s"].note == "n from 5 to 100; mean of the fits of 2 sessions"


def test_one_value_counts_per_session_and_size() -> None:
    again = [sample(n, 50 * line(n)) for n in SIZES]  # one of three: the median does not see it
    found = by_name([*exact(line, sessions=1), *exact(line, sessions=1), *again, *exact(line)])
    assert found["marginal_s"].value == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("sizes", "sessions", "said"),
    [
        ((5, 20), 1, "1 session with at most 2 sizes"),
        ((5, 20, 50, 100), 1, "1 session with at most 4 sizes"),
        ((5, 20), 5, "5 sessions with at most 2 sizes"),
    ],
)
def test_what_could_not_have_come_out_wrong_is_no_fit(sizes: tuple[int, ...], sessions: int, said: str) -> None:
    found = by_name(measured(line, sizes, sessions))
    for name in ("fixed_s", "marginal_s"):
        assert (found[name].value, found[name].ci_low, found[name].n) == (None, None, 0)
        assert found[name].note == f"not fitted: {said}; a line needs 2 sessions with 3 each"
    assert "quadratic_s" not in found


def test_a_cost_below_zero_is_none_and_the_other_one_stays() -> None:
    found = by_name([sample(n, per_task * n - 0.3, s) for s, per_task in enumerate((0.2, 0.21)) for n in SIZES])
    assert found["fixed_s"].value is None
    assert found["fixed_s"].note.startswith("the line gives -0.3 s, and no cost is below zero")
    assert found["marginal_s"].value == pytest.approx(0.205)


def test_a_bend_needs_a_size_more_than_a_line() -> None:
    wobbling = [s for number, part in enumerate((0.999, 1.0, 1.001)) for s in (
        sample(n, part * bend(n), number) for n in SIZES[:3])]  # fmt: skip
    assert "quadratic_s" not in by_name(wobbling)


def test_sessions_with_too_few_sizes_are_left_out_and_told() -> None:
    found = by_name([*exact(line, sessions=2), sample(5, 99.0, session=7)])["fixed_s"]
    assert found.value == pytest.approx(3)
    assert found.note.endswith("mean of the fits of 2 sessions, 1 with too few sizes left out")


def test_a_leap_is_superlinear_only_where_two_sessions_show_it() -> None:
    alone = measured(line, (5, 10, 20, 40, 60), sessions=1)
    assert by_name([*alone, sample(100, 20 * line(100))])["superlinear_at_n"].value is None
    both = [
        *measured(line, (5, 10, 20, 40, 60), sessions=3, seed=2),
        *(sample(100, (20 + k) * line(100), k) for k in range(3)),
    ]
    assert by_name(both)["superlinear_at_n"].value == 100


def test_one_size_gives_no_fit_and_says_why() -> None:
    found = by_name(exact(line, (5,)))
    assert (found["fixed_s"].value, found["fixed_s"].note) == (
        None,
        "not fitted: 3 sessions with at most 1 size; a line needs 2 sessions with 3 each",
    )
    assert found["superlinear_at_n"].note == "not tested: too few sizes or sessions"


def test_the_first_size_that_fails_is_told() -> None:
    failed = [sample(1000, None, s, note="failed: no answer", isolation="none") for s in range(2)]
    found = by_name([*exact(line), *failed, sample(1000, 99.0, 2)])["fails_at_n"]
    assert (found.value, found.unit, found.isolation) == (1000, "count", "threads")
    assert found.note == "2 of 3 runs: failed: no answer"
    assert by_name([sample(5, None, note="wrong")])["fixed_s"].note == "no run ended"


def test_nothing_fails_up_to_the_largest_size() -> None:
    found = by_name(exact(line))["fails_at_n"]
    assert (found.value, found.note) == (None, "none up to n=100")


def test_only_plain_runs_by_size_count() -> None:
    other = [
        sample(5, 99.0, warm_up=True),
        sample(5, 99.0, params={"n": 5, "fib": 10}),
        sample(5, 99.0, metric="runtime.completion_s"),
        sample(5, 99.0, pipeline="training", params={}),
    ]
    assert fits(other, DECLARED_PIPELINES) == []
    assert fits([*exact(line), *other], DECLARED_PIPELINES) == fits(exact(line), DECLARED_PIPELINES)


def test_arms_and_workloads_have_fits_of_their_own() -> None:
    groups = [{}, {"engine": "dagster"}, {"mode": "local"}, {"track": "tuned"}, {"pipeline": "fan_out"}]
    given = [
        sample(n, line(n) * k, session, **more)
        for k, more in enumerate(groups, 1) for session in range(2) for n in SIZES
    ]  # fmt: skip
    found = fits(given, DECLARED_PIPELINES)
    marginal = [record.value for record in found if record.metric == "scaling.marginal_s"]
    assert marginal == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])

"""Estimates and outliers, on samples whose truth is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bench.analyse.summary import outliers, summarise, t_interval
from bench.contract.records import Sample

RUNS = 20_000


def sample(value: float | str | None, session: int = 0, **more: Any) -> Sample:
    plain = {"engine": "prefect", "pipeline": "training", "metric": "runtime.makespan_s", "unit": "s", "block": session}
    return Sample(**{**plain, "value": value, "session": session, **more})


def only(samples: list[Sample]) -> Any:
    (record,) = summarise(samples)
    return record


def test_one_value_per_session_then_the_mean_on_the_log_scale() -> None:
    record = only([sample(1, 0), sample(2, 0), sample(90, 0), sample(8, 1)])
    assert record.value == pytest.approx(4)  # medians 2 and 8
    assert record.n == 2
    assert record.ci_low < 4 < record.ci_high
    assert record.ci_low * record.ci_high == pytest.approx(16)  # symmetric on the log scale


def test_an_even_number_of_times_has_its_median_on_the_log_scale() -> None:
    assert only([sample(1), sample(100)]).value == pytest.approx(10)
    assert only([sample(1, unit="count"), sample(100, unit="count")]).value == pytest.approx(50.5)


def test_warm_ups_do_not_count() -> None:
    assert only([sample(50, warm_up=True), sample(2)]).value == 2
    assert summarise([sample(50, warm_up=True)]) == []


@pytest.mark.parametrize("unit", ["s", "count"])
def test_one_session_has_no_interval(unit: str) -> None:
    record = only([sample(2, unit=unit), sample(3, unit=unit)])
    assert (record.ci_low, record.ci_high, record.n) == (None, None, 1)


def test_constants_keep_their_value_and_have_no_interval() -> None:
    record = only([sample(51, s, metric="authoring.sloc", unit="lines") for s in range(3)])
    assert (record.value, record.ci_low, record.ci_high, record.n) == (51, None, None, 3)
    assert only([sample(0.1, s) for s in range(3)]).value == 0.1


def test_zeros_are_summarised_on_the_plain_scale_without_negative_bounds() -> None:
    record = only([sample(0, 0), sample(0.1, 1), sample(0, 2)])
    assert record.value == pytest.approx(0.1 / 3)
    assert record.ci_low == 0
    assert record.ci_high > record.value


def test_negative_values_keep_negative_bounds() -> None:
    record = only([sample(-1, 0), sample(1, 1), sample(0.5, 2)])
    assert record.ci_low < 0 < record.ci_high


def test_groups_are_kept_apart_and_parameters_match_in_any_order() -> None:
    groups = summarise(
        [
            sample(1, params={"n": 1, "m": 2}), sample(1, params={"m": 2, "n": 1}), sample(1, params={"n": 2}),
            sample(1, track="tuned"), sample(1, pipeline="wide"), sample(1, engine="dagster"), sample(1, mode="local"),
        ]
    )  # fmt: skip
    assert len(groups) == 6


def test_texts_are_counted_when_they_differ() -> None:
    text = {"unit": "text"}
    assert only([sample("completed", s, **text) for s in range(3)]).value == "completed"
    mixed = only([sample("lost", 0, **text), *(sample("stuck", s, **text) for s in (1, 2, 3))])
    assert (mixed.value, mixed.n, mixed.ci_low) == ("3 of 4 stuck, 1 lost", 4, None)
    assert only([sample("completed", 1, **text)] * 4).n == 4, "runs, not sessions"


def test_failures_are_counted_in_the_note() -> None:
    failed = [sample(None, s, note="failed: no answer") for s in (0, 3)]
    record = only([*failed, *(sample(2.0, s) for s in (1, 2, 4))])
    assert (record.value, record.n, record.note) == (2.0, 3, "2 of 5 sessions failed: no answer")
    part = only([sample(None, 0, note="failed: no answer"), sample(2.0, 0)])
    assert part.note == "1 of 2 samples failed: no answer"


def test_nothing_measured_keeps_the_reason() -> None:
    record = only([sample(None, s, note="not supported: no resume") for s in (0, 1)])
    assert (record.value, record.n, record.note) == (None, 0, "not supported: no resume")
    assert only([sample(None)]).note == "not measured"


def test_notes_of_values_are_kept() -> None:
    assert (
        only([sample(1, 0, note="ephemeral server"), sample(2, 1, note="ephemeral server")]).note == "ephemeral server"
    )


SESSIONS = 5
DISTRIBUTIONS = {
    "lognormal": lambda r: r.normal(0, 0.1, (RUNS, SESSIONS, 1)) + r.normal(0, 0.05, (RUNS, SESSIONS, 3)),
    "gamma": lambda r: r.normal(0, 0.05, (RUNS, SESSIONS, 1)) + np.log(r.gamma(9, 1 / 9, (RUNS, SESSIONS, 3))),
    "heavy tails": lambda r: 0.1 * r.normal(size=(RUNS, SESSIONS, 1)) + 0.03 * r.standard_t(3, (RUNS, SESSIONS, 3)),
    "uniform": lambda r: r.uniform(-0.2, 0.2, (RUNS, SESSIONS, 1)) + r.uniform(-0.05, 0.05, (RUNS, SESSIONS, 3)),
}


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_intervals_of_five_sessions_cover_the_truth_in_95_percent(name: str) -> None:
    values = np.median(DISTRIBUTIONS[name](np.random.default_rng(1)), axis=-1)
    _, low, high = t_interval(values)
    covered = ((low <= values.mean()) & (values.mean() <= high)).mean()
    assert 0.93 <= covered <= 0.97


def test_summary_gives_the_simulated_interval() -> None:
    times = np.exp(np.random.default_rng(2).normal(1, 0.2, (SESSIONS, 3)))
    record = only([sample(float(t), s) for s, row in enumerate(times) for t in row])
    expected = np.exp(t_interval(np.median(np.log(times), axis=1)))
    assert [record.value, record.ci_low, record.ci_high] == pytest.approx(list(expected))


def test_an_interval_alone_is_wrong_in_5_percent() -> None:
    random = np.random.default_rng(3)
    _, low, high = t_interval(random.normal(0, 0.05, (RUNS, SESSIONS)))
    assert ((low > 0) | (high < 0)).mean() == pytest.approx(0.05, abs=0.005)


def series(values: Sequence[float | None], **more: Any) -> list[Sample]:
    return [sample(value, number, **more) for number, value in enumerate(values)]


def test_outliers_are_labelled_and_stay_in_the_estimate() -> None:
    values = [1.0, 1.1, 0.9, 1.05, 0.95, 9.0]
    samples = [sample(50, 0, warm_up=True), sample(None, 0), *series(values)]
    assert outliers(samples) == {7}
    (record,) = summarise(samples[2:])
    assert record.value == pytest.approx(math.exp(np.log(values).mean()))
    assert (record.n, record.note) == (6, "1 outlier kept")


@pytest.mark.parametrize(
    "values",
    [
        pytest.param([1.0, 1.1, 0.9, 90.0], id="too few to say"),
        pytest.param([1.0, 1.0, 1.0, 1.0, 1.0, 1.1], id="no spread to compare with"),
        pytest.param([1.0, 1.3, 0.8, 1.1, 0.9, 1.6], id="one spread"),
    ],
)
def test_what_is_no_outlier(values: list[float | None]) -> None:
    assert outliers(series(values)) == set()


def test_outliers_are_looked_for_within_an_arm() -> None:
    usual: list[float | None] = [1.0, 1.1, 0.9, 1.05, 0.95]
    far = [(v or 0) * 50 for v in usual]
    assert outliers([*series(usual), *series(far, engine="dagster"), *series(far, params={"n": 5})]) == set()


@settings(deadline=None)
@given(st.lists(st.floats(0.001, 1e6), min_size=5, max_size=30), st.floats(0.01, 100))
def test_outliers_do_not_depend_on_the_unit_of_time(values: list[float], factor: float) -> None:
    assume(min(abs(score - 3.5) for score in scores(values)) > 1e-6)
    assert outliers(series(list(values))) == outliers(series([v * factor for v in values]))


def scores(values: list[float]) -> list[float]:
    logs = np.log(values)
    distance = np.abs(logs - np.median(logs))
    return list(0.6745 * distance / (np.median(distance) or 1))

"""Estimates, comparisons and noise, on samples whose truth is known."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bench.analyse.stats import Ratio, compare, detectable_ratio, noise, noise_floor, outliers, summarise, t_interval
from bench.contract.records import Sample

RUNS = 20_000
RESULTS = 20_000 if os.environ.get("ORCHBENCH_FULL_SIMULATIONS") else 1000
"""Whole results that are invented, sample by sample."""


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
    assert (mixed.value, mixed.n, mixed.ci_low) == ("3× stuck, 1× lost", 4, None)


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


EFFECTS = {
    "normal": lambda r, spread: r.normal(0, spread),
    "heavy tails": lambda r, spread: spread * r.standard_t(5) / math.sqrt(5 / 3),
    "skewed": lambda r, spread: spread * (r.gamma(4) - 4) / 2,
}
SPREAD = 0.03


def invented(kind: str, true_ratio: float) -> Iterator[tuple[Ratio, float]]:
    """For each result the ratio of an arm to the one that was measured twice, and the noise floor of the two."""
    random, draw = np.random.default_rng(3), EFFECTS[kind]
    arms = {"prefect": 1.0, "prefect-again": 1.0, "dagster": true_ratio}
    for _ in range(RESULTS):
        blocks = random.normal(1, 0.3, SESSIONS)  # what a block does to all of them cancels out
        samples = [
            sample(slow * math.exp(effect + random.normal(0, 0.005)), block,
                   engine=engine, track="tuned", mode="served", warm_up=slow != level)
            for engine, level in arms.items()
            for block in range(SESSIONS)
            for effect in [blocks[block] + draw(random, SPREAD)]
            for slow in (3 * level, level, level)
        ]  # fmt: skip
        told = {name: [s for s in samples if s.engine == name] for name in arms}
        ratio, floor = compare(told["dagster"], told["prefect"]), noise_floor(noise(samples))
        assert ratio
        assert floor
        yield ratio, floor


def told(kind: str, true_ratio: float) -> dict[str, float]:
    """Share of the results with each verdict."""
    verdicts = [ratio.verdict(floor) for ratio, floor in invented(kind, true_ratio)]
    return {word: verdicts.count(word) / len(verdicts) for word in ("faster", "slower", "tie")}


@pytest.mark.parametrize("kind", EFFECTS)
def test_the_same_thing_is_told_apart_in_at_most_5_percent(kind: str) -> None:
    assert told(kind, 1.0)["tie"] >= 0.95


@pytest.mark.parametrize(("true_ratio", "word"), [(1.1, "slower"), (0.9, "faster")])
@pytest.mark.parametrize("kind", EFFECTS)
def test_ten_percent_are_found_in_90_percent(kind: str, true_ratio: float, word: str) -> None:
    assert told(kind, true_ratio)[word] >= 0.9


def test_an_interval_alone_is_wrong_in_5_percent() -> None:
    random = np.random.default_rng(3)
    _, low, high = t_interval(random.normal(0, 0.05, (RUNS, SESSIONS)))
    assert ((low > 0) | (high < 0)).mean() == pytest.approx(0.05, abs=0.005)


def series(values: Sequence[float | None], **more: Any) -> list[Sample]:
    return [sample(value, number, **more) for number, value in enumerate(values)]


def test_comparison_is_paired_by_block() -> None:
    slow_blocks = [1.0, 10.0, 100.0, 2.0, 5.0]
    ratio = compare(series([0.5 * x * wobble for x, wobble in zip(slow_blocks, (1, 1.01, 1, 0.99, 1), strict=True)]),
                    series(slow_blocks))  # fmt: skip
    assert ratio is not None
    assert ratio.value == pytest.approx(0.5, rel=0.01)
    assert ratio.n == 5
    assert ratio.verdict() == "faster"
    assert Ratio(1 / ratio.value, 1 / ratio.high, 1 / ratio.low, 5).verdict() == "slower"
    assert ratio.verdict(noise_floor=2.5) == "tie"


def test_comparison_leaves_out_warm_ups() -> None:
    ratio = compare([*series([1, 1]), sample(100, 0, warm_up=True)], [*series([2, 2]), sample(7, 2, warm_up=True)])
    assert ratio is not None
    assert (ratio.value, ratio.n) == (pytest.approx(0.5), 2)


def test_comparison_uses_only_blocks_that_both_finished() -> None:
    ratio = compare(series([1, None, 3, 4]), series([2, 2, 6, None]))
    assert ratio is not None
    assert (ratio.value, ratio.n) == (pytest.approx(0.5), 2)


@pytest.mark.parametrize(("a", "b"), [([], []), ([None], [1]), ([0.0], [1.0]), ([1.0], [-1.0])])
def test_no_ratio_without_pairs_or_of_values_not_above_zero(a: list[float | None], b: list[float | None]) -> None:
    assert compare(series(a), series(b)) is None


def test_one_block_is_a_tie_without_interval() -> None:
    ratio = compare(series([1]), series([100]))
    assert ratio is not None
    assert (ratio.low, ratio.high, ratio.detectable, ratio.verdict()) == (None, None, None, "tie")


def test_detectable_ratio_is_found_in_80_percent() -> None:
    random = np.random.default_rng(4)
    spread = random.normal(0, 0.1, (RUNS, 8))
    assert detectable_ratio([0.1]) is None
    sure = detectable_ratio(list(spread[0] / spread[0].std(ddof=1) * 0.1))
    _, low, _ = t_interval(spread + math.log(sure))
    assert (low > 0).mean() == pytest.approx(0.8, abs=0.03)


def test_noise_is_the_ratio_of_an_engine_to_itself() -> None:
    random = np.random.default_rng(5)
    arm = {"track": "tuned", "mode": "served", "isolation": "threads", "version": "3.8"}
    samples = [
        sample(float(value), block, engine=engine, **arm)
        for engine in ("prefect", "prefect-again")
        for block, value in enumerate(np.exp(random.normal(1, 0.02, 5)))
    ] + [sample(99, 0, track="stock", mode="served")]
    records = {record.metric: record for record in noise(samples)}
    assert set(records) == {"noise.aa_ratio", "noise.aa_low", "noise.aa_high", "noise.detectable_ratio"}
    ratio = records["noise.aa_ratio"]
    assert (ratio.engine, ratio.version, ratio.isolation, ratio.n, ratio.unit) == (
        "prefect",
        "3.8",
        "threads",
        5,
        "ratio",
    )
    assert ratio.ci_low == records["noise.aa_low"].value < ratio.value < records["noise.aa_high"].value == ratio.ci_high
    assert records["noise.detectable_ratio"].value > 1


def test_noise_needs_both_names_and_says_so_when_one_block_gives_no_interval() -> None:
    arm = {"track": "tuned", "mode": "served"}
    assert noise([sample(1, **arm)]) == []
    records = {r.metric: r for r in noise([sample(1, **arm), sample(2, engine="prefect-again", **arm)])}
    assert records["noise.aa_ratio"].value == pytest.approx(0.5)
    assert (records["noise.aa_low"].value, records["noise.aa_low"].note) == (None, "one block has no interval")


def test_noise_floor_is_the_difference_seen_between_the_same_thing_and_itself() -> None:
    assert Ratio(0.98, 0.9, 1.05, 5).noise_floor == pytest.approx(1 / 0.98)
    assert Ratio(1.2, None, None, 1).noise_floor == 1.2


def test_noise_floor_of_a_biased_instrument_is_the_far_end() -> None:
    assert Ratio(1.1, 1.05, 1.15, 5).noise_floor == 1.15
    assert Ratio(0.9, 0.8, 0.95, 5).noise_floor == pytest.approx(1 / 0.8)


def test_noise_floor_is_read_from_the_records() -> None:
    arm = {"track": "tuned", "mode": "served"}
    again = series([1.0, 1.1, 0.9], engine="prefect-again", **arm)
    records = noise([*series([1.1, 1.0, 1.0], **arm), *again])
    ratio = compare(series([1.1, 1.0, 1.0]), again)
    assert ratio
    assert noise_floor([*summarise(again), *records]) == ratio.noise_floor > 1
    assert noise_floor(summarise(again)) is None


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

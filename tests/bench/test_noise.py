"""Comparisons within a result and its noise, on samples whose truth is known."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from bench.analyse.change import change
from bench.analyse.noise import Ratio, by_block, detectable_ratio, noise, noise_floor
from bench.analyse.sides import Values
from bench.analyse.summary import summarise, t_interval
from bench.analyse.tell_apart import tell_apart
from bench.contract.records import Sample
from bench.questions.metric import Metric

RUNS = 20_000
RESULTS = 20_000 if os.environ.get("ORCHBENCH_FULL_SIMULATIONS") else 1000
"""Whole results that are invented, sample by sample."""
SESSIONS = 5
TIME = Metric("runtime.makespan_s", "Makespan")
AGAIN = [{"name": "prefect-again", "engine": "prefect", "kind": "again", "text": "the same once more"}]


def sample(value: float | str | None, session: int = 0, **more: Any) -> Sample:
    plain = {"engine": "prefect", "pipeline": "training", "metric": "runtime.makespan_s", "unit": "s", "block": session}
    return Sample(**{**plain, "value": value, "session": session, **more})


def held(samples: Sequence[Sample]) -> Values:
    kept = tuple(s for s in samples if not s.warm_up)
    (record,) = summarise(kept)
    return Values(record, kept)


EFFECTS = {
    "normal": lambda r, spread: r.normal(0, spread),
    "heavy tails": lambda r, spread: spread * r.standard_t(5) / math.sqrt(5 / 3),
    "skewed": lambda r, spread: spread * (r.gamma(4) - 4) / 2,
}
SPREAD = 0.03


def invented(kind: str, true_ratio: float) -> Iterator[tuple[Values, Values, float]]:
    """For each result the arm that was measured twice, another one, and the noise floor."""
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
        floor = noise_floor(noise(samples, AGAIN))
        assert floor
        yield held(told["prefect"]), held(told["dagster"]), floor


def told(kind: str, true_ratio: float) -> dict[str, float]:
    """Share of the results with each verdict."""
    verdicts = [
        tell_apart(one, other, TIME, floor=floor, paired=True).word for one, other, floor in invented(kind, true_ratio)
    ]
    return {word: verdicts.count(word) / len(verdicts) for word in ("faster", "slower", "tie")}


@pytest.mark.parametrize("kind", EFFECTS)
def test_the_same_thing_is_told_apart_in_at_most_5_percent(kind: str) -> None:
    assert told(kind, 1.0)["tie"] >= 0.95


@pytest.mark.parametrize(("true_ratio", "word"), [(1.1, "slower"), (0.9, "faster")])
@pytest.mark.parametrize("kind", EFFECTS)
def test_ten_percent_are_found_in_90_percent(kind: str, true_ratio: float, word: str) -> None:
    assert told(kind, true_ratio)[word] >= 0.9


def series(values: Sequence[float | None], **more: Any) -> list[Sample]:
    return [sample(value, number, **more) for number, value in enumerate(values)]


def test_comparison_is_paired_by_block() -> None:
    slow_blocks = [1.0, 10.0, 100.0, 2.0, 5.0]
    ratio = by_block(series([0.5 * x * wobble for x, wobble in zip(slow_blocks, (1, 1.01, 1, 0.99, 1), strict=True)]),
                    series(slow_blocks))  # fmt: skip
    assert ratio is not None
    assert ratio.value == pytest.approx(0.5, rel=0.01)
    assert ratio.n == 5


def test_comparison_leaves_out_warm_ups() -> None:
    ratio = by_block([*series([1, 1]), sample(100, 0, warm_up=True)], [*series([2, 2]), sample(7, 2, warm_up=True)])
    assert ratio is not None
    assert (ratio.value, ratio.n) == (pytest.approx(0.5), 2)


def test_comparison_uses_only_blocks_that_both_finished() -> None:
    ratio = by_block(series([1, None, 3, 4]), series([2, 2, 6, None]))
    assert ratio is not None
    assert (ratio.value, ratio.n) == (pytest.approx(0.5), 2)


@pytest.mark.parametrize(("a", "b"), [([], []), ([None], [1]), ([0.0], [1.0]), ([1.0], [-1.0])])
def test_no_ratio_without_pairs_or_of_values_not_above_zero(a: list[float | None], b: list[float | None]) -> None:
    assert by_block(series(a), series(b)) is None


def test_one_block_has_no_interval() -> None:
    ratio = by_block(series([1]), series([100]))
    assert ratio is not None
    assert (ratio.low, ratio.high, ratio.detectable) == (None, None, None)


def test_detectable_ratio_is_found_in_80_percent() -> None:
    random = np.random.default_rng(4)
    spread = random.normal(0, 0.1, (RUNS, 8))
    assert detectable_ratio([0.1]) is None
    sure = detectable_ratio(list(spread[0] / spread[0].std(ddof=1) * 0.1))
    _, low, _ = t_interval(spread + math.log(sure))
    assert (low > 0).mean() == pytest.approx(0.8, abs=0.03)


def test_detectable_ratio_has_one_degree_of_freedom_less_than_blocks() -> None:
    """Quantiles of Student's t with 4 degrees of freedom, from the printed tables: 2.7764 and 0.9410."""
    logs = [0.1 * x for x in (-1.0, 0.0, 1.0, 0.5, -0.5)]
    error = 0.1 * math.sqrt(2.5 / 4 / 5)
    assert detectable_ratio(logs) == pytest.approx(math.exp((2.7764 + 0.9410) * error), rel=1e-4)
    two = detectable_ratio([0.0, 0.02])  # with one: 12.7062 and 1.3764
    assert two == pytest.approx(math.exp((12.7062 + 1.3764) * 0.01), rel=1e-4)


def test_each_comparison_has_a_detectable_ratio_of_its_own() -> None:
    steady, loose = [10.0, 10.1, 9.9, 10.05], [12.0, 9.0, 15.0, 11.0]
    alike, apart = (
        change(held(series(steady)), held(series(values)), paired=True)
        for values in ([v * 1.01 for v in steady], loose)
    )
    assert alike
    assert apart
    assert alike.detectable == pytest.approx(1.0, abs=1e-9)
    own = detectable_ratio([math.log(b / a) for a, b in zip(steady, loose, strict=True)])
    assert apart.detectable == pytest.approx(own)
    unpaired = change(held(series(steady)), held(series(loose)))
    assert unpaired
    assert unpaired.detectable
    error = math.sqrt(sum(np.var(np.log(side), ddof=1) / 4 for side in (steady, loose)))
    assert unpaired.detectable == pytest.approx(math.exp((3.1824 + 0.9785) * error), rel=2e-3)  # nearly 3 degrees


def test_noise_is_the_ratio_of_an_engine_to_itself() -> None:
    random = np.random.default_rng(5)
    arm = {"track": "tuned", "mode": "served", "isolation": "threads", "version": "3.8"}
    samples = [
        sample(float(value), block, engine=engine, **arm)
        for engine in ("prefect", "prefect-again")
        for block, value in enumerate(np.exp(random.normal(1, 0.02, 5)))
    ] + [sample(99, 0, track="stock", mode="served")]
    records = {record.metric: record for record in noise(samples, AGAIN)}
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
    assert noise([sample(1, **arm)], AGAIN) == []
    records = {r.metric: r for r in noise([sample(1, **arm), sample(2, engine="prefect-again", **arm)], AGAIN)}
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
    records = noise([*series([1.1, 1.0, 1.0], **arm), *again], AGAIN)
    ratio = by_block(series([1.1, 1.0, 1.0]), again)
    assert ratio
    assert noise_floor([*summarise(again), *records]) == ratio.noise_floor > 1
    assert noise_floor(summarise(again)) is None

"""Ratios paired by block, and what a result cannot tell from nothing: an engine, measured twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from bench.analyse.summary import CONFIDENCE, median, t_interval
from bench.contract.records import Record, Sample

POWER = 0.8
AGAIN = "again"
"""Kind of the arm that is an engine once more in the same way."""
METRIC = "runtime.makespan_s"


@dataclass(frozen=True, slots=True)
class Ratio:
    """a's value divided by b's, paired by block: below 1, a is faster (or smaller)."""

    value: float
    low: float | None
    high: float | None
    n: int
    """Blocks in which both have a value."""
    detectable: float | None = None
    """The smallest ratio above 1 that so many blocks with this spread would have shown."""

    @property
    def noise_floor(self) -> float:
        """As an A/A ratio: a difference below it is none.

        Its distance from 1. If its interval excludes 1, the same thing differs from itself by more
        than chance, and the floor is the interval's far end. Chance alone does not raise it further:
        each comparison's own interval counts that already, and to count it twice would find a true
        10 % at 5 sessions with a spread of 3 % in 83 % of results, not in 95 %; either way the same
        is told from itself in less than 5 % (tests/bench/test_noise.py).
        """
        biased = self.low is not None and self.high is not None and not self.low <= 1 <= self.high
        ends = (self.value, self.low, self.high) if biased else (self.value,)
        return max(max(end, 1 / end) for end in ends if end)


def detectable_ratio(log_ratios: Sequence[float]) -> float | None:
    """The smallest true ratio above 1 that a 95 % test with this spread and n finds in 80 % of cases.

    None with fewer than two values.
    """
    n = len(log_ratios)
    return detectable(float(np.std(log_ratios, ddof=1) / np.sqrt(n)), n - 1) if n > 1 else None


def detectable(error: float, freedom: float) -> float:
    """The same, from the standard error of the mean log-ratio and its degrees of freedom.

    The sum of two quantiles of Student's t (Cohen's and most textbooks' approximation of the noncentral t).
    """
    return float(np.exp((scipy.stats.t.ppf((1 + CONFIDENCE) / 2, freedom) + scipy.stats.t.ppf(POWER, freedom)) * error))


def by_block(a: Iterable[Sample], b: Iterable[Sample]) -> Ratio | None:
    """The ratio of a's values to b's by block, with its t-interval over blocks.

    Both are samples of one metric. None if no block has both, or if a value is not above 0.
    """
    ours, theirs = _blocks(a), _blocks(b)
    blocks = sorted(ours.keys() & theirs.keys())
    pairs = [(ours[block], theirs[block]) for block in blocks]
    if not pairs or any(value <= 0 for pair in pairs for value in pair):
        return None
    logs = [float(np.log(one) - np.log(other)) for one, other in pairs]
    if len(logs) == 1:
        return Ratio(float(np.exp(logs[0])), None, None, 1)
    value, low, high = (float(np.exp(x)) for x in t_interval(logs))
    return Ratio(value, low, high, len(logs), detectable_ratio(logs))


def noise(samples: Iterable[Sample], variants: Iterable[Mapping[str, str]]) -> list[Record]:
    """The A/A records of each engine that `variants`, as the manifest has them, say was measured twice; else none."""
    pairs = [(row["engine"], row["name"]) for row in variants if row["kind"] == AGAIN]
    found: dict[tuple[str, str], dict[str, list[Sample]]] = defaultdict(lambda: defaultdict(list))
    for s in samples:
        if s.metric == METRIC and s.mode == "served" and not s.params:
            found[s.track, s.pipeline][s.engine].append(s)
    both = [(arms[one], arms[other]) for arms in found.values() for one, other in pairs if arms.keys() >= {one, other}]
    return [record for first, second in both for record in _records(first, second)]


def noise_floor(records: Iterable[Record]) -> float | None:
    """The largest `Ratio.noise_floor` of the A/A records among these; None if there are none."""
    found = (r for r in records if r.metric == "noise.aa_ratio" and isinstance(r.value, int | float))
    return max((Ratio(float(r.value or 0), r.ci_low, r.ci_high, r.n).noise_floor for r in found), default=None)


def _records(first: Sequence[Sample], second: Sequence[Sample]) -> list[Record]:
    ratio, like = by_block(first, second), first[0]
    if ratio is None:
        return []
    ends = {"ci_low": ratio.low, "ci_high": ratio.high}
    values = {
        "noise.aa_ratio": ratio.value,
        "noise.aa_low": ratio.low,
        "noise.aa_high": ratio.high,
        "noise.detectable_ratio": ratio.detectable,
    }
    return [
        Record(
            engine=like.engine, version=like.version, track=like.track, mode=like.mode, isolation=like.isolation,
            pipeline=like.pipeline, params=like.params, metric=metric, unit="ratio", value=value, n=ratio.n,
            note="" if value is not None else "one block has no interval",
            **(ends if metric == "noise.aa_ratio" else {}),
        )
        for metric, value in values.items()
    ]  # fmt: skip


def _blocks(samples: Iterable[Sample]) -> dict[int, float]:
    blocks: dict[int, list[float]] = defaultdict(list)
    for s in samples:
        if not s.warm_up and isinstance(s.value, int | float):
            blocks[s.block].append(float(s.value))
    return {block: median(values, log=min(values) > 0) for block, values in blocks.items()}

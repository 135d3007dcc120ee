"""Who is first, and who cannot be told apart from the first. No rank is finer than the noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bench.analyse import stats
from bench.contract.records import Sample
from bench.questions.metric import Metric
from reports.words.catalogue import outcome_rank

SINGLE_SESSION_RATIO = 1.10
"""With one session there is no interval, so a difference below this ratio is not told as one."""

Mark = Literal["", "best", "tied"]


@dataclass(frozen=True, slots=True)
class Reading:
    """One measured value of one arm, and how it stands among the others."""

    engine: str
    value: float | str | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    note: str = ""
    isolation: str = "none"
    span: tuple[float, float] | None = None
    """Least and most of the samples of a single session, which has no interval."""
    samples: tuple[Sample, ...] = ()
    """What the value was computed from; compared by block with another arm's."""
    mark: Mark = ""

    @property
    def measured(self) -> bool:
        return self.value is not None


@dataclass(frozen=True, slots=True)
class Noise:
    """The ratio that this result cannot tell from none, and where the figure comes from."""

    ratio: float = 1.0
    source: str = "not measured in this result"

    def floor(self, one: Reading, other: Reading) -> float:
        single = min(one.n, other.n) < 2
        return max(self.ratio, SINGLE_SESSION_RATIO if single else 1.0)


def rank(readings: Sequence[Reading], metric: Metric, noise: Noise) -> tuple[Reading, ...]:
    """Mark the best reading, or all that share the first place with it.

    No mark where fewer than two can be compared, or where all are alike.
    """
    able = [reading for reading in readings if reading.measured]
    if metric.better == "none" or len(able) < 2:
        return tuple(readings)
    first = leaders(able, metric, noise)
    if len(first) == len(able):
        return tuple(readings)
    mark: Mark = "best" if len(first) == 1 else "tied"
    return tuple(replace(reading, mark=mark if reading in first else "") for reading in readings)


def leaders(readings: Sequence[Reading], metric: Metric, noise: Noise) -> list[Reading]:
    """The best reading and all that cannot be told apart from it."""
    best = min(readings, key=lambda reading: _cost(reading, metric))
    return [reading for reading in readings if alike(reading, best, metric, noise)]


def alike(one: Reading, other: Reading, metric: Metric, noise: Noise) -> bool:
    """Whether the two readings are a tie under the rule of the metric's kind."""
    a, b = _cost(one, metric), _cost(other, metric)
    if a == b:
        return True
    low, high = sorted((abs(a), abs(b)))
    if metric.kind != "time":
        return a * b > 0 and high / low <= metric.tolerance
    if abs(a - b) <= metric.resolution:
        return True
    paired = stats.compare(one.samples, other.samples)
    if paired and paired.n > 1:
        return paired.verdict(noise.floor(one, other)) == "tie"
    if _overlap(one, other):
        return True
    return a * b > 0 and high / low <= noise.floor(one, other)


def _cost(reading: Reading, metric: Metric) -> float:
    """The value as a number of which less is better."""
    if metric.kind == "outcome":
        return -float(outcome_rank(str(reading.value)))
    value = float(reading.value) if isinstance(reading.value, int | float) else float("inf")
    return -value if metric.better == "high" else value


def _overlap(one: Reading, other: Reading) -> bool:
    ours, theirs = _ends(one), _ends(other)
    return bool(ours and theirs and ours[0] <= theirs[1] and theirs[0] <= ours[1])


def _ends(reading: Reading) -> tuple[float, float] | None:
    """The interval over sessions; with a single session, the range of its samples."""
    if reading.low is None or reading.high is None:
        return reading.span
    return reading.low, reading.high

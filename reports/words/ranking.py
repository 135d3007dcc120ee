"""Who is first, and who cannot be told apart from the first: marks, by the one rule that tells values apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bench.analyse import outcomes
from bench.analyse.outcomes import Counts
from bench.analyse.sides import Values
from bench.analyse.tell_apart import Difference, counted, tell_apart
from bench.contract.records import NO_PIPELINE, NOT_RANKED, Record, Sample
from bench.questions.metric import Metric

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
    unit: str = ""
    samples: tuple[Sample, ...] = ()
    """What the value was computed from; compared by block with another arm's."""
    mark: Mark = ""

    @property
    def measured(self) -> bool:
        return self.value is not None

    @property
    def aside(self) -> str:
        """Why it is shown and not ranked; empty if it is."""
        return next((why for why in self.note.split("; ") if why.startswith(NOT_RANKED)), "").removeprefix(NOT_RANKED)

    @property
    def outcomes(self) -> Counts:
        """Of what has a text for each run: in how many runs it was which."""
        return counted(self.values)

    @property
    def values(self) -> Values:
        """As it is compared."""
        record = Record(
            engine=self.engine, pipeline=NO_PIPELINE, metric="", unit=self.unit, value=self.value, ci_low=self.low,
            ci_high=self.high, n=self.n, note=self.note,
        )  # fmt: skip
        return Values(record, self.samples)


@dataclass(frozen=True, slots=True)
class Noise:
    """The ratio that this result cannot tell from none, and where the figure comes from."""

    ratio: float = 1.0
    source: str = "not measured in this result"


def rank(readings: Sequence[Reading], metric: Metric, noise: Noise) -> tuple[Reading, ...]:
    """Mark the best reading, or all that share the first place with it.

    No mark where fewer than two can be compared, or where all are alike.
    """
    able = [reading for reading in readings if reading.measured and not reading.aside]
    if metric.better == "none" or len(able) < 2:
        return tuple(readings)
    first = leaders(able, metric, noise)
    if len(first) == len(able):
        return tuple(readings)
    mark: Mark = "best" if len(first) == 1 else "tied"
    return tuple(replace(reading, mark=mark if reading in first else "") for reading in readings)


def rank_alike(readings: Sequence[Reading], metric: Metric, noise: Noise) -> tuple[Reading, ...]:
    """Mark the best only among those that keep their steps apart in the same way; in the order given."""
    kinds = dict.fromkeys(reading.isolation for reading in readings)
    alike = [[reading for reading in readings if reading.isolation == kind] for kind in kinds]
    marked = {one.engine: one for group in alike for one in rank(group, metric, noise)}
    return tuple(marked[reading.engine] for reading in readings)


def against_best(
    readings: Sequence[Reading], metric: Metric, noise: Noise
) -> tuple[Reading, list[tuple[Reading, Difference]]]:
    """The best reading, and each other one as it is seen from there."""
    best = max(readings, key=lambda reading: _merit(reading, metric))
    return best, [(one, _apart(one, best, metric, noise)) for one in readings if one is not best]


def leaders(readings: Sequence[Reading], metric: Metric, noise: Noise) -> list[Reading]:
    """The best reading and all that cannot be told apart from it, but none that looks worse than one that can be."""
    best, others = against_best(readings, metric, noise)
    behind = [reading for reading, difference in others if difference.turn == "worse"]
    least = max((_merit(reading, metric) for reading in behind), default=None)
    return [one for one in readings if one is best or (one not in behind and _above(least, _merit(one, metric)))]


def _above(least: tuple[float, ...] | None, merit: tuple[float, ...]) -> bool:
    return least is None or merit > least


def _apart(reading: Reading, best: Reading, metric: Metric, noise: Noise) -> Difference:
    return tell_apart(best.values, reading.values, metric, floor=noise.ratio, paired=True)


def _merit(reading: Reading, metric: Metric) -> tuple[float, ...]:
    """More is better."""
    if metric.kind == "outcome":
        return outcomes.merit(metric.name, reading.outcomes)
    if not isinstance(reading.value, int | float):
        return (-math.inf,)
    value = float(reading.value)
    return (value,) if metric.better == "high" else (-value,)

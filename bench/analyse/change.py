"""How far two values are apart, with an interval where there can be one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import scipy

from bench.analyse.noise import by_block, detectable
from bench.analyse.sides import Values
from bench.analyse.summary import CONFIDENCE, PROPORTION, summarise
from bench.contract.records import Record, Sample

PAIRS = 2
"""So many blocks at least must two arms share to be paired by them."""

Scale = Literal["ratio", "difference"]


@dataclass(frozen=True, slots=True)
class Change:
    """From the reference to the other: a ratio; where a value is not above 0, a difference in the metric's unit."""

    value: float
    low: float | None
    high: float | None
    scale: Scale
    paired: bool = False
    detectable: float | None = None
    """The smallest ratio above 1 that this comparison would have shown in 80 % of cases; None without an interval."""

    @property
    def beyond_chance(self) -> bool:
        """Whether there is an interval and it excludes that nothing changed."""
        none = 1.0 if self.scale == "ratio" else 0.0
        return self.low is not None and self.high is not None and not self.low <= none <= self.high


def change(before: Values, after: Values, *, paired: bool = False) -> Change | None:
    """How far `after` is from `before`, with a 95 % interval where there is more than one session on each side.

    `paired`: both are of one result, and are compared by block where they share two at least. None if one holds no
    number.
    """
    if before.record.unit == PROPORTION:
        return _of_shares(before.record, after.record)
    if not before.samples or not after.samples:
        return _of_records(before.record, after.record)
    ratio = by_block(after.samples, before.samples) if paired else None
    if ratio and ratio.n >= PAIRS:
        return Change(ratio.value, ratio.low, ratio.high, "ratio", paired=True, detectable=ratio.detectable)
    ours, theirs = session_values(before.samples), session_values(after.samples)
    if not ours or not theirs:
        return None
    found = _scaled(welch, ours, theirs)
    return replace(found, detectable=_detectable(ours, theirs)) if found.scale == "ratio" else found


def session_values(samples: Iterable[Sample]) -> list[float]:
    """One value for each session: the median of its samples."""
    sessions: dict[int, list[Sample]] = defaultdict(list)
    for sample in samples:
        sessions[sample.session].append(sample)
    values = [summarise(of_session)[0].value for of_session in sessions.values()]
    return [float(value) for value in values if isinstance(value, int | float)]


def welch(before: Sequence[float], after: Sequence[float]) -> tuple[float, float | None, float | None]:
    """The difference of the means, after less before, with its 95 % interval.

    Two samples of unequal variance: Welch, Biometrika 34 (1947); degrees of freedom by Satterthwaite (1946).
    No interval with fewer than two values on a side, or if no value varies.
    """
    difference = float(np.mean(after) - np.mean(before))
    known = _error(before, after)
    if known is None:
        return difference, None, None
    error, freedom = known
    half = float(scipy.stats.t.ppf((1 + CONFIDENCE) / 2, freedom) * error)
    return difference, difference - half, difference + half


def _error(before: Sequence[float], after: Sequence[float]) -> tuple[float, float] | None:
    """Standard error of the difference of the means, and its degrees of freedom; None where `welch` has no interval."""
    sides = [np.asarray(side, dtype=float) for side in (before, after)]
    if min(map(len, sides)) < 2:
        return None
    parts = np.array([side.var(ddof=1) / len(side) for side in sides])
    if parts.sum() == 0:
        return None
    freedom = parts.sum() ** 2 / (parts**2 / [len(side) - 1 for side in sides]).sum()
    return float(np.sqrt(parts.sum())), float(freedom)


def _detectable(before: Sequence[float], after: Sequence[float]) -> float | None:
    known = _error(np.log(before).tolist(), np.log(after).tolist())
    return detectable(*known) if known else None


def from_intervals(before: Sequence[float], after: Sequence[float]) -> tuple[float, float, float]:
    """The difference of two independent estimates, each (value, low, high), with its interval.

    Keeps each one's own asymmetry: Zou and Donner, Statistics in Medicine 27 (2008), 'MOVER'.
    """
    (a, a_low, a_high), (b, b_low, b_high) = before, after
    low = float(np.hypot(b - b_low, a_high - a))
    high = float(np.hypot(b_high - b, a - a_low))
    return b - a, b - a - low, b - a + high


def _of_shares(before: Record, after: Record) -> Change | None:
    """The difference of two shares, with their Wilson intervals: method 10 of Newcombe, Stat. in Medicine 17 (1998)."""
    one, other = ([r.value, r.ci_low, r.ci_high] for r in (before, after))
    ours, theirs = ([float(x) for x in values if isinstance(x, int | float)] for values in (one, other))
    return Change(*from_intervals(ours, theirs), "difference") if len(ours) == len(theirs) == len(one) else None


def _of_records(before: Record, after: Record) -> Change | None:
    one, other = ([r.value, r.ci_low, r.ci_high] for r in (before, after))
    ours, theirs = ([x for x in values if isinstance(x, int | float)] for values in (one, other))
    if len(ours) == len(theirs) == len(one):
        return _scaled(from_intervals, ours, theirs)
    return _scaled(welch, ours[:1], theirs[:1]) if ours and theirs else None


def _scaled(
    compute: Callable[[Sequence[float], Sequence[float]], tuple[float, float | None, float | None]],
    before: Sequence[float],
    after: Sequence[float],
) -> Change:
    """On the log scale, and back to a ratio, where all values are above 0; as they stand elsewhere."""
    if min(*before, *after) <= 0:
        return Change(*compute(before, after), "difference")
    value, *ends = compute(np.log(before).tolist(), np.log(after).tolist())
    low, high = (None if end is None else float(np.exp(end)) for end in ends)
    return Change(float(np.exp(value)), low, high, "ratio")

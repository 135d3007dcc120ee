"""Estimates with intervals, and outliers.

One value per session, the median of its samples; times and other positive quantities on the log
scale. The estimate is the mean over sessions on that scale, the centre of its 95 % t-interval.
Outliers are labelled and stay in every estimate.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from bench.analyse.outcomes import distribution
from bench.analyse.placing import placed
from bench.contract.records import Record, Sample

CONFIDENCE = 0.95
LOG_UNITS = frozenset({"s", "bytes", "ratio", "rows/s"})
NO_INTERVAL_UNITS = frozenset({"boolean"})
PROPORTION = "proportion"
"""Unit of samples that are trials: 1 where something held, 0 where not."""
OUTLIER_SCORE = 3.5
OUTLIER_LEAST = 5
"""So many values of an arm at least, before one of them is called an outlier."""


def t_interval(
    values: ArrayLike, confidence: float = CONFIDENCE
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Mean and t-interval, of 95 % unless told, along the last axis, which must have at least two values."""
    data = np.asarray(values, dtype=float)
    n = data.shape[-1]
    mean = data.mean(axis=-1)
    half = scipy.stats.t.ppf((1 + confidence) / 2, n - 1) * data.std(axis=-1, ddof=1) / np.sqrt(n)
    return mean, mean - half, mean + half


def summarise(samples: Iterable[Sample]) -> list[Record]:
    """One record for each metric of each arm, pipeline and parameters; warm-ups do not count."""
    groups: dict[tuple[Any, ...], list[Sample]] = defaultdict(list)
    for sample in placed(samples):
        if not sample.warm_up:
            groups[_key(sample)].append(sample)
    return [_record(group) for group in groups.values()]


def outliers(samples: Sequence[Sample]) -> set[int]:
    """Indexes of the values far from the others of their arm, metric and parameters, over all sessions.

    Modified z-score above 3.5 (Iglewicz & Hoaglin, How to Detect and Handle Outliers, 1993), on the
    log scale for times. None among fewer than 5 values, nor where half of them are the same.
    """
    groups: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for index, s in enumerate(samples):
        if not s.warm_up and isinstance(s.value, int | float):
            groups[_key(s)].append(index)
    return {index for group in groups.values() for index in _far(group, samples)}


def _far(group: list[int], samples: Sequence[Sample]) -> list[int]:
    values = np.array([samples[index].value for index in group], dtype=float)
    scale = np.log(values) if samples[group[0]].unit in LOG_UNITS and values.min() > 0 else values
    distance = np.abs(scale - np.median(scale))
    spread = float(np.median(distance))
    if len(group) < OUTLIER_LEAST or spread == 0:
        return []
    # 0.6745 makes the median distance a standard deviation, for normal values
    return [index for index, d in zip(group, distance, strict=True) if 0.6745 * d / spread > OUTLIER_SCORE]


def _key(s: Sample) -> tuple[Any, ...]:
    params = json.dumps(s.params, sort_keys=True, default=str)
    return (s.engine, s.version, s.track, s.mode, s.isolation, s.pipeline, params, s.metric)


def _record(group: list[Sample]) -> Record:
    valued = [s for s in group if s.value is not None]
    if group[0].unit == PROPORTION and valued:
        return _proportion(group, valued)
    sessions: dict[int, list[float]] = defaultdict(list)
    for s in valued:
        if isinstance(s.value, int | float):
            sessions[s.session].append(float(s.value))
    low = high = None
    value: float | str | None
    n = len({s.session for s in valued})
    if not valued:
        value = None
    elif any(isinstance(s.value, str) for s in valued):
        value, n = _text(valued), len(valued)
    else:
        value, low, high = _estimate(list(sessions.values()), group[0].unit)
    like = group[0]
    return Record(
        engine=like.engine, version=like.version, track=like.track, mode=like.mode, isolation=like.isolation,
        pipeline=like.pipeline, params=like.params, metric=like.metric, unit=like.unit,
        value=value, ci_low=low, ci_high=high, n=n, note=_note(group, valued),
    )  # fmt: skip


def _proportion(group: list[Sample], valued: list[Sample]) -> Record:
    """The share of samples in which it held, over all sessions: each sample is a trial of its own.

    What the trials say of themselves is left to the samples; those that gave nothing are counted.
    """
    held = sum(1 for s in valued if s.value == 1.0)
    low, high = wilson(held, len(valued))
    one = valued[0]
    return Record(
        engine=one.engine, version=one.version, track=one.track, mode=one.mode, isolation=one.isolation,
        pipeline=one.pipeline, params=one.params, metric=one.metric, unit=PROPORTION,
        value=held / len(valued), ci_low=low, ci_high=high, n=len(valued), note=_failures(group, valued),
    )  # fmt: skip


def wilson(successes: int, n: int) -> tuple[float, float]:
    """95 % interval of a proportion, from 0 to 1, as SciPy computes it. `n` is at least 1.

    Wilson, Journal of the American Statistical Association 22 (1927); it also holds near 0 and 1, and for a small n.
    """
    found = scipy.stats.binomtest(successes, n).proportion_ci(CONFIDENCE, method="wilson")
    return float(found.low), float(found.high)


def _estimate(sessions: list[list[float]], unit: str) -> tuple[float, float | None, float | None]:
    """Value and interval over sessions; identical values are a constant and keep no interval."""
    everything = [value for session in sessions for value in session]
    if min(everything) == max(everything):
        return everything[0], None, None
    log = unit in LOG_UNITS and min(everything) > 0
    values = [median(session, log=log) for session in sessions]
    scale = np.log(values) if log else np.asarray(values)
    mean = float(np.exp(scale.mean()) if log else scale.mean())
    if len(values) == 1 or unit in NO_INTERVAL_UNITS or min(values) == max(values):
        return (values[0] if min(values) == max(values) else mean), None, None
    _, low, high = (float(np.exp(x) if log else x) for x in t_interval(scale))
    # a quantity that cannot be negative has no negative bound
    return mean, max(low, 0.0) if min(values) >= 0 else low, high


def median(values: Sequence[float], *, log: bool) -> float:
    """On the log scale if told, so that of an even number it is the geometric middle."""
    return float(np.exp(np.median(np.log(values)))) if log and len(values) > 1 else float(np.median(values))


def _text(valued: list[Sample]) -> str:
    """The value that all have, or each with its count."""
    return distribution(
        Counter(s.value if isinstance(s.value, str) else f"{s.value:g}" for s in valued if s.value is not None)
    )


def _note(group: list[Sample], valued: list[Sample]) -> str:
    """What the samples say beside their values; failures are counted, never dropped."""
    if not valued:
        return _reasons(group) or "not measured"
    said = [*dict.fromkeys(s.note for s in valued if s.note), *filter(None, [_failures(group, valued)])]
    if far := len(outliers(valued)):
        said.append(f"{far} outlier{'s' if far > 1 else ''} kept")
    return "; ".join(said)


def _failures(group: list[Sample], valued: list[Sample]) -> str:
    """How many sessions or samples gave no value, and why; empty if all did."""
    failed = [s for s in group if s.value is None]
    if not failed:
        return ""
    lost = {s.session for s in failed} - {s.session for s in valued}
    sessions = len({s.session for s in group})
    what = f"{len(lost)} of {sessions} sessions" if lost else f"{len(failed)} of {len(group)} samples"
    reasons = _reasons(failed)
    return f"{what} failed: {reasons.replace('failed: ', '')}" if reasons else f"{what} failed"


def _reasons(samples: list[Sample]) -> str:
    return "; ".join(dict.fromkeys(s.note for s in samples if s.value is None and s.note))

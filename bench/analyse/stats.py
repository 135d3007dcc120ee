"""Estimates with intervals, block-paired comparison, the noise floor, and outliers.

One value per session, the median of its samples; times and other positive quantities on the log
scale. The estimate is the mean over sessions on that scale, the centre of its 95 % t-interval.
Outliers are labelled and stay in every estimate.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from bench.contract.records import Record, Sample

CONFIDENCE = 0.95
POWER = 0.8
LOG_UNITS = frozenset({"s", "bytes", "ratio", "rows/s"})
NO_INTERVAL_UNITS = frozenset({"boolean"})
PROPORTION = "proportion"
"""Unit of samples that are trials: 1 where something held, 0 where not."""
AA_ARMS = ("prefect", "prefect-again")
AA_METRIC = "runtime.makespan_s"
OUTLIER_SCORE = 3.5
OUTLIER_LEAST = 5
"""So many values of an arm at least, before one of them is called an outlier."""

Word = Literal["faster", "slower", "tie"]


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

    def verdict(self, noise_floor: float = 1.0) -> Word:
        """`faster` or `slower` for a; `tie` if under the noise floor or not told apart by the interval."""
        if self.low is None or self.high is None or max(self.value, 1 / self.value) < noise_floor:
            return "tie"
        if self.low <= 1 <= self.high:
            return "tie"
        return "faster" if self.value < 1 else "slower"

    @property
    def noise_floor(self) -> float:
        """As an A/A ratio: a difference below it is none.

        Its distance from 1. If its interval excludes 1, the same thing differs from itself by more
        than chance, and the floor is the interval's far end. Chance alone does not raise it further:
        each comparison's own interval counts that already, and to count it twice would find a true
        10 % at 5 sessions with a spread of 3 % in 83 % of results, not in 95 %; either way the same
        is told from itself in less than 5 % (tests/bench/test_stats.py).
        """
        biased = self.low is not None and self.high is not None and not self.low <= 1 <= self.high
        ends = (self.value, self.low, self.high) if biased else (self.value,)
        return max(max(end, 1 / end) for end in ends if end)


def t_interval(
    values: ArrayLike, confidence: float = CONFIDENCE
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Mean and t-interval, of 95 % unless told, along the last axis, which must have at least two values."""
    data = np.asarray(values, dtype=float)
    n = data.shape[-1]
    mean = data.mean(axis=-1)
    half = stats.t.ppf((1 + confidence) / 2, n - 1) * data.std(axis=-1, ddof=1) / np.sqrt(n)
    return mean, mean - half, mean + half


def detectable_ratio(log_ratios: Sequence[float]) -> float | None:
    """The smallest true ratio above 1 that a 95 % test with this spread and n finds in 80 % of cases.

    None with fewer than two values.
    """
    n = len(log_ratios)
    if n < 2:
        return None
    reach = stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) + stats.t.ppf(POWER, n - 1)
    return float(np.exp(reach * np.std(log_ratios, ddof=1) / np.sqrt(n)))


def summarise(samples: Iterable[Sample]) -> list[Record]:
    """One record for each metric of each arm, pipeline and parameters; warm-ups do not count."""
    groups: dict[tuple[Any, ...], list[Sample]] = defaultdict(list)
    for sample in samples:
        if not sample.warm_up:
            groups[_key(sample)].append(sample)
    return [_record(group) for group in groups.values()]


def compare(a: Iterable[Sample], b: Iterable[Sample]) -> Ratio | None:
    """The ratio of a's values to b's by block, with its t-interval over blocks.

    Both are samples of one metric. None if no block has both, or if a value is not above 0.
    """
    ours, theirs = _by_block(a), _by_block(b)
    blocks = sorted(ours.keys() & theirs.keys())
    pairs = [(ours[block], theirs[block]) for block in blocks]
    if not pairs or any(value <= 0 for pair in pairs for value in pair):
        return None
    logs = [float(np.log(one) - np.log(other)) for one, other in pairs]
    if len(logs) == 1:
        return Ratio(float(np.exp(logs[0])), None, None, 1)
    value, low, high = (float(np.exp(x)) for x in t_interval(logs))
    return Ratio(value, low, high, len(logs), detectable_ratio(logs))


def noise(samples: Iterable[Sample]) -> list[Record]:
    """The A/A records, from one engine measured under two names; empty if it was not."""
    arms: dict[str, list[Sample]] = {name: [] for name in AA_ARMS}
    for s in samples:
        if s.metric == AA_METRIC and (s.track, s.mode, s.pipeline) == ("tuned", "served", "training"):
            arms.get(s.engine, []).append(s)
    first, second = (arms[name] for name in AA_ARMS)
    ratio = compare(first, second)
    if ratio is None:
        return []
    missing = "" if ratio.n > 1 else "one block has no interval"
    values = {
        "noise.aa_ratio": ratio.value,
        "noise.aa_low": ratio.low,
        "noise.aa_high": ratio.high,
        "noise.detectable_ratio": ratio.detectable,
    }
    like = first[0]
    return [
        Record(
            engine=AA_ARMS[0], version=like.version, track="tuned", mode="served", isolation=like.isolation,
            pipeline=like.pipeline, params=like.params, metric=metric, unit="ratio", value=value,
            ci_low=ratio.low if metric == "noise.aa_ratio" else None,
            ci_high=ratio.high if metric == "noise.aa_ratio" else None,
            n=ratio.n, note="" if value is not None else missing,
        )
        for metric, value in values.items()
    ]  # fmt: skip


def noise_floor(records: Iterable[Record]) -> float | None:
    """`Ratio.noise_floor` of the A/A records among these; None if there are none."""
    for r in records:
        if r.metric == "noise.aa_ratio" and isinstance(r.value, int | float):
            return Ratio(float(r.value), r.ci_low, r.ci_high, r.n).noise_floor
    return None


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
    if not valued:
        value = None
    elif any(isinstance(s.value, str) for s in valued):
        value = _text(valued)
    else:
        value, low, high = _estimate(list(sessions.values()), group[0].unit)
    like = group[0]
    return Record(
        engine=like.engine, version=like.version, track=like.track, mode=like.mode, isolation=like.isolation,
        pipeline=like.pipeline, params=like.params, metric=like.metric, unit=like.unit,
        value=value, ci_low=low, ci_high=high, n=len({s.session for s in valued}), note=_note(group, valued),
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
    found = stats.binomtest(successes, n).proportion_ci(CONFIDENCE, method="wilson")
    return float(found.low), float(found.high)


def _estimate(sessions: list[list[float]], unit: str) -> tuple[float, float | None, float | None]:
    """Value and interval over sessions; identical values are a constant and keep no interval."""
    everything = [value for session in sessions for value in session]
    if min(everything) == max(everything):
        return everything[0], None, None
    log = unit in LOG_UNITS and min(everything) > 0
    values = [_median(session, log=log) for session in sessions]
    scale = np.log(values) if log else np.asarray(values)
    mean = float(np.exp(scale.mean()) if log else scale.mean())
    if len(values) == 1 or unit in NO_INTERVAL_UNITS or min(values) == max(values):
        return (values[0] if min(values) == max(values) else mean), None, None
    _, low, high = (float(np.exp(x) if log else x) for x in t_interval(scale))
    # a quantity that cannot be negative has no negative bound
    return mean, max(low, 0.0) if min(values) >= 0 else low, high


def _median(values: Sequence[float], *, log: bool) -> float:
    return float(np.exp(np.median(np.log(values)))) if log and len(values) > 1 else float(np.median(values))


def _by_block(samples: Iterable[Sample]) -> dict[int, float]:
    blocks: dict[int, list[float]] = defaultdict(list)
    for s in samples:
        if not s.warm_up and isinstance(s.value, int | float):
            blocks[s.block].append(float(s.value))
    return {block: _median(values, log=min(values) > 0) for block, values in blocks.items()}


def _text(valued: list[Sample]) -> str:
    """The value that all have, or each with its count, the most common first."""
    counts = Counter(s.value if isinstance(s.value, str) else f"{s.value:g}" for s in valued if s.value is not None)
    common = counts.most_common()
    return common[0][0] if len(common) == 1 else ", ".join(f"{times}× {text}" for text, times in common)


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

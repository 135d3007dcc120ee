"""How a run's time grows with its number of tasks: T(n) = a + b·n, and + c·n² where it helps.

a is the fixed cost of a run, b the marginal cost of a task, for parallel tasks per task of the
whole. One value per session and n, the median of its makespans. Each session has a fit of its own,
and the 95 % t-interval is over the sessions' coefficients: whatever slows a session down as a whole
is in it. A figure is called fitted only where it could have come out wrong: from at least two
sessions, each with more sizes than coefficients, so three for a line. A cost that comes out below
zero is none: the line does not hold down to where it is read off. The spread of times grows with the
times, so relative residuals are minimised: weights 1/T² with the fitted T, for with the measured one
the fast runs would weigh most (quasi-likelihood with a constant coefficient of variation: McCullagh
& Nelder, Generalized Linear Models, 1989, chapter 8).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.analyse.summary import CONFIDENCE, t_interval
from bench.contract.described import DeclaredPipeline
from bench.contract.records import Record, Sample

METRIC = "runtime.makespan_s"
NAMES = ("scaling.fixed_s", "scaling.marginal_s", "scaling.quadratic_s")
REWEIGHTINGS = 3
SESSIONS = 2
"""So many at least must have sizes enough, or nothing is fitted."""

Floats = NDArray[np.float64]
Curve = Mapping[int, float]
"""Of one session: number of tasks -> seconds."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Coefficients from the constant upwards, with the ends of their intervals."""

    value: Floats
    low: Floats
    high: Floats
    sessions: int
    how: str


def fits(samples: Iterable[Sample], pipelines: Iterable[DeclaredPipeline]) -> list[Record]:
    """The scaling.* records of each arm and each of the pipelines with a shape, by its makespans of several sizes.

    superlinear_at_n: the smallest n above the line through the smaller ones, beyond the interval
    that this line predicts; fails_at_n: the smallest n with a run that has no makespan. Their value
    is None where there is no such n, and the note says up to where.
    """
    groups: dict[tuple[str, ...], list[Sample]] = defaultdict(list)
    sizes = {one.name: one.size for one in pipelines if one.shape}
    for s in samples:
        if s.metric == METRIC and s.params.keys() == {sizes.get(s.pipeline)} and not s.warm_up:
            groups[s.engine, s.track, s.mode, s.pipeline].append(s)
    return [record for group in groups.values() for record in _records(group)]


def _records(group: Sequence[Sample]) -> Iterator[Record]:
    curves = _curves(group)
    sizes = sorted({n for curve in curves for n in curve})
    fit = _chosen(curves)
    if fit is None:
        yield from (_record(group, name, "s", None, note=_unfitted(curves, sizes)) for name in NAMES[:2])
    else:
        note = f"n from {sizes[0]} to {sizes[-1]}; {fit.how}"
        for i, name in enumerate(NAMES[: len(fit.value)]):
            yield _coefficient(group, name, fit, i, note)
    at, note = _superlinear(curves, sizes)
    yield _record(group, "scaling.superlinear_at_n", "count", at, n=len(curves), note=note)
    at, note = _fails(group)
    yield _record(group, "scaling.fails_at_n", "count", at, n=len(curves), note=note)


def _unfitted(curves: Sequence[Curve], sizes: Sequence[int]) -> str:
    """Why there is no fit: too little was measured to tell a line from something else."""
    if not sizes:
        return "no run ended"
    most = max(map(len, curves))
    had = f"{len(curves)} session{'s' * (len(curves) != 1)} with at most {most} size{'s' * (most != 1)}"
    return f"not fitted: {had}; a line needs {SESSIONS} sessions with 3 each"


def _coefficient(group: Sequence[Sample], name: str, fit: Fit, i: int, note: str) -> Record:
    """With its interval; a cost below zero has no value."""
    value, ends = float(fit.value[i]), (float(fit.low[i]), float(fit.high[i]))
    if value < 0 and name != NAMES[2]:
        why = f"the line gives {value:.3g} s, and no cost is below zero: it does not hold down to no task; {note}"
        return _record(group, name, "s", None, note=why)
    more = "; of the first tasks, the quadratic part comes on top" if i == 1 and len(fit.value) > 2 else ""
    return _record(group, name, "s", value, ends, n=fit.sessions, note=note + more)


def _record(
    group: Sequence[Sample],
    metric: str,
    unit: str,
    value: float | None,
    ends: tuple[float | None, float | None] = (None, None),
    *,
    n: int = 0,
    note: str,
) -> Record:
    like = group[0]
    # a run that failed early, or with a single step, does not show its isolation
    shown = Counter(s.isolation for s in group if s.value is not None and s.isolation != "none")
    return Record(
        engine=like.engine, version=like.version, track=like.track, mode=like.mode,
        isolation=shown.most_common(1)[0][0] if shown else like.isolation, pipeline=like.pipeline,
        metric=metric, unit=unit, value=value, ci_low=ends[0], ci_high=ends[1], n=n, note=note,
    )  # fmt: skip


def _size(sample: Sample) -> int:
    """Its one parameter."""
    (size,) = sample.params.values()
    return int(size)


def _curves(group: Iterable[Sample]) -> list[Curve]:
    found: dict[int, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for s in group:
        if isinstance(s.value, int | float) and s.value > 0:
            found[s.session][_size(s)].append(float(s.value))
    return [
        {n: float(np.exp(np.median(np.log(values)))) for n, values in sorted(curve.items())} for curve in found.values()
    ]


def _chosen(curves: Sequence[Curve]) -> Fit | None:
    """The line, or the curve if its interval says that it bends and AICc that this is worth a coefficient."""
    line, bent = _fit(curves, 1), _fit(curves, 2)
    if line is None or bent is None:
        return line
    helps = not bent.low[2] <= 0 <= bent.high[2] and _aicc(curves, bent) < _aicc(curves, line)
    return bent if helps else line


def _fit(curves: Sequence[Curve], degree: int) -> Fit | None:
    """None with too few sessions that have more sizes than it has coefficients."""
    able = [curve for curve in curves if len(curve) > degree + 1]
    if len(able) < SESSIONS:
        return None
    value, low, high = t_interval(np.array([_coefficients(*_points([curve]), degree) for curve in able]).T)
    left = f", {len(curves) - len(able)} with too few sizes left out" if len(able) < len(curves) else ""
    return Fit(value, low, high, len(able), f"mean of the fits of {len(able)} sessions{left}")


def _points(curves: Iterable[Curve]) -> tuple[Floats, Floats]:
    pairs = [pair for curve in curves for pair in curve.items()]
    return np.array([n for n, _ in pairs], dtype=float), np.array([t for _, t in pairs], dtype=float)


def _coefficients(n: Floats, t: Floats, degree: int) -> Floats:
    powers, expected = _powers(n, degree), t
    for _ in range(REWEIGHTINGS):
        value = np.asarray(np.linalg.lstsq(powers / expected[:, None], t / expected, rcond=None)[0], dtype=np.float64)
        expected = _expected(n, t, value)
    return value


def _expected(n: Floats, t: Floats, value: Floats) -> Floats:
    # a fit that falls below zero must not turn a weight around
    return np.asarray(np.maximum(_powers(n, len(value) - 1) @ value, t.min() / 2))


def _powers(n: Floats, degree: int) -> Floats:
    return np.vander(n, degree + 1, increasing=True)


def _aicc(curves: Sequence[Curve], fit: Fit) -> float:
    """Akaike's criterion with the correction for few points (Hurvich & Tsai 1989), of residuals of log T."""
    n, t = _points(curves)
    fitted = _powers(n, len(fit.value) - 1) @ fit.value
    count, free = len(n), len(fit.value) + 1
    if fitted.min() <= 0 or count <= free + 1:
        return float("inf")
    squares = float(np.sum(np.log(t / fitted) ** 2))
    return count * math.log(max(squares, 1e-12) / count) + 2 * free + 2 * free * (free + 1) / (count - free - 1)


def _superlinear(curves: Sequence[Curve], sizes: Sequence[int]) -> tuple[float | None, str]:
    """The smallest size that a line does not reach, at 95 % for all sizes together (Bonferroni)."""
    confidence = 1 - (1 - CONFIDENCE) / max(len(sizes) - 2, 1)
    tested = {n: found for n in sizes[2:] if (found := _excess(curves, n, confidence))}
    for n, (low, factor) in tested.items():
        if low > 0:
            return float(n), f"{factor:.2f} times what the line through the smaller sizes predicts"
    return None, f"not up to n={max(tested)}" if tested else "not tested: too few sizes or sessions"


def _excess(curves: Sequence[Curve], size: int, confidence: float) -> tuple[float, float] | None:
    """Lower end of T(size) less what the line through the smaller sizes predicts, over sessions, and their ratio.

    None with too few sessions that have that size and two smaller ones.
    """
    pairs = [({n: t for n, t in curve.items() if n < size}, curve[size]) for curve in curves if size in curve]
    able = [(smaller, t) for smaller, t in pairs if len(smaller) > 1]
    if len(able) < SESSIONS:
        return None
    times = np.array([t for _, t in able])
    predicted = np.array([np.array([1.0, size]) @ _coefficients(*_points([smaller]), 1) for smaller, _ in able])
    _, low, _ = t_interval(times - predicted, confidence)
    return float(low), float(times.mean() / predicted.mean())


def _fails(group: Sequence[Sample]) -> tuple[float | None, str]:
    sizes = sorted({_size(s) for s in group})
    for n in sizes:
        runs = [s for s in group if _size(s) == n]
        failed = [s for s in runs if s.value is None]
        if failed:
            reasons = "; ".join(dict.fromkeys(s.note for s in failed if s.note)) or "no reason given"
            return float(n), f"{len(failed)} of {len(runs)} runs: {reasons}"
    return None, f"none up to n={sizes[-1]}"

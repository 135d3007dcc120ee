"""Whether the order of the sessions shows in their times: by position within a block, and over the whole result.

Both are randomisation tests of plain, served runs: how often a random order of the
same values would have given an effect as large as the one seen, either way. Few assumptions, and
valid with few blocks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from bench.contract.records import NO_PIPELINE, Record, Run, Sample

METRIC = "runtime.makespan_s"
LEAST_BLOCKS = 3
PERMUTATIONS = 9999
NS_PER_HOUR = 3.6e12

Floats = NDArray[np.float64]
Group = tuple[Floats, Floats]
"""x and y of what may be exchanged for each other."""


@dataclass(frozen=True, slots=True)
class Served:
    """One session of one arm: the median of its makespans, on the log scale."""

    arm: tuple[str, str, str]
    """Engine, track, pipeline."""
    block: int
    session: int
    log_s: float


def order_effects(samples: Iterable[Sample], runs: Iterable[Run] = ()) -> list[Record]:
    """noise.position_p, noise.drift_p and noise.drift_per_hour_ratio; empty without plain, served runs.

    position_p: makespans, less the mean of their arm and then of their block, against the session's
    rank within its block; positions are exchanged within blocks, as the drawn order could have been:
    where those of a track stand together, among themselves.
    drift_p: makespans less the mean of their arm against the session's number, exchanged within
    arms. drift_per_hour_ratio: the slope over the submit times that `runs` give, 1 for none.
    """
    seen = _sessions(samples)
    if not seen:
        return []
    blocks = len({s.block for s in seen})
    if blocks < LEAST_BLOCKS:
        names = (("noise.position_p", "p"), ("noise.drift_p", "p"), ("noise.drift_per_hour_ratio", "ratio"))
        return [_record(name, unit, None, blocks, f"fewer than {LEAST_BLOCKS} blocks") for name, unit in names]
    hour = _hours(seen, runs)
    slope = _slope(_by_arm(seen, [hour[s.session] for s in seen])) if hour else None
    return [
        _record("noise.position_p", "p", _permutation_p(_by_block(seen)), blocks),
        _record("noise.drift_p", "p", _permutation_p(_by_arm(seen, [s.session for s in seen])), blocks),
        _record("noise.drift_per_hour_ratio", "ratio", slope, blocks, "" if slope else "no times of the sessions"),
    ]


def _record(metric: str, unit: str, value: float | None, blocks: int, note: str = "") -> Record:
    return Record(engine="harness", pipeline=NO_PIPELINE, metric=metric, unit=unit, value=value, n=blocks, note=note)


def _sessions(samples: Iterable[Sample]) -> list[Served]:
    """One arm a session: an isolation variant runs in its engine's session and has the longer name.

    Runs of a size are none of them: which sizes were measured differs between sessions.
    """
    found: dict[tuple[int, int], dict[tuple[str, str, str], list[float]]] = defaultdict(lambda: defaultdict(list))
    for s in samples:
        plain = (s.metric, s.mode) == (METRIC, "served") and not s.params and not s.warm_up
        if plain and isinstance(s.value, int | float) and s.value > 0:
            found[s.block, s.session][s.engine, s.track, s.pipeline].append(float(np.log(s.value)))
    return [
        Served(arm := min(arms), block, session, float(np.median(arms[arm])))
        for (block, session), arms in sorted(found.items())
    ]


def _less_mean(values: Sequence[float] | Floats, of: Sequence[object]) -> Floats:
    """Each value less the mean of those with the same key."""
    data, result = np.asarray(values, dtype=float), np.empty(len(values))
    for key in set(of):
        same = [i for i, other in enumerate(of) if other == key]
        result[same] = data[same] - data[same].mean()
    return result


def _groups(x: Sequence[float] | Floats, y: Floats, of: Sequence[object]) -> list[Group]:
    centred = _less_mean(x, of)
    rows = [[i for i, other in enumerate(of) if other == key] for key in dict.fromkeys(of)]
    return [(centred[same], y[same]) for same in rows]


def _exchangeable(seen: Sequence[Served]) -> list[tuple[int, str]]:
    """Of each session within what its place was drawn: its block, or those of its track, where they stand together."""
    tracks: dict[int, list[str]] = defaultdict(list)
    for s in sorted(seen, key=lambda one: one.session):
        tracks[s.block].append(s.arm[1])
    together = all(len(list(groupby(own))) == len(set(own)) for own in tracks.values())
    return [(s.block, s.arm[1] if together else "") for s in seen]


def _by_block(seen: Sequence[Served]) -> list[Group]:
    blocks = _exchangeable(seen)
    rest = _less_mean(_less_mean([s.log_s for s in seen], [s.arm for s in seen]), blocks)
    places: dict[object, list[int]] = defaultdict(list)
    for block, s in zip(blocks, seen, strict=True):
        places[block].append(s.session)
    ranks = [sorted(places[block]).index(s.session) for block, s in zip(blocks, seen, strict=True)]
    return _groups(ranks, rest, blocks)


def _by_arm(seen: Sequence[Served], x: Sequence[float]) -> list[Group]:
    arms = [s.arm for s in seen]
    return _groups(x, _less_mean([s.log_s for s in seen], arms), arms)


def _permutation_p(groups: Sequence[Group]) -> float:
    """Two-sided p of the sum of x·y, x being exchanged within its group; never below 1 / (permutations + 1)."""
    draw = np.random.default_rng(0)  # the same result gives the same p
    total = sum(float(x @ y) for x, y in groups)
    others = sum(draw.permuted(np.tile(x, (PERMUTATIONS, 1)), axis=1) @ y for x, y in groups)
    as_large = int(np.count_nonzero(np.abs(others) >= abs(total) * (1 - 1e-9)))
    return (1 + as_large) / (1 + PERMUTATIONS)


def _slope(groups: Sequence[Group]) -> float | None:
    """The factor by which a makespan grows for each 1 of x."""
    squares = sum(float(x @ x) for x, _ in groups)
    return float(np.exp(sum(float(x @ y) for x, y in groups) / squares)) if squares else None


def _hours(seen: Sequence[Served], runs: Iterable[Run]) -> dict[int, float]:
    """Session -> its first submission, in hours; empty if one is unknown or the clock began anew in between."""
    first: dict[int, int] = {}
    for run in runs:
        if run.submit_ns:
            first[run.session] = min(run.submit_ns, first.get(run.session, run.submit_ns))
    numbers = sorted(s.session for s in seen)
    if any(number not in first for number in numbers):
        return {}
    times = [first[number] for number in numbers]
    return {n: t / NS_PER_HOUR for n, t in zip(numbers, times, strict=True)} if times == sorted(times) else {}

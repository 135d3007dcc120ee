"""Values beside each other, from two results or within one: how far they are apart.

Which way is better, and so every verdict, is left to the reports' catalogue.
"""

from __future__ import annotations

import json
import string
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
import numpy as np
from scipy.stats import t as student

from bench.analyse import stats
from bench.contract.errors import UsageError
from bench.contract.records import Manifest, Record, Sample
from bench.observe import reading

OF_THE_RESULT = "noise."
"""Metrics with this prefix say how good a result is, not what was measured."""

Scale = Literal["ratio", "difference"]


@dataclass(frozen=True, slots=True)
class Measured:
    """A result folder in memory, as far as it is compared."""

    name: str
    manifest: Manifest
    samples: tuple[Sample, ...]
    records: tuple[Record, ...]


class Place(NamedTuple):
    """What a value belongs to. Version and isolation are not part of it: they may differ between the sides."""

    engine: str
    track: str
    mode: str
    pipeline: str
    params: str
    """JSON with sorted keys."""
    metric: str


@dataclass(frozen=True)
class Values:
    """What one side holds at one place: all its samples but warm-ups, summarised."""

    record: Record
    samples: tuple[Sample, ...] = ()
    """Empty for what is computed over arms, such as a fit; then the record is all there is."""
    version: str = ""
    isolation: str = ""

    @cached_property
    def constant(self) -> bool:
        """Whether every sample gave the same number. Of trials that says little: a share has its interval."""
        if self.record.unit == stats.PROPORTION:
            return False
        if self.samples:
            return len({s.value for s in self.samples if s.value is not None}) == 1
        return self.record.ci_low is None and self.record.unit not in stats.LOG_UNITS


@dataclass(frozen=True, slots=True)
class Side:
    """One of the things compared: a result, or an arm or a track within one."""

    label: str
    about: str
    values: Mapping[Place, Values]


@dataclass(frozen=True, slots=True)
class Change:
    """From the reference to the other: a ratio; where a value is not above 0, a difference in the metric's unit."""

    value: float
    low: float | None
    high: float | None
    scale: Scale
    paired: bool = False

    @property
    def told_apart(self) -> bool:
        """Whether there is an interval and it excludes that nothing changed."""
        none = 1.0 if self.scale == "ratio" else 0.0
        return self.low is not None and self.high is not None and not self.low <= none <= self.high


def load(folder: Path) -> Measured:
    """Read a result folder; UsageError if it is none, is of another schema, or has not been summarised."""
    folder = folder.resolve()
    manifest = reading.load_manifest(folder)
    if not (folder / "summary.json").exists():
        raise UsageError(f"{folder}: has no summary.json; make it with 'orchbench report {folder}'")
    records = tuple(reading.load_summary(folder).records)
    return Measured(folder.name, manifest, tuple(reading.load(folder, Sample)), records)


def of_results(results: Sequence[Measured]) -> list[Side]:
    """A side for each result, labelled A, B, ..."""
    return [_side(letter(i), one.name, one.samples, one.records) for i, one in enumerate(results)]


def of_arms(result: Measured, names: Sequence[str]) -> list[Side]:
    """A side for each named arm of one result; UsageError if it has no such arm."""
    return _within(result, "engine", names)


def of_tracks(result: Measured, names: Sequence[str]) -> list[Side]:
    """A side for each named track of one result; UsageError if it has no such track."""
    return _within(result, "track", names)


def letter(index: int) -> str:
    """A, B, ..., Z, AA, BB, ..."""
    return string.ascii_uppercase[index % 26] * (index // 26 + 1)


def change(before: Values, after: Values, *, paired: bool = False) -> Change | None:
    """How far `after` is from `before`, with a 95 % interval where there is more than one session on each side.

    `paired`: both are of one result, and are compared by block where they can be. None if one holds no number.
    """
    if before.record.unit == stats.PROPORTION:
        return _of_shares(before.record, after.record)
    if not before.samples or not after.samples:
        return _of_records(before.record, after.record)
    ratio = stats.compare(after.samples, before.samples) if paired else None
    if ratio:
        return Change(ratio.value, ratio.low, ratio.high, "ratio", paired=True)
    ours, theirs = session_values(before.samples), session_values(after.samples)
    if not ours or not theirs:
        return None
    return _scaled(welch, ours, theirs)


def session_values(samples: Iterable[Sample]) -> list[float]:
    """One value for each session: the median of its samples."""
    sessions: dict[int, list[Sample]] = defaultdict(list)
    for sample in samples:
        sessions[sample.session].append(sample)
    values = [stats.summarise(of_session)[0].value for of_session in sessions.values()]
    return [float(value) for value in values if isinstance(value, int | float)]


def welch(before: Sequence[float], after: Sequence[float]) -> tuple[float, float | None, float | None]:
    """The difference of the means, after less before, with its 95 % interval.

    Two samples of unequal variance: Welch, Biometrika 34 (1947); degrees of freedom by Satterthwaite (1946).
    No interval with fewer than two values on a side, or if no value varies.
    """
    one, other = np.asarray(before, dtype=float), np.asarray(after, dtype=float)
    difference = float(other.mean() - one.mean())
    if min(len(one), len(other)) < 2:
        return difference, None, None
    parts = np.array([side.var(ddof=1) / len(side) for side in (one, other)])
    if parts.sum() == 0:
        return difference, None, None
    freedom = parts.sum() ** 2 / (parts**2 / [len(one) - 1, len(other) - 1]).sum()
    half = float(student.ppf((1 + stats.CONFIDENCE) / 2, freedom) * np.sqrt(parts.sum()))
    return difference, difference - half, difference + half


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


def _within(result: Measured, field: Literal["engine", "track"], names: Sequence[str]) -> list[Side]:
    met = dict.fromkeys(getattr(s, field) for s in result.samples)
    for name in names:
        if name not in met:
            found = ", ".join(sorted(m for m in met if m != "none"))
            what = "arm" if field == "engine" else field
            raise UsageError(f"{result.name}: has no {what} '{name}'; it has {found}")
    return [
        _side(
            name, result.name, [s for s in result.samples if getattr(s, field) == name],
            [r for r in result.records if getattr(r, field) == name], **{field: ""},
        )
        for name in names
    ]  # fmt: skip


def _side(label: str, about: str, samples: Iterable[Sample], records: Iterable[Record], **forget: str) -> Side:
    """Gather by place. Sides of one result differ in a field that `forget` takes out of the place."""
    groups: dict[Place, list[Sample]] = defaultdict(list)
    for sample in samples:
        if not sample.warm_up:
            groups[_place(sample, forget)].append(sample)
    values = {place: _values(group) for place, group in groups.items()}
    for record in records:
        place = _place(record, forget)
        if place not in values:
            values[place] = Values(record, (), record.version, record.isolation)
    kept = {place: found for place, found in values.items() if not place.metric.startswith(OF_THE_RESULT)}
    return Side(label, about, kept)


def _values(group: Sequence[Sample]) -> Values:
    alike = tuple(msgspec.structs.replace(s, version="", isolation="") for s in group)
    version, isolation = (
        ", ".join(sorted({str(getattr(s, field)) for s in group} - {"", "none"})) for field in ("version", "isolation")
    )
    return Values(stats.summarise(alike)[0], alike, version, isolation)


def _place(one: Sample | Record, forget: Mapping[str, str]) -> Place:
    params = json.dumps(one.params, sort_keys=True, default=str)
    place = Place(one.engine, one.track, one.mode, one.pipeline, params, one.metric)
    return place._replace(**forget)

"""What is compared: results, or arms or tracks within one, with all the values of each."""

from __future__ import annotations

import json
import string
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Literal, NamedTuple

import msgspec

from bench.analyse.summary import summarise
from bench.contract.errors import UsageError
from bench.contract.records import Manifest, Record, Sample
from bench.observe import reading

OF_THE_RESULT = "noise."
"""Metrics with this prefix say how good a result is, not what was measured."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A result folder in memory, as far as it is compared."""

    name: str
    manifest: Manifest
    samples: tuple[Sample, ...]
    records: tuple[Record, ...]


class Identity(NamedTuple):
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
    """What one side holds at one identity: all its samples but warm-ups, summarised."""

    record: Record
    samples: tuple[Sample, ...] = ()
    """Empty for what is computed over arms, such as a fit; then the record is all there is."""
    version: str = ""
    isolation: str = ""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the things compared: a result, or an arm or a track within one."""

    label: str
    about: str
    values: Mapping[Identity, Values]


def load(folder: Path) -> Measured:
    """Read a result folder; UsageError if it is none, is of another schema, or has not been summarised."""
    folder = folder.resolve()
    manifest = reading.load_manifest(folder)
    if not (folder / "summary.json").exists():
        raise UsageError(f"{folder}: has no summary.json; make it: ./orchbench report {quote(str(folder))}")
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
    """Gather by identity. Sides of one result differ in a field that `forget` takes out of it."""
    groups: dict[Identity, list[Sample]] = defaultdict(list)
    for sample in samples:
        if not sample.warm_up:
            groups[_identity(sample, forget)].append(sample)
    values = {identity: _values(group) for identity, group in groups.items()}
    for record in records:
        identity = _identity(record, forget)
        if identity not in values:
            values[identity] = Values(record, (), record.version, record.isolation)
    kept = {identity: found for identity, found in values.items() if not identity.metric.startswith(OF_THE_RESULT)}
    return Side(label, about, kept)


def _values(group: Sequence[Sample]) -> Values:
    alike = tuple(msgspec.structs.replace(s, version="", isolation="") for s in group)
    version, isolation = (
        ", ".join(sorted({str(getattr(s, field)) for s in group} - {"", "none"})) for field in ("version", "isolation")
    )
    return Values(summarise(alike)[0], alike, version, isolation)


def _identity(one: Sample | Record, forget: Mapping[str, str]) -> Identity:
    params = json.dumps(one.params, sort_keys=True, default=str)
    found = Identity(one.engine, one.track, one.mode, one.pipeline, params, one.metric)
    return found._replace(**forget)

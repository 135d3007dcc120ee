"""Reads a result folder, whole or not. What cannot be read is named in the report, never passed over."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec import structs

from bench.contract.errors import UsageError
from bench.contract.records import SCHEMA_VERSION, Audit, Evidence, Manifest, Record, Run, Sample, Strike, Verdict
from bench.observe import reading
from bench.observe.reading import SUMMARY, Summary
from core.instrument import journal

SUFFIXES = (".py", ".yaml", ".yml", ".toml")


@dataclass(frozen=True, slots=True)
class Source:
    """One pipeline file as measured, with the numbers of the lines that count as source."""

    name: str
    text: str
    counted: frozenset[int]


@dataclass(frozen=True, slots=True)
class Result:
    """A result folder in memory. `damage` lists what was there but could not be read."""

    folder: Path
    manifest: Manifest
    records: tuple[Record, ...] = ()
    samples: tuple[Sample, ...] = ()
    runs: tuple[Run, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    audits: tuple[Audit, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    strikes: tuple[Strike, ...] = ()
    journals: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    code: Mapping[str, tuple[Source, ...]] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    damage: tuple[str, ...] = ()


def load(folder: Path) -> Result:
    """Read the folder. UsageError if it has no readable manifest."""
    damage: list[str] = []
    manifest = _without_places(reading.load_manifest(folder))
    runs = reading.salvage(folder, Run, damage)
    summary = _summary(folder, damage)
    return Result(
        folder=folder,
        manifest=manifest,
        records=tuple(summary.records),
        samples=reading.salvage(folder, Sample, damage),
        runs=runs,
        verdicts=reading.salvage(folder, Verdict, damage),
        audits=tuple(summary.audits),
        evidence=reading.salvage(folder, Evidence, damage),
        strikes=reading.salvage(folder, Strike, damage),
        journals=_journals(folder / "runs", runs, damage),
        code={engine.name: _sources(engine, damage) for engine in _folders(folder / "code")},
        notes={engine.name: _text(engine / "NOTES.md") for engine in _folders(folder / "code")},
        damage=tuple(damage),
    )


def _without_places(manifest: Manifest) -> Manifest:
    """With the names of a user's files alone: results of earlier versions have their paths."""
    data, arguments = (
        given | {name: str(given[name]).rpartition("/")[2] for name in names if given.get(name)}
        for given, names in ((manifest.data, ("path",)), (manifest.arguments, ("data", "test_data")))
    )
    return structs.replace(manifest, data=data, arguments=arguments)


def _summary(folder: Path, damage: list[str]) -> Summary:
    if not (folder / SUMMARY).exists():
        damage.append(f"{SUMMARY} is missing: nothing has been computed from the samples")
    try:
        return reading.load_summary(folder)
    except UsageError as error:
        damage.append(f"{SUMMARY} cannot be read: {error.__cause__}")
        return Summary(SCHEMA_VERSION, [])


def _journals(folder: Path, runs: tuple[Run, ...], damage: list[str]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for run in (one for one in runs if one.scenario):  # only what was done to a run is drawn
        if not run.run_id or Path(run.run_id).name != run.run_id:
            continue
        try:
            found[run.run_id] = journal.read(folder / run.run_id)
        except (ValueError, OSError) as error:
            damage.append(f"the journal of run {run.run_id} cannot be read: {error}")
    return found


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def _sources(folder: Path, damage: list[str]) -> tuple[Source, ...]:
    counted: dict[str, list[int]] = {}
    try:
        counted = json.loads(_text(folder / "counted.json") or "{}")
    except ValueError as error:
        damage.append(f"code/{folder.name}/counted.json cannot be read: {error}")
    files = sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES and "__pycache__" not in path.parts)
    names = [path.relative_to(folder).as_posix() for path in files]
    return tuple(
        Source(name, _text(path), frozenset(counted.get(name, ()))) for name, path in zip(names, files, strict=True)
    )


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

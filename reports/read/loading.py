"""Reads a result folder, whole or not. What cannot be read is named in the report, never passed over."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from bench.contract.records import SCHEMA_VERSION, Audit, Evidence, Manifest, Record, Run, Sample, Strike, Verdict
from bench.observe.store import Summary
from core.instrument import journal

T = TypeVar("T")
SUFFIXES = (".py", ".yaml", ".yml", ".toml")


class ReportError(Exception):
    """The folder holds no result; the message says which file is missing or broken."""


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
    """Read the folder. Raises ReportError if it has no readable manifest."""
    damage: list[str] = []
    runs = _lines(folder / "runs.jsonl", Run, damage)
    summary = _summary(folder / "summary.json", damage)
    return Result(
        folder=folder,
        manifest=_manifest(folder / "manifest.json"),
        records=tuple(summary.records),
        samples=_lines(folder / "samples.jsonl", Sample, damage),
        runs=runs,
        verdicts=_lines(folder / "verdicts.jsonl", Verdict, damage),
        audits=tuple(summary.audits),
        evidence=_lines(folder / "evidence.jsonl", Evidence, damage),
        strikes=_lines(folder / "strikes.jsonl", Strike, damage),
        journals=_journals(folder / "runs", runs, damage),
        code={engine.name: _sources(engine, damage) for engine in _folders(folder / "code")},
        notes={engine.name: _text(engine / "NOTES.md") for engine in _folders(folder / "code")},
        damage=tuple(damage),
    )


def _manifest(path: Path) -> Manifest:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except OSError as error:
        raise ReportError(f"{path}: {error.strerror}. Give a result folder, which holds manifest.json") from error
    except msgspec.MsgspecError as error:
        raise ReportError(f"{path}: not a manifest: {error}") from error


def _summary(path: Path, damage: list[str]) -> Summary:
    if not path.exists():
        damage.append("summary.json is missing: nothing has been computed from the samples")
        return Summary(SCHEMA_VERSION, [])
    try:
        return msgspec.json.decode(path.read_bytes(), type=Summary)
    except msgspec.MsgspecError as error:
        damage.append(f"summary.json cannot be read: {error}")
        return Summary(SCHEMA_VERSION, [])


def _lines(path: Path, kind: type[T], damage: list[str]) -> tuple[T, ...]:
    """Decode each line; an interrupted write may leave the last one torn."""
    if not path.exists():
        return ()
    decoder = msgspec.json.Decoder(kind)
    found: list[T] = []
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            found.append(decoder.decode(line))
        except msgspec.MsgspecError as error:
            damage.append(f"{path.name} line {number} cannot be read: {error}")
    return tuple(found)


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

"""Reads a result folder: of this version of the schema, or of the first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from shlex import quote
from typing import Any, TypeVar

import msgspec

from bench.contract.errors import UsageError
from bench.contract.records import SCHEMA_VERSION, Audit, Evidence, Manifest, Record, Run, Sample, Strike, Verdict
from bench.observe import first_schema

T = TypeVar("T", bound=msgspec.Struct)
MANIFEST, SUMMARY = "manifest.json", "summary.json"
FILES: dict[type[msgspec.Struct], str] = {
    Sample: "samples.jsonl",
    Run: "runs.jsonl",
    Verdict: "verdicts.jsonl",
    Evidence: "evidence.jsonl",
    Strike: "strikes.jsonl",
}


class Summary(msgspec.Struct):
    """summary.json."""

    schema_version: int
    records: list[Record]
    audits: list[Audit] = []


class Unreadable(Exception):  # noqa: N818 - it is caught where it is met, and told in other words
    """A line that is no record: its number, and why."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(f"line {number}: {reason}")
        self.number, self.reason = number, reason


class _Version(msgspec.Struct):
    schema_version: int = SCHEMA_VERSION


class _First(msgspec.Struct):
    """summary.json of the first version."""

    records: list[dict[str, Any]]
    audits: list[dict[str, Any]] = []


def version(folder: Path) -> int:
    """The version of the schema of its lines; this one if there is no readable manifest."""
    try:
        return msgspec.json.decode((folder / MANIFEST).read_bytes(), type=_Version).schema_version
    except (OSError, ValueError):
        return SCHEMA_VERSION


def load_manifest(folder: Path) -> Manifest:
    """Read manifest.json; UsageError if the folder is no result or of an unknown schema."""
    try:
        content = (folder / MANIFEST).read_bytes()
        met = msgspec.json.decode(content, type=_Version).schema_version
        if met == first_schema.VERSION:
            return first_schema.convert(msgspec.json.decode(content, type=dict[str, Any]), Manifest)
        if met == SCHEMA_VERSION:
            return msgspec.json.decode(content, type=Manifest)
    except (OSError, ValueError) as error:
        raise UsageError(f"{folder}: not a result folder: {error}; give one made by 'orchbench run'") from error
    raise UsageError(f"{folder}: schema version {met}, this program reads {SCHEMA_VERSION}; measure again")


def load(folder: Path, kind: type[T]) -> list[T]:
    """Read all records of a kind. A torn last line, left by a kill, is passed over; any other is a UsageError."""
    found: list[T] = []
    for one, torn in _lines(folder, kind):
        if not isinstance(one, Unreadable):
            found.append(one)
        elif not torn:
            raise UsageError(
                f"{folder / FILES[kind]}: line {one.number}: not a {kind.__name__}: {one.reason}; measure again"
            )
    return found


def salvage(folder: Path, kind: type[T], damage: list[str]) -> tuple[T, ...]:
    """Read all records of a kind that can be read; each line that cannot is named in `damage`, a torn last one too."""
    found: list[T] = []
    for one, _ in _lines(folder, kind):
        if isinstance(one, Unreadable):
            damage.append(f"{FILES[kind]} line {one.number} cannot be read: {one.reason}")
        else:
            found.append(one)
    return tuple(found)


def load_summary(folder: Path) -> Summary:
    """Read summary.json; empty if it was not written yet."""
    path = folder / SUMMARY
    if not path.exists():
        return Summary(SCHEMA_VERSION, [])
    try:
        return _summary(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path}: not a summary: {error}; make it again: ./orchbench report {quote(str(folder))}"
        ) from error


def decoder(kind: type[T], schema_version: int = SCHEMA_VERSION) -> Callable[[bytes], T]:
    """What makes a record of a line."""
    if schema_version == first_schema.VERSION:
        plain = msgspec.json.Decoder(dict[str, Any]).decode
        return lambda line: first_schema.convert(plain(line), kind)
    return msgspec.json.Decoder(kind).decode


def _lines(folder: Path, kind: type[T]) -> Iterator[tuple[T | Unreadable, bool]]:
    """Each line's record, or why it is none; and whether it is a last one that was not ended."""
    path = folder / FILES[kind]
    if not path.exists():
        return
    decode = decoder(kind, version(folder))
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines, 1):
        torn = number == len(lines)
        if torn and not line:
            return
        try:
            yield decode(line), torn
        except ValueError as error:
            yield Unreadable(number, str(error)), torn


def _summary(content: bytes) -> Summary:
    if msgspec.json.decode(content, type=_Version).schema_version != first_schema.VERSION:
        return msgspec.json.decode(content, type=Summary)
    told = msgspec.json.decode(content, type=_First)
    records = [first_schema.convert(one, Record) for one in told.records]
    return Summary(SCHEMA_VERSION, records, [first_schema.convert(one, Audit) for one in told.audits])

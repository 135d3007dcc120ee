"""The result folder: every observation is appended as soon as it is made, so that nothing measured is lost."""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from bench.errors import UsageError
from bench.results import SCHEMA_VERSION, Audit, Evidence, Manifest, Record, Run, Sample, Strike, Verdict
from bench.workspace import PROJECT
from core.artifacts import atomic

T = TypeVar("T", bound=msgspec.Struct)
FILES: dict[type[msgspec.Struct], str] = {
    Sample: "samples.jsonl",
    Run: "runs.jsonl",
    Verdict: "verdicts.jsonl",
    Evidence: "evidence.jsonl",
    Strike: "strikes.jsonl",
}
LATEST = "latest"


class Summary(msgspec.Struct):
    """summary.json."""

    schema_version: int
    records: list[Record]
    audits: list[Audit] = []


class Store:
    """One result folder, open for appending."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._replacements: dict[str, str] = {
            str(folder): "<result>",
            str(PROJECT): "<project>",
            sysconfig.get_path("stdlib"): "<python>",
        }

    def append(self, record: Sample | Run | Verdict | Evidence | Strike) -> None:
        """Add one record: a single write, so that a killed harness leaves at most one torn last line."""
        line = msgspec.json.encode(record) + b"\n"
        descriptor = os.open(self.folder / FILES[type(record)], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)

    def mend(self) -> None:
        """Cut off the torn last lines that a kill has left, so that the next record begins a line of its own."""
        for path in (self.folder / name for name in FILES.values()):
            if path.exists():
                os.truncate(path, path.read_bytes().rfind(b"\n") + 1)

    def save_manifest(self, manifest: Manifest) -> None:
        """Write manifest.json, atomically."""
        _write(self.folder / "manifest.json", msgspec.json.format(msgspec.json.encode(manifest), indent=2))

    def save_summary(self, records: list[Record], audits: list[Audit]) -> None:
        """Write summary.json, atomically."""
        summary = Summary(SCHEMA_VERSION, records, audits)
        _write(self.folder / "summary.json", msgspec.json.format(msgspec.json.encode(summary), indent=1))

    def shorten(self, text: str, **places: Path) -> str:
        """Replace paths of this machine by <project>, <result>, <python> and the given places, longest first."""
        replacements = self._replacements | {str(path): f"<{name}>" for name, path in places.items()}
        for path in sorted(replacements, key=len, reverse=True):
            text = text.replace(path, replacements[path])
        return text


def create(output: Path) -> Store:
    """Make a new result folder named by the UTC time below `output`, and point `latest` at it."""
    name = datetime.now(UTC).strftime("%Y-%m-%dT%H%M%SZ")
    folder = output / name
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise UsageError(
            f"{folder}: cannot make the result folder: {error.strerror}; choose another --output"
        ) from error
    pointer = output / f".{LATEST}-{os.getpid()}"
    pointer.symlink_to(name)
    pointer.replace(output / LATEST)
    return Store(folder.resolve())


def load_manifest(folder: Path) -> Manifest:
    """Read manifest.json; UsageError if the folder is no result or of another schema."""
    try:
        manifest = msgspec.json.decode((folder / "manifest.json").read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError) as error:
        raise UsageError(f"{folder}: not a result folder: {error}; give one made by 'orchbench run'") from error
    if manifest.schema_version != SCHEMA_VERSION:
        raise UsageError(
            f"{folder}: schema version {manifest.schema_version}, this program reads {SCHEMA_VERSION}; measure again"
        )
    return manifest


def load(folder: Path, kind: type[T]) -> list[T]:
    """Read all records of a kind. A torn last line, left by a kill, is passed over; any other is a UsageError."""
    path = folder / FILES[kind]
    if not path.exists():
        return []
    decode: Callable[[bytes], T] = msgspec.json.Decoder(kind).decode
    *lines, last = path.read_bytes().split(b"\n")
    records = []
    for number, line in enumerate(lines, 1):
        try:
            records.append(decode(line))
        except msgspec.MsgspecError as error:
            raise UsageError(f"{path}: line {number}: not a {kind.__name__}: {error}; measure again") from error
    return [*records, *_torn(last, decode)]


def _torn(line: bytes, decode: Callable[[bytes], T]) -> list[T]:
    try:
        return [decode(line)] if line else []
    except msgspec.MsgspecError:
        return []


def load_summary(folder: Path) -> Summary:
    """Read summary.json; empty if it was not written yet."""
    path = folder / "summary.json"
    return msgspec.json.decode(path.read_bytes(), type=Summary) if path.exists() else Summary(SCHEMA_VERSION, [])


def _write(path: Path, content: bytes) -> None:
    with atomic(path) as temporary:
        temporary.write_bytes(content + b"\n")

"""The result folder: every observation is appended as soon as it is made, so that nothing measured is lost."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import sysconfig
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import msgspec

from bench.contract.errors import NO_ROOM, StorageError, UsageError
from bench.contract.project import PROJECT
from bench.contract.records import SCHEMA_VERSION, Audit, Evidence, Manifest, Record, Run, Sample, Strike, Verdict
from bench.observe.reading import FILES, MANIFEST, SUMMARY, Summary
from core.instrument.artifacts import atomic

LATEST = "latest"
RESERVE_BYTES = 64 * 2**20
"""What must be free below a result for a run to be judged: where steps have no room to write, no engine is to blame."""
"""Errors of a full disk, a used-up quota and a file of the size that the process may write at most."""


class Store:
    """One result folder, open for appending."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._writing = threading.Lock()
        self._held = -1
        self._replacements: dict[str, str] = {
            str(folder): "<result>",
            str(PROJECT): "<project>",
            sysconfig.get_path("stdlib"): "<python>",
        }

    def append(self, record: Sample | Run | Verdict | Evidence | Strike) -> None:
        """Add one record: a single write, so that a killed harness leaves at most one torn last line.

        StorageError if the disk is full or has too little room left for runs; what was there before stays whole.
        """
        self.need_room()
        line = msgspec.json.encode(record) + b"\n"
        with storing(self.folder), self._writing:
            descriptor = os.open(self.folder / FILES[type(record)], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                _append(descriptor, line)
            finally:
                os.close(descriptor)

    def need_room(self) -> None:
        """StorageError if so little is free that a run may have failed for want of it, or would."""
        for place in (self.folder, Path(tempfile.gettempdir())):  # sessions live in the second
            free = shutil.disk_usage(place).free
            if free < RESERVE_BYTES:
                few = f"{free / 2**20:.0f} MB are free in {place}, and runs need {RESERVE_BYTES / 2**20:.0f} MB"
                raise StorageError(_stopped(self.folder, few))

    def hold(self) -> None:
        """Keep every other harness from writing here until this process ends in any way.

        UsageError if another holds the folder. Not every network file system can tell.
        """
        self._held = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        with suppress(OSError):
            try:
                fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise UsageError(f"{self.folder}: is being measured by another orchbench; wait for its end") from error

    def mend(self) -> None:
        """End the last lines that a kill has left, so that the next record begins a line of its own: a torn one is cut
        off, one that lacks only its line's end is given it."""
        for kind, path in ((kind, self.folder / name) for kind, name in FILES.items()):
            whole, _, last = path.read_bytes().rpartition(b"\n") if path.exists() else (b"", b"", b"")
            if not last:
                continue
            with storing(self.folder), path.open("r+b", buffering=0) as stream:
                if _whole(last, kind):
                    stream.seek(0, os.SEEK_END)
                    stream.write(b"\n")
                else:
                    stream.truncate(len(whole) + 1 if whole else 0)

    def save_manifest(self, manifest: Manifest) -> None:
        """Write manifest.json, atomically."""
        _write(self.folder / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=2))

    def save_summary(self, records: list[Record], audits: list[Audit]) -> None:
        """Write summary.json, atomically."""
        summary = Summary(SCHEMA_VERSION, records, audits)
        _write(self.folder / SUMMARY, msgspec.json.format(msgspec.json.encode(summary), indent=1))

    def hide(self, places: Mapping[str, Path]) -> None:
        """Let `shorten` say <name> for these folders of the user's too."""
        hidden = {str(path): f"<{name}>" for name, path in places.items() if path != path.parent}
        self._replacements = hidden | self._replacements

    def shorten(self, text: str, **places: Path) -> str:
        """Replace paths of this machine by <project>, <result>, <python> and the given places, longest first."""
        replacements = self._replacements | {str(path): f"<{name}>" for name, path in places.items()}
        for path in sorted(replacements, key=len, reverse=True):
            text = re.sub(rf"(?<![\w>]){re.escape(path)}", replacements[path], text)
        return text


def create(output: Path) -> Store:
    """Make a new result folder named by the UTC time below `output`, hold it, and point `latest` at it.

    Of two that start in the same second the later one gets a number behind the time. UsageError if it cannot be made.
    """
    name = datetime.now(UTC).strftime("%Y-%m-%dT%H%M%SZ")
    pointer = output / f".{LATEST}-{os.getpid()}"
    try:
        output.mkdir(parents=True, exist_ok=True)
        folder = _own_folder(output, name)
        pointer.unlink(missing_ok=True)  # a killed process that had the same number may have left one
        pointer.symlink_to(folder.name)
        _point(pointer, output / LATEST)
    except OSError as error:
        raise UsageError(
            f"{output / name}: cannot make the result folder: {error.strerror}; choose another --output"
        ) from error
    store = Store(folder.resolve())
    store.hold()
    return store


def need_output(output: Path) -> None:
    """UsageError if no result can be kept there, or in the nearest folder above that is there."""
    nearest = next(one for one in (output, *output.absolute().parents) if one.exists())
    if not (nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)):
        raise UsageError(f"{output}: no results there: {nearest} cannot be written to; choose another --output")


def _point(pointer: Path, latest: Path) -> None:
    """Put the link in its place; a folder of that name, as a copy makes it that follows links, is left alone."""
    if latest.is_dir() and not latest.is_symlink():
        pointer.unlink()
    else:
        pointer.replace(latest)


def _own_folder(output: Path, name: str) -> Path:
    """Make a folder that was not there before."""
    for number in count(1):
        folder = output / (name if number == 1 else f"{name}-{number}")
        with suppress(FileExistsError):
            folder.mkdir()
            break
    return folder


@contextmanager
def storing(folder: Path) -> Iterator[None]:
    """Within it an OSError because there is no room is a StorageError that says where, and what to do."""
    try:
        yield
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        raise StorageError(_stopped(folder, str(error.strerror))) from error


def _stopped(folder: Path, cause: str) -> str:
    begun = (folder / MANIFEST).exists()
    then = "what was measured is kept; make room" if begun else "make room and start again"
    return f"{folder}: stopped, no room for results: {cause}; {then}"


def _whole(line: bytes, kind: type[msgspec.Struct]) -> bool:
    try:
        msgspec.json.decode(line, type=kind)
    except ValueError:
        return False
    return True


def _append(descriptor: int, line: bytes) -> None:
    """Write a whole line or none: what a full disk took of it is cut off again."""
    end = os.fstat(descriptor).st_size
    try:
        while line:
            line = line[os.write(descriptor, line) :]
    except OSError:
        os.ftruncate(descriptor, end)
        raise


def _write(path: Path, content: bytes) -> None:
    with storing(path.parent), atomic(path) as temporary:
        temporary.write_bytes(content + b"\n")

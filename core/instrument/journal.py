"""The append-only record of a run's attempts: one JSON object a line, one write a record.

The journal is written by the steps themselves, so no engine can change what it says. Times are
CLOCK_MONOTONIC nanoseconds, the clock that the harness uses at submit.

A writer that is killed may leave the beginning of a record: the kernel stops a write for SIGKILL
where one page of the file ends. Other writers then go on behind it, on the same line.
"""

from __future__ import annotations

import errno
import functools
import json
import os
import re
import threading
import time
from datetime import UTC, datetime
from json.encoder import encode_basestring_ascii as text
from pathlib import Path
from typing import Any, Self

JOURNAL = "journal.jsonl"
ATTEMPTS = ".attempts"
APPENDING = os.O_WRONLY | os.O_APPEND | os.O_CREAT
CLAIMING = os.O_RDWR | os.O_APPEND | os.O_CREAT
MODE = 0o644
BEGINNING = re.compile(r'\n|(?={"t_ns": \d+, "utc": ")')
"""Where a record begins: on a new line or behind a torn one. Text within a record looks different: its quotes are
escaped."""
DECODER = json.JSONDecoder()
STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


def now_ns() -> int:
    """CLOCK_MONOTONIC in nanoseconds: comparable between processes of one host."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


class JournalWriter:
    """Appends records about one attempt of one step. Use as a context manager: leaving it closes the file."""

    def __init__(self, run_dir: Path, run_id: str, step: str) -> None:
        folder = str(run_dir)
        self.attempt = _claim_attempt(folder, step)
        self._path = f"{folder}/{JOURNAL}"
        self._descriptor = os.open(self._path, APPENDING, MODE)
        self._common = (
            f'"run": {text(run_id)}, "step": {text(step)}, "attempt": {self.attempt}, '
            f'"pid": {os.getpid()}, "thread": {threading.get_native_id()}'
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was written has been in the kernel's hands since, and outlives this process."""
        os.close(self._descriptor)

    def write(self, event: str, **details: Any) -> None:
        """Append one record. A single O_APPEND write, so that records never interleave.

        It is put together by hand, in the form that `json.dumps` gives: an encoder made for each record would cost as
        much as a write.
        """
        more = "".join([f", {text(name)}: {_value(value)}" for name, value in details.items()])
        line = f'{{"t_ns": {now_ns()}, "utc": "{_utc()}", "event": "{event}", {self._common}{more}}}\n'
        _write(self._descriptor, line.encode(), self._path)


def _value(value: Any) -> str:
    """As `json.dumps` spells it, which for a plain text has nothing to decide."""
    return text(value) if type(value) is str else json.dumps(value)


def _utc() -> str:
    """Now, to the microsecond, as `datetime.isoformat` spells it."""
    second, part_ns = divmod(time.time_ns(), 10**9)
    return f"{_spelled(second)}.{part_ns // 1000:06d}+00:00"


@functools.lru_cache(maxsize=1)
def _spelled(second: int) -> str:
    """The date and time of a whole second: spelling them takes longer than all else in a time, and most records follow
    another of the same second."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _claim_attempt(folder: str, step: str) -> int:
    """Number this attempt from 1, by appending the step's name to a file and counting up to there.

    After an append the position is the end of one's own claim, so that two at once get two numbers.
    The bracket on either side keeps a claim whole behind a torn one, which does not count: its attempt
    never started. A file for each attempt would cost more than all else that an attempt writes.
    """
    path = f"{folder}/{ATTEMPTS}"
    try:
        descriptor = os.open(path, CLAIMING, MODE)
    except FileNotFoundError:
        Path(folder).mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, CLAIMING, MODE)
    claim = f"({step})".encode()
    try:
        _write(descriptor, claim, path)
        claimed = os.pread(descriptor, os.lseek(descriptor, 0, os.SEEK_CUR), 0)
    finally:
        os.close(descriptor)
    return claimed.count(claim)


def _write(descriptor: int, content: bytes, path: str) -> None:
    """Append in a single write; OSError if the disk had no room for all of it."""
    if os.write(descriptor, content) < len(content):
        raise OSError(errno.ENOSPC, "written in part only", path)


def read(run_dir: Path) -> list[dict[str, Any]]:
    """Return the run's records in the order written; empty if no step has started yet.

    A record that was cut off, or is still being written, is passed over. ValueError if anything else
    is no record.
    """
    path = run_dir / JOURNAL
    if not path.exists():
        return []
    pieces = (piece for piece in BEGINNING.split(path.read_text()) if piece)
    return [record for piece in pieces for record in _records(piece)]


def _records(piece: str) -> list[dict[str, Any]]:
    """The one record that this is, or none if it is but the beginning of one.

    Behind one that lacks but its line break there may be the beginning of another, too short to be told by `BEGINNING`.
    """
    try:
        record, end = DECODER.raw_decode(piece)
    except ValueError:
        if not _torn(piece):
            raise
        return []
    alone = end == len(piece) or _torn(piece[end:])
    if not alone or not isinstance(record, dict) or "t_ns" not in record:
        raise ValueError(f"no record of an attempt: {piece[:80]}")
    return [record]


def _torn(piece: str) -> bool:
    """Whether this is the beginning of a record: its outermost brace is never closed.

    A record closes it with its last character, so none that was written to its end is torn.
    """
    outside = STRING.sub("", piece).partition('"')[0]  # what is left of strings is one that was cut off
    return piece.startswith("{") and outside.count("{") > outside.count("}")


def ends(run_dir: Path) -> int:
    """How many attempts have ended so far, without reading the records: cheap enough to ask often."""
    path = run_dir / JOURNAL
    return path.read_bytes().count(b'"event": "end"') if path.exists() else 0


def size_bytes(run_dir: Path) -> int:
    """How much has been written so far: cheap enough to ask all the time."""
    try:
        return (run_dir / JOURNAL).stat().st_size
    except FileNotFoundError:
        return 0

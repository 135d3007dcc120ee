"""The append-only record of a run's attempts: one JSON object a line, one write a record.

The journal is written by the steps themselves, so no engine can change what it says. Times are
CLOCK_MONOTONIC nanoseconds, the clock that the harness uses at submit.
"""

from __future__ import annotations

import json
import os
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

JOURNAL = "journal.jsonl"
ATTEMPTS = ".attempts"


def now_ns() -> int:
    """CLOCK_MONOTONIC in nanoseconds: comparable between processes of one host."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


class Journal:
    """Appends records about one attempt of one step."""

    def __init__(self, run_dir: Path, run_id: str, step: str) -> None:
        self._path = run_dir / JOURNAL
        self.attempt = _claim_attempt(run_dir, step)
        self._common = {
            "run": run_id,
            "step": step,
            "attempt": self.attempt,
            "pid": os.getpid(),
            "thread": threading.get_native_id(),
        }

    def write(self, event: str, **details: Any) -> None:
        """Append one record. A single O_APPEND write, so that records never interleave."""
        record = {
            "t_ns": now_ns(),
            "utc": datetime.now(UTC).isoformat(),
            "event": event,
            **self._common,
            **details,
        }
        line = (json.dumps(record) + "\n").encode()
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)


def _claim_attempt(run_dir: Path, step: str) -> int:
    """Number this attempt from 1, by appending the step's name to a file and counting up to there.

    After an append the position is the end of one's own line, so that two at once get two numbers.
    A file for each attempt would cost more than all else that an attempt writes.
    """
    path = run_dir / ATTEMPTS
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
    try:
        descriptor = os.open(path, flags, 0o644)
    except FileNotFoundError:
        run_dir.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, flags, 0o644)
    try:
        os.write(descriptor, f"{step}\n".encode())
        claimed = os.pread(descriptor, os.lseek(descriptor, 0, os.SEEK_CUR), 0)
    finally:
        os.close(descriptor)
    return claimed.split(b"\n").count(step.encode())


def read(run_dir: Path) -> list[dict[str, Any]]:
    """Return the run's records in the order written; empty if no step has started yet."""
    path = run_dir / JOURNAL
    if not path.exists():
        return []
    # what follows the last newline is a record still being written
    lines = path.read_text().split("\n")[:-1]
    return [json.loads(line) for line in lines]


def ends(run_dir: Path) -> int:
    """How many attempts have ended so far, without reading the records: cheap enough to ask often."""
    path = run_dir / JOURNAL
    return path.read_bytes().count(b'"event": "end"') if path.exists() else 0

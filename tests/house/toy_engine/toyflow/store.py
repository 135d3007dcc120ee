"""The engine's memory: one SQLite file. A change of it is on the disk before anybody is told."""

from __future__ import annotations

import sqlite3
import sys
import time
import uuid
from collections.abc import Iterable
from typing import Any

LOCK_WAIT_S = 60.0
SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    id TEXT PRIMARY KEY, pipeline TEXT, config TEXT, partition TEXT, submitted REAL, status TEXT DEFAULT 'pending',
    owner TEXT DEFAULT '', heartbeat REAL DEFAULT 0, taken INTEGER DEFAULT 0, cancelled INTEGER DEFAULT 0);
CREATE TABLE IF NOT EXISTS steps (
    run TEXT, name TEXT, status TEXT, attempts INTEGER, tried INTEGER, started TEXT, ended TEXT, result TEXT,
    always INTEGER, PRIMARY KEY (run, name));
CREATE TABLE IF NOT EXISTS worker (id INTEGER PRIMARY KEY, heartbeat REAL);
"""
PUT = """
INSERT INTO steps (run, name, status, attempts, tried, started, ended, result, always)
    SELECT id, :name, :status, :attempts, :tried, :started, :ended, :result, :always
    FROM runs WHERE id = :run AND owner = :owner
ON CONFLICT DO UPDATE SET status = excluded.status, attempts = excluded.attempts, tried = excluded.tried,
    started = excluded.started, ended = excluded.ended, result = excluded.result
"""
"""Only by the one who owns the run: another may have taken it up meanwhile."""


class Store:
    """One connection."""

    def __init__(self, path: str) -> None:
        self._database = sqlite3.connect(path, timeout=LOCK_WAIT_S, isolation_level=None)
        self._database.row_factory = sqlite3.Row
        self._database.execute("PRAGMA synchronous = FULL")

    def create(self) -> None:
        """Make an empty database; readers of it do not wait for a writer."""
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.executescript(SCHEMA)

    def close(self) -> None:
        self._database.close()

    def submit(self, pipeline: str, config: str, partition: str = "") -> str:
        run = uuid.uuid4().hex
        self._change(
            "INSERT INTO runs (id, pipeline, config, partition, submitted) VALUES (?, ?, ?, ?, ?)",
            run, pipeline, config, partition, time.time(),
        )  # fmt: skip
        return run

    def run(self, run: str) -> dict[str, Any]:
        """KeyError if there is none."""
        found = self._rows("SELECT * FROM runs WHERE id = ?", run)
        if not found:
            raise KeyError(f"no run {run}")
        return found[0]

    def steps(self, run: str) -> list[dict[str, Any]]:
        return self._rows("SELECT * FROM steps WHERE run = ? ORDER BY rowid", run)

    def cancel(self, run: str) -> bool:
        """At once if it waits in the queue; else its process is told at its next heartbeat."""
        return self._change(
            "UPDATE runs SET cancelled = 1, status = CASE status WHEN 'pending' THEN 'failed' ELSE status END"
            " WHERE id = ? AND status IN ('pending', 'running')",
            run,
        )

    def resume(self, run: str) -> bool:
        """Into the queue again, if it has failed; finished steps are kept, but for those that always run."""
        self._change("BEGIN IMMEDIATE")
        again = self._change(
            "UPDATE runs SET status = 'pending', owner = '', taken = 0, cancelled = 0"
            " WHERE id = ? AND status = 'failed'",
            run,
        )
        if again:
            unfinished = "(status != 'completed' OR always)"
            self._change(f"UPDATE steps SET status = 'pending', tried = 0 WHERE run = ? AND {unfinished}", run)
        self._change("COMMIT")
        return again

    def take(self, owner: str) -> dict[str, Any] | None:
        """The next run of the queue, which is the owner's from now on."""
        found = self._rows(
            "UPDATE runs SET status = 'running', owner = ?, heartbeat = ?, taken = taken + 1"
            " WHERE id = (SELECT id FROM runs WHERE status = 'pending' ORDER BY submitted LIMIT 1) RETURNING *",
            owner, time.time(),
        )  # fmt: skip
        return found[0] if found else None

    def give_back(self, owner: str) -> bool:
        """Into the queue again, as the owner's process has ended before the run."""
        return self._change(
            "UPDATE runs SET status = 'pending', owner = '' WHERE owner = ? AND status = 'running'", owner
        )

    def lost(self, stale_s: float, living: Iterable[str]) -> list[str]:
        """Owners that have sent no heartbeat for so long, and are none of the living."""
        rows = self._rows("SELECT owner FROM runs WHERE status = 'running' AND heartbeat < ?", time.time() - stale_s)
        return [row["owner"] for row in rows if row["owner"] not in living]

    def beat(self, run: str, owner: str) -> bool | None:
        """Say that the run lives; whether it is to be cancelled, or None if it is not the owner's any more."""
        found = self._rows(
            "UPDATE runs SET heartbeat = ? WHERE id = ? AND owner = ? RETURNING cancelled", time.time(), run, owner
        )
        return bool(found[0]["cancelled"]) if found else None

    def put(self, **columns: Any) -> None:
        """Keep what is known of a step."""
        self._database.execute(PUT, columns)

    def end(self, run: str, owner: str, status: str) -> None:
        self._change("UPDATE runs SET status = ? WHERE id = ? AND owner = ?", status, run, owner)

    def worker_beat(self) -> None:
        self._change("INSERT OR REPLACE INTO worker VALUES (1, ?)", time.time())

    def worker_age_s(self) -> float:
        """How long ago a worker was heard of."""
        rows = self._rows("SELECT heartbeat FROM worker")
        return time.time() - rows[0]["heartbeat"] if rows else float("inf")

    def _rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        return [dict(row) for row in self._database.execute(query, values)]

    def _change(self, query: str, *values: Any) -> bool:
        return self._database.execute(query, values).rowcount > 0


if __name__ == "__main__":
    Store(sys.argv[1]).create()

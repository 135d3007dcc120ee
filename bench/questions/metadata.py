"""How large the engine's own record of runs is, what else it keeps of them, and how much that grows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bench.plan.workloads import Workload, shaped
from bench.questions.bound import Bound
from bench.session.bring_up import Session
from core.declaration import Shape

FIRST_OWN_OID = 16384
"""PostgreSQL numbers the databases that initdb makes below this (FirstNormalObjectId)."""
SQLITE = ("*.db", "*.db-wal")


def metadata_bytes(session: Session) -> int:
    """Size of the engine's metadata in bytes.

    PostgreSQL: the files of its databases, as pg_database_size() adds them up; without the write-ahead
    log. SQLite: all database files in the engine's home, with their write-ahead logs.
    """
    postgres = session.workspace.postgres
    if postgres is None:
        return _size(path for pattern in SQLITE for path in session.workspace.home.rglob(pattern))
    databases = (postgres / "data" / "base").iterdir()
    own = [folder for folder in databases if folder.name.isdigit() and int(folder.name) >= FIRST_OWN_OID]
    return _size(path for folder in own for path in folder.iterdir())


def file_bytes(session: Session) -> int:
    """Size in bytes of all other files that the engine keeps in its home: results, storage of runs, logs."""
    home = session.workspace.home
    databases = set() if session.workspace.postgres else {path for one in SQLITE for path in home.rglob(one)}
    kept = (path for path in home.rglob("*") if path not in databases)
    return _size(path for path in kept if path.is_file() and not path.is_symlink())


def _size(paths: Iterator[Path]) -> int:
    total = 0
    for path in paths:
        try:
            total += path.stat().st_size
        except FileNotFoundError:  # dropped meanwhile
            continue
    return total


def store_growth(bound: Bound, before: int, steps: int) -> None:
    """What runs of so many steps in all have left in the metadata database, which had so many bytes before."""
    grown = metadata_bytes(bound.up) - before
    if steps:
        of_steps = replace(bound.conductor, workload=Workload(shaped(Shape.SERIES).name))
        of_steps.sample(None, "resources.metadata_bytes_per_1000_tasks", "bytes", 1000 * grown / steps)

"""Artifacts: files and folders that steps hand to each other by reference, never by value."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypedDict

from core.instrument.errors import ArtifactError

TEMPORARY_PREFIX = ".tmp-"


class Reference(TypedDict):
    """What travels between steps: small JSON."""

    path: str
    digest: str
    """SHA-256 of the content, hexadecimal; for a folder, over its files' names and contents."""
    rows: int


def digest_of(path: Path) -> str:
    """SHA-256 of a file, or of a folder's file names and contents in sorted order."""
    if path.is_file():
        return _file_digest(path)
    if not path.is_dir():
        raise ArtifactError(f"{path}: artifact is missing; run the step that writes it again")
    total = hashlib.sha256()
    for file in sorted(p for p in path.rglob("*") if p.is_file()):
        total.update(f"{file.relative_to(path)}\0{_file_digest(file)}\n".encode())
    return total.hexdigest()


def _file_digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def refer(path: Path, rows: int = 0) -> Reference:
    """Make the reference to a finished artifact."""
    return Reference(path=str(path), digest=digest_of(path), rows=rows)


def check(reference: Reference) -> Path:
    """Return the artifact's path; ArtifactError if it is missing or its content has changed."""
    path = Path(reference["path"])
    found = digest_of(path)
    if found != reference["digest"]:
        raise ArtifactError(
            f"{path}: content changed since it was written "
            f"(expected {reference['digest'][:12]}, found {found[:12]}); run its step again"
        )
    return path


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; on success it is flushed and renamed onto `path`.

    The caller may create a file or a folder there. After an error nothing is left behind; after
    a kill the temporary path stays and the cleanup step removes it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{TEMPORARY_PREFIX}{path.name}-{uuid.uuid4().hex[:8]}")
    try:
        yield temporary
        if not temporary.exists():
            raise ArtifactError(f"{path}: its step wrote nothing")
        _flush(temporary)
        _replace(temporary, path)
    finally:
        remove(temporary)


def write_json(path: Path, value: Any) -> None:
    """Write `value` as JSON with sorted keys, atomically. Paths become strings."""
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2, sort_keys=True, default=str) + "\n")


def remove(path: Path) -> None:
    """Remove a file or folder if it is there."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    for file in [path] if path.is_file() else path.rglob("*"):
        descriptor = os.open(file, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _replace(temporary: Path, path: Path) -> None:
    """Rename onto `path`. A folder cannot replace a full folder in one step: the old one steps aside.

    Two attempts may do so at once, when an engine retries a step that it wrongly took for dead.
    """
    aside = path.with_name(f"{TEMPORARY_PREFIX}{path.name}-{uuid.uuid4().hex[:8]}")
    while True:
        if path.is_dir():
            with suppress(FileNotFoundError):
                path.rename(aside)
        try:
            temporary.replace(path)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.EISDIR):
                raise
        else:
            return
        finally:
            remove(aside)

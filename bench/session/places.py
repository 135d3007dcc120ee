"""Where sessions live: a folder that the engines, and their database's user, can use."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from bench.contract.errors import UsageError

OTHERS = tuple(map(Path, ("/tmp", "/var/tmp", "/dev/shm")))  # noqa: S108 - each session makes a folder of its own there
SOCKET_BYTES = 107
"""The longest path of a socket, unix(7)."""
LONGEST = "/orchbench-00000000/tmp/pymp-00000000/listener-00000000"
"""What Python's multiprocessing, which engines use, makes in a session's folder; longer than PostgreSQL's socket."""


def choose(*, shared: bool) -> str:
    """Let the sessions of this process live where they can: in TMPDIR, or else in a usual place.

    `shared`: another user has to get there, as PostgreSQL does not run as root. Returns a line for the user if TMPDIR
    is not the place; UsageError if no place is.
    """
    wanted = _wanted()
    found = {place: "; ".join(unusable(place, shared=shared)) for place in (wanted, *OTHERS)}
    place = next((place for place, why in found.items() if not why), None)
    if place is None:
        why = "; ".join(f"{place}: {reason}" for place, reason in found.items())
        raise UsageError(f"no folder for temporary files can be used: {why}; set TMPDIR to one that can")
    tempfile.tempdir = str(place)
    return "" if place == wanted else f"sessions live in {place}, as TMPDIR, {wanted}, {found[wanted]}"


def _wanted() -> Path:
    """TMPDIR, whether it is there or not, or else where Python would make temporary files."""
    if given := os.environ.get("TMPDIR"):
        return Path(given).absolute()
    with suppress(FileNotFoundError):
        return Path(tempfile.gettempdir())
    return OTHERS[0]


def unusable(place: Path, *, shared: bool) -> Iterator[str]:
    """Why no session can live there; nothing if one can."""
    if not place.is_dir():
        yield "is no folder"
        return
    if not os.access(place, os.W_OK | os.X_OK):
        yield "cannot be written to"
        return
    spare = SOCKET_BYTES - len(os.fsencode(place)) - len(LONGEST)
    if spare < 0:
        yield f"is {-spare} characters too long for the path of a socket"
    if os.statvfs(place).f_flag & os.ST_NOEXEC:
        yield "lets no program be run (noexec)"
    closed = [folder for folder in (place, *place.parents) if not folder.stat().st_mode & 0o001]
    if shared and closed:
        yield f"is closed to the user that PostgreSQL runs as ({closed[-1]})"

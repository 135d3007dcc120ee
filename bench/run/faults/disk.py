"""A small disk that fills up, for the steps of one session alone."""

from __future__ import annotations

from pathlib import Path

from bench.contract.errors import EngineError
from bench.session.bring_up import Session

BYTES = 1_000_000


def small(session: Session) -> Path:
    """Mount a file system of a megabyte in the session's folder, once, and return where it is.

    It is mounted by the guardian in a name space of its own, so only the session's processes see it, and it goes with
    the last of them. Raises EngineError where that is not permitted.
    """
    folder = session.scratch / "small"
    if not folder.exists():
        folder.mkdir()
        try:
            session.supervisor.mount(folder, BYTES)
        except EngineError:
            folder.rmdir()
            raise
    return folder

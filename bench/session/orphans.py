"""Processes whose parent is gone: who becomes their parent, and their end where nobody else looks after them."""

from __future__ import annotations

import contextlib
import ctypes
import shutil
from collections.abc import Iterable
from pathlib import Path

import psutil

PR_SET_CHILD_SUBREAPER = 36
"""See prctl(2)."""
KILL_LIMIT_S = 5.0


def adopt_orphans() -> None:
    """Become the parent of whatever descendants leave behind. Linux only: elsewhere orphans of an engine may stay."""
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_session(scratch: Path, started: Iterable[int]) -> None:
    """Kill what a session has left whose guardian was killed, and remove its folder.

    Of the descendants of this process those that the guardian had `started`, with all below them, and every other that
    has the session's home: nothing else.
    """
    known = set(started)
    mine = psutil.Process().children(recursive=True)
    doomed = [one for one in mine if one.pid in known or _at_home(one, scratch)]
    for one in list(doomed):
        with contextlib.suppress(psutil.NoSuchProcess):
            doomed += one.children(recursive=True)
    for one in doomed:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()
    psutil.wait_procs(doomed, timeout=KILL_LIMIT_S)
    shutil.rmtree(scratch, ignore_errors=True)


def _at_home(process: psutil.Process, scratch: Path) -> bool:
    try:
        return Path(process.environ().get("HOME", "/")).is_relative_to(scratch)
    except psutil.Error:
        return False

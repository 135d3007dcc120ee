"""How many attempts may be under way: of one run, and of all.

The slots that all runs share are files, each locked by the run that has it. A lock ends with the processes that hold
it, so that no slot is lost with them.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class Slots:
    """`at_once` for one run; `shared` for all, in files of a folder; 0 is without such a limit."""

    def __init__(self, at_once: int, shared: int = 0, folder: Path = Path()) -> None:
        self.at_once = at_once
        self.files = [folder / f"slot-{number}" for number in range(shared)]

    def take(self) -> int | None:
        """A descriptor that holds a free slot, or nothing if there is no such limit; None if no slot is free."""
        if not self.files:
            return os.open(os.devnull, os.O_RDONLY)
        for file in self.files:
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
            else:
                return descriptor
        return None

    def give_back(self, descriptor: int) -> None:
        """Also if attempts that were forked meanwhile have the descriptor too."""
        if self.files:
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)

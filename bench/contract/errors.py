"""Errors of the harness: one clear line each, saying what, where, and what to do."""

from __future__ import annotations

import errno

NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""By these the kernel says that nothing more can be written."""


class HarnessError(Exception):
    """Something that the user is told in one line."""


class UsageError(HarnessError):
    """Bad arguments or unreadable data, found before anything starts: exit code 2."""


class ChangedError(UsageError):
    """What is measured is not what the result was begun with any more: the measurement stops."""


class EngineError(HarnessError):
    """An engine could not be installed, started or finish. Carries the last lines of its log."""

    def __init__(self, message: str, log_tail: str = "") -> None:
        super().__init__(message)
        self.log_tail = log_tail


class StorageError(HarnessError):
    """The result folder takes no more. Nobody's failure but the disk's: the measurement stops, and is not judged."""

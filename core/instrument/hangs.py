"""Ways in which a step stops making progress. All end by themselves at last: a forgotten process must not stay."""

from __future__ import annotations

import ctypes
import subprocess
import time
from collections.abc import Callable
from typing import Any

from core.instrument.config import Fault

HANG_LIMIT_S = 600.0
"""No fault lasts longer than this."""
NS_PER_S = 10**9
LOOK_S = 0.05
MUTEX_BYTES = 64
"""At least the size of a pthread_mutex_t; one of zeros is unlocked."""


class Timespec(ctypes.Structure):
    """C's `struct timespec`."""

    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


def slow(fault: Fault, _: Any) -> None:
    """Sleep for the fault's seconds, or until its cause is fixed."""
    end = time.monotonic() + min(fault.seconds, HANG_LIMIT_S)
    while not fault.fixed and (left := end - time.monotonic()) > 0:
        time.sleep(min(left, LOOK_S) if fault.until else left)


def hang(fault: Fault, _: Any) -> None:
    """Sleep until killed."""
    time.sleep(_limit_s(fault))


def hang_in_c(fault: Fault, _: Any) -> None:
    """Wait in C, with the interpreter lock held, for a mutex that this thread itself holds.

    Unlike a sleep, the wait is not ended by a signal that Python handles: as in a C library that
    computes, the handler runs only when the call returns.
    """
    library = ctypes.PyDLL(None)  # unlike CDLL it does not release the lock
    mutex = ctypes.create_string_buffer(MUTEX_BYTES)
    until = Timespec(*divmod(time.time_ns() + int(_limit_s(fault) * NS_PER_S), NS_PER_S))
    library.pthread_mutex_lock(mutex)
    library.pthread_mutex_timedlock(mutex, ctypes.byref(until))


def hang_in_subprocess(fault: Fault, _: Any, record: Callable[..., None]) -> None:
    """Wait for a process that sleeps, as `subprocess.run` does: on an error it is killed, on SIGKILL it stays.

    The fault is recorded with its process id.
    """
    with subprocess.Popen(["/bin/sleep", str(_limit_s(fault))]) as process:
        try:
            record(children=[process.pid])
            process.wait()
        except BaseException:
            process.kill()
            raise


def _limit_s(fault: Fault) -> float:
    return min(fault.seconds or HANG_LIMIT_S, HANG_LIMIT_S)

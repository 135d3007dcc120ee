"""Ways in which a step runs out of something, for real but within bounds."""

from __future__ import annotations

import errno
import os
import resource
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.instrument.artifacts import TEMPORARY_PREFIX
from core.instrument.config import Fault
from core.instrument.errors import ConfigError

HEADROOM_BYTES = 256 << 20
"""What the process may still allocate: enough for what its other threads do meanwhile."""
MEMORY_BLOCK_BYTES = 64 << 20
"""Beyond what the C library keeps in reserve, so that each one is asked of the kernel."""
MEMORY_BLOCKS = 64
"""Many more than fit, though other threads free memory meanwhile."""
DISK_BYTES = 64 << 20
"""The file system that is filled must have less room than this: no other is ever filled."""
DISK_BLOCK = bytes(64 << 10)
_limit = threading.Lock()


def memory(fault: Fault, _: Any) -> None:
    """Allocate until the kernel refuses, with the process's address space limited to a little more than it uses.

    Ends with MemoryError; by then the limit is as before and the memory, never touched, is free. What
    other threads of the process ask for in that moment, they are refused too.
    """
    with _limited_address_space():
        hoard: list[bytes] = []
        try:
            while len(hoard) < MEMORY_BLOCKS:
                hoard.append(bytes(MEMORY_BLOCK_BYTES))
        finally:
            hoard.clear()  # the error's traceback would keep it
    raise ConfigError(f"fault {fault.kind}: this system does not hold processes to a limit of their address space")


@contextmanager
def _limited_address_space() -> Iterator[None]:
    with _limit:  # limits are the whole process's: two at once would restore each other's
        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        wanted = _address_space_bytes() + HEADROOM_BYTES
        stricter = [limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY]
        resource.setrlimit(resource.RLIMIT_AS, (min([wanted, *stricter]), hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _address_space_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def disk_full(fault: Fault, _: Any) -> None:
    """Write into the fault's folder until the kernel says that no space is left; remove it all; OSError.

    ConfigError if the folder is not there, or has so much room that it is no place for this.
    """
    folder = Path(fault.path)
    if not fault.path or not folder.is_dir():
        raise ConfigError(f"fault {fault.kind}: path {fault.path!r} is no folder; name one on a bounded file system")
    file = folder / f"{TEMPORARY_PREFIX}full-{uuid.uuid4().hex[:8]}"
    try:
        with file.open("wb", buffering=0) as stream:
            while stream.tell() < DISK_BYTES:
                stream.write(DISK_BLOCK)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder)) from error
        raise ConfigError(f"fault {fault.kind}: {folder} cannot be filled: {error}") from error
    finally:
        file.unlink(missing_ok=True)
    raise ConfigError(f"fault {fault.kind}: {folder} has room for {DISK_BYTES >> 20} MiB; name a smaller file system")

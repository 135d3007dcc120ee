"""The guardian: one process per session that starts, and alone may signal, every process of an engine.

It is a child subreaper, so whatever its descendants leave behind becomes its own child. It takes
one JSON request a line on standard input and writes one JSON event a line on standard output.
When the input ends, because the harness closed it or died in any way, it terminates and reaps
everything, removes the session's scratch folder and exits.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import pwd
import selectors
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from bench.session.orphans import adopt_orphans
from bench.session.usage import Ledger, written_bytes

CLONE_NEWNS = 0x20000
MS_REC, MS_PRIVATE = 1 << 14, 1 << 18
MNT_DETACH = 2
"""See unshare(2), mount(2) and umount(2)."""
PRIVATE = 0o077
"""The umask of all that it starts: what an engine writes may hold rows of the user's data."""
GRACE_S = 5.0
ORPHANED_GRACE_S = 3.0
KILL_LIMIT_S = 5.0


def main() -> None:
    """Serve requests until the input ends; the argument is the scratch folder to remove then."""
    scratch = Path(sys.argv[1])
    signal.signal(signal.SIGINT, lambda *_: None)  # not SIG_IGN, which every process of an engine would inherit
    adopt_orphans()
    own_mounts = separate_mounts()
    guardian = Guardian(own_mounts=own_mounts)
    try:
        guardian.serve()
    finally:
        guardian.stop(keep=frozenset(), grace_s=ORPHANED_GRACE_S)
        guardian.unmount()
        shutil.rmtree(scratch, ignore_errors=True)


def separate_mounts() -> bool:
    """Leave the host's mount name space, so that a mount is seen below this process only and ends with it.

    Needs privileges and Linux; returns whether it was permitted.
    """
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        apart = libc.unshare(CLONE_NEWNS) == 0
        return bool(apart and libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None) == 0)
    except AttributeError:
        return False


def emit(**event: Any) -> None:
    """Write one event; the harness may be gone, which is no reason to stop the teardown."""
    line = (json.dumps(event) + "\n").encode()
    with contextlib.suppress(OSError):
        while line:  # a signal may cut a long one short
            line = line[os.write(1, line) :]


class Guardian:
    """The processes, and the requests about them."""

    def __init__(self, *, own_mounts: bool = False) -> None:
        self.own_mounts = own_mounts
        self.mounted: list[bytes] = []
        self.children: dict[int, subprocess.Popen[bytes]] = {}
        self.ledger = Ledger()
        self.told_to_end = False

    def serve(self) -> None:
        """Answer requests and report exits until standard input ends, or SIGTERM comes.

        The signal only wakes the loop: an exception could break into the teardown and leave processes behind.
        """
        wake_read, wake_write = os.pipe()
        os.set_blocking(wake_write, False)
        os.set_blocking(wake_read, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._end)
        buffer = b""
        with selectors.DefaultSelector() as selector:
            selector.register(0, selectors.EVENT_READ)
            selector.register(wake_read, selectors.EVENT_READ)
            while not self.told_to_end:
                ready = [key.fd for key, _ in selector.select()]
                if wake_read in ready:
                    with contextlib.suppress(BlockingIOError):
                        os.read(wake_read, 4096)
                    self.reap()
                if 0 in ready:
                    chunk = os.read(0, 65536)
                    if not chunk:
                        return
                    *lines, buffer = (buffer + chunk).split(b"\n")
                    for line in lines:
                        self.handle(json.loads(line))

    def _end(self, *_: object) -> None:
        self.told_to_end = True

    def handle(self, request: dict[str, Any]) -> None:
        """Carry out one request; every request gets exactly one answer with its id."""
        actions = {
            "start": self._start, "signal": self._signal, "stop": self._stop, "usage": self._usage,
            "mount": self._mount,
        }  # fmt: skip
        try:
            answer = actions[request["do"]](request)
        except (OSError, ValueError, LookupError, psutil.Error) as error:
            answer = {"error": f"{type(error).__name__}: {error}", "errno": getattr(error, "errno", None)}
        emit(event="answer", id=request["id"], **answer)

    def _start(self, request: dict[str, Any]) -> dict[str, Any]:
        account = pwd.getpwnam(request["user"]) if request.get("user") else None
        identity: dict[str, Any] = {}
        if account:
            identity = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        with Path(request["log"]).open("ab") as log:
            started_ns = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
            child = subprocess.Popen(
                request["argv"], env=request["env"], cwd=request["cwd"], stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True, umask=PRIVATE, **identity,
            )  # fmt: skip
        self.children[child.pid] = child
        self.ledger.started(child.pid, request["name"])
        return {"pid": child.pid, "t_ns": started_ns}

    def _signal(self, request: dict[str, Any]) -> dict[str, Any]:
        pid = request["pid"]
        if pid not in {process.pid for process in descendants()}:
            raise ValueError(f"process {pid} was not started by this session; not signalled")
        os.kill(pid, request["signal"])
        return {"t_ns": time.clock_gettime_ns(time.CLOCK_MONOTONIC)}

    def _usage(self, request: dict[str, Any]) -> dict[str, Any]:
        self.reap()
        return self.ledger.snapshot(memory=request["memory"])

    def _mount(self, request: dict[str, Any]) -> dict[str, Any]:
        """A bounded file system in memory, for this session's processes alone."""
        if not self.own_mounts:
            raise PermissionError("mounting a file system needs root")
        path, options = request["path"].encode(), f"size={request['bytes']},mode=0777".encode()
        if ctypes.CDLL(None, use_errno=True).mount(b"tmpfs", path, b"tmpfs", 0, options) != 0:
            raise OSError(ctypes.get_errno(), "a file system of bounded size could not be mounted")
        self.mounted.append(path)
        return {}

    def unmount(self) -> None:
        """Let go of what was mounted, so that its folder can be removed."""
        for path in self.mounted:
            ctypes.CDLL(None).umount2(path, MNT_DETACH)

    def _stop(self, request: dict[str, Any]) -> dict[str, Any]:
        left = self.stop(keep=frozenset(request["keep"]), grace_s=GRACE_S)
        return {"left": left}

    def stop(self, keep: frozenset[int], grace_s: float) -> list[int]:
        """End every descendant but the trees of `keep`: first ask, then kill. Returns pids that would not die."""
        for process in self._doomed(keep):
            with contextlib.suppress(psutil.Error):
                process.terminate()
        self._wait_gone(keep, grace_s)
        deadline = time.monotonic() + KILL_LIMIT_S
        while (doomed := self._doomed(keep)) and time.monotonic() < deadline:
            for process in doomed:
                with contextlib.suppress(psutil.Error):
                    process.kill()
            self._wait_gone(keep, 0.2)
        return [process.pid for process in self._doomed(keep)]

    def _doomed(self, keep: frozenset[int]) -> list[psutil.Process]:
        kept = set(keep)
        for pid in keep:
            with contextlib.suppress(psutil.NoSuchProcess):
                kept |= {child.pid for child in psutil.Process(pid).children(recursive=True)}
        self.reap()
        return [process for process in descendants() if process.pid not in kept]

    def _wait_gone(self, keep: frozenset[int], limit_s: float) -> None:
        deadline = time.monotonic() + limit_s
        while self._doomed(keep) and time.monotonic() < deadline:
            time.sleep(0.05)  # nothing to wait on covers grandchildren: the process table is asked

    def reap(self) -> None:
        """Collect every child that has ended, own or adopted, and report it."""
        while True:
            written = written_bytes()  # a child's count becomes ours as it is collected
            try:
                pid, status, used = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self.ledger.collected(pid, used.ru_utime + used.ru_stime, written_bytes() - written)
            code = os.waitstatus_to_exitcode(status)
            if child := self.children.pop(pid, None):
                child.returncode = code
            emit(event="exit", pid=pid, code=code, t_ns=time.clock_gettime_ns(time.CLOCK_MONOTONIC))


def descendants() -> list[psutil.Process]:
    """Every living descendant of this process."""
    return psutil.Process().children(recursive=True)


if __name__ == "__main__":
    main()

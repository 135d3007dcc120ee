"""The harness's side of the guardian: start processes, wait for them, signal them, stop them all."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from bench.contract.errors import NO_ROOM, EngineError, StorageError
from bench.contract.processes import Command
from bench.contract.project import PROJECT
from bench.session.orphans import adopt_orphans, end_session
from bench.session.usage import Usage

TAIL_LINES = 20
TAIL_BYTES = 65536
ANSWER_LIMIT_S = 60.0


@dataclass
class Process:
    """A process that the guardian started. Times are CLOCK_MONOTONIC nanoseconds."""

    name: str
    pid: int
    started_ns: int
    log: Path
    ended_ns: int = 0
    code: int | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    def tail(self) -> str:
        """The last lines of its log."""
        return tail(self.log)

    @property
    def seconds(self) -> float:
        """From its start to its end, both taken by the guardian."""
        return (self.ended_ns - self.started_ns) / 1e9


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    """The last lines of a log file, from a bounded piece of its end, however large it is and however fast it grows."""
    if not log.exists():
        return ""
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - TAIL_BYTES))
        return "\n".join(stream.read(TAIL_BYTES).decode(errors="replace").splitlines()[-lines:])


class Supervisor:
    """One session's processes. Use as a context manager: leaving it stops them all."""

    def __init__(self, scratch: Path, environment: Mapping[str, str], logs: Path) -> None:
        """`scratch` is removed at the end; `environment` is what every process starts from."""
        self.environment = dict(environment)
        self.logs = logs
        logs.mkdir(parents=True, exist_ok=True)
        self._answers: dict[int, queue.SimpleQueue[dict[str, Any]]] = {}
        self._processes: dict[int, Process] = {}
        self._early_exits: dict[int, dict[str, Any]] = {}
        self._lock = threading.Lock()
        self._count = 0
        self._scratch = scratch
        adopt_orphans()  # should the guardian be killed
        self._guardian = subprocess.Popen(
            [sys.executable, "-m", "bench.session.guardian", str(scratch)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
            cwd=PROJECT, env=os.environ | {"PYTHONPATH": str(PROJECT)},
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, args=(self._guardian.stdout,), daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self, name: str, command: Command, user: str | None = None) -> Process:
        """Start a process with its output in `logs/<name>.log`.

        EngineError if it cannot be; StorageError if that is for want of room for its log.
        """
        log = self.logs / f"{name}.log"
        answer = self._ask(
            do="start", name=name, argv=list(command.argv), env=self.environment | dict(command.env),
            cwd=str(command.cwd) if command.cwd else None, log=str(log), user=user,
        )  # fmt: skip
        if answer.get("errno") in NO_ROOM:
            raise StorageError(f"{log}: cannot be written: {answer['error']}; make room")
        if "error" in answer:
            raise EngineError(f"{name}: cannot start {command.argv[0]}: {answer['error']}")
        process = Process(name, answer["pid"], answer["t_ns"], log)
        with self._lock:
            early = self._early_exits.pop(process.pid, None)
            if early and early["t_ns"] >= process.started_ns:  # else of an orphan that had the same number before
                self._end(process, early)
            else:
                self._processes[process.pid] = process
        return process

    def run(self, name: str, command: Command, user: str | None = None, *, check: bool = True) -> Process:
        """Run a command to its end. EngineError with the log's last lines if it fails or takes too long."""
        process = self.start(name, command, user)
        if not process.ended.wait(command.timeout_s):
            with contextlib.suppress(EngineError):  # it may have ended just now
                self.signal(process.pid, signal.SIGKILL)
            raise EngineError(f"{name}: no end within {command.timeout_s:.0f} s", process.tail())
        if check and process.code != 0:
            raise EngineError(f"{name}: ended with exit code {process.code}", process.tail())
        return process

    def signal(self, pid: int, number: int) -> int:
        """Signal a process of this session; returns the time in nanoseconds. EngineError if it is not ours."""
        answer = self._ask(do="signal", pid=pid, signal=number)
        if "error" in answer:
            raise EngineError(answer["error"])
        return int(answer["t_ns"])

    def usage(self, *, memory: bool = False) -> Usage:
        """What all processes have used so far, ended ones included, by the name they were started under.

        With `memory` it takes the kernel some milliseconds a process, in which that process may
        have to wait for memory: not for runs that are timed. EngineError where it cannot be measured.
        """
        answer = self._ask(do="usage", memory=memory)
        if "error" in answer:
            raise EngineError(f"resources are not known: {answer['error']}")
        return Usage.parse(answer)

    def mount(self, folder: Path, size_bytes: int) -> None:
        """Mount an empty file system of bounded size, seen by this session's processes alone. EngineError if not."""
        answer = self._ask(do="mount", path=str(folder), bytes=size_bytes)
        if "error" in answer:
            raise EngineError(answer["error"])

    @property
    def orphaned(self) -> bool:
        """Whether the guardian has ended before it was told to."""
        return self._guardian.poll() is not None

    @property
    def guardian_pid(self) -> int:
        """The process above all of this session's."""
        return self._guardian.pid

    def stop(self, keep: tuple[Process, ...] = ()) -> None:
        """Stop every process but `keep`; EngineError if one would not die."""
        answer = self._ask(do="stop", keep=[process.pid for process in keep])
        if answer.get("left"):
            raise EngineError(f"processes {answer['left']} did not end after SIGKILL")

    def close(self) -> None:
        """Stop everything, end the guardian, and with it remove the scratch folder; the same if it was killed."""
        if self._guardian.stdin and not self._guardian.stdin.closed:
            with contextlib.suppress(BrokenPipeError):
                self._guardian.stdin.close()
        if self._guardian.wait() != 0:
            end_session(self._scratch, tuple(self._processes))
        self._reader.join()
        if self._guardian.stdout:
            self._guardian.stdout.close()

    def _ask(self, **request: Any) -> dict[str, Any]:
        with self._lock:
            self._count += 1
            number = self._count
            answers: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
            self._answers[number] = answers
        try:
            self._tell(request | {"id": number})
            return answers.get(timeout=ANSWER_LIMIT_S)
        except queue.Empty:
            raise EngineError(f"the session's guardian did not answer '{request['do']}'") from None
        finally:
            with self._lock:
                del self._answers[number]

    def _tell(self, request: dict[str, Any]) -> None:
        try:
            if self._guardian.stdin and not self.orphaned:
                self._guardian.stdin.write((json.dumps(request) + "\n").encode())
                self._guardian.stdin.flush()
                return
        except BrokenPipeError:
            pass
        raise EngineError("the session's guardian has ended; start a new session")

    def _read(self, events: IO[bytes]) -> None:
        for line in events:
            event = json.loads(line)
            with self._lock:
                kind = event.pop("event")
                if kind == "answer":
                    self._answered(event)
                elif kind == "exit":
                    self._exited(event)

    def _answered(self, event: dict[str, Any]) -> None:
        if answers := self._answers.get(event.pop("id")):
            answers.put(event)

    def _exited(self, event: dict[str, Any]) -> None:
        if process := self._processes.pop(event["pid"], None):  # the number may be given again
            self._end(process, event)
        else:  # it ended before start() knew it, or it is an adopted orphan
            self._early_exits[event["pid"]] = event

    @staticmethod
    def _end(process: Process, event: dict[str, Any]) -> None:
        process.code, process.ended_ns = event["code"], event["t_ns"]
        process.ended.set()

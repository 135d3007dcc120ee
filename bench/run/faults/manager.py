"""The process manager that people have in production: a service that ends is started again."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bench.contract.errors import EngineError
from bench.session.bring_up import Session

PAUSE_S = 5.0
"""Between the end of a service and its next start, the same for every engine; as a container's first back-off."""
LOOK_S = 0.25


@dataclass
class ProcessManager:
    """Starts services again that end by themselves, because of something that was struck elsewhere."""

    session: Session
    restarted: list[str] = field(default_factory=list)
    """Kinds of the services that were started again, each time."""
    _hands_off: tuple[str, ...] = ()
    _until: threading.Event = field(default_factory=threading.Event)
    _stop: threading.Event = field(default_factory=threading.Event)

    def leave(self, kinds: tuple[str, ...], until: threading.Event) -> None:
        """Until an event leave these services to a nemesis, which starts them again itself."""
        self._until, self._hands_off = until, kinds

    def watch(self) -> None:
        """Look after the services until told to stop."""
        due: dict[str, float] = {}
        while not self._stop.wait(LOOK_S):
            for kind, process in tuple(self.session.processes.items()):
                left = kind in self._hands_off and not self._until.is_set()
                if left or not process.ended.is_set():
                    due.pop(kind, None)
                elif time.monotonic() >= due.setdefault(kind, time.monotonic() + PAUSE_S):
                    self._start(kind)

    def _start(self, kind: str) -> None:
        try:
            self.session.start_again(kind)
            self.restarted.append(kind)
        except EngineError:
            self._stop.set()  # the session is lost; whoever uses it next is told

    def stop(self) -> None:
        self._stop.set()


@contextmanager
def managed(session: Session) -> Iterator[ProcessManager]:
    """Look after a session's services meanwhile."""
    manager = ProcessManager(session)
    thread = threading.Thread(target=manager.watch, name="process manager")
    thread.start()
    try:
        yield manager
    finally:
        manager.stop()
        thread.join()

"""Faults from outside: struck at a chosen point of a run, and always healed."""

from __future__ import annotations

import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import msgspec
import psutil

from bench.contract.errors import EngineError
from bench.contract.records import Strike
from bench.contract.targets import Target
from bench.observe.journal import read_journal
from bench.plan.scenarios.record import Action, Nemesis
from bench.run.faults.moments import reached
from bench.run.faults.targets import described, resolve, roles_of
from bench.session.bring_up import Session
from core.declaration import Graph
from core.instrument.journal import now_ns

END_LIMIT_S = 30.0
"""How long a service may take to end when asked to; then it is killed, as a process manager does."""
LOCK_LIMIT_S = 30.0


@dataclass
class Armed:
    """A fault from outside that waits for its moment, or has struck."""

    session: Session
    nemesis: Nemesis
    run_id: str
    run_dir: Path
    graph: Graph
    strikes: list[Strike] = field(default_factory=list)
    problem: str = ""
    """Why it did not strike, or could not be healed; empty if all went as intended."""
    healed: threading.Event = field(default_factory=threading.Event)
    """Set once it is healed, or will never strike."""
    stop: threading.Event = field(default_factory=threading.Event)

    def act(self) -> None:
        """Wait for the moment, strike, wait, and heal."""
        try:
            if reached(self.nemesis.at, self.run_dir, self.graph, self.stop):
                self._strike()
        except (EngineError, psutil.Error, httpx.HTTPError, sqlite3.Error, OSError) as error:
            self.problem = str(error)
        finally:
            self.healed.set()

    def _strike(self) -> None:
        one = self.nemesis
        pids = () if one.action is Action.LOCK else self._targets()
        self.strikes.append(
            Strike(
                run_id=self.run_id, action=one.action, target=one.target, moment=str(one.at), pids=pids, t_ns=now_ns(),
                note=described(self.session, one.target, pids),
            )
        )  # fmt: skip
        ACTIONS[one.action](self, pids)
        self.strikes[-1] = _healed(self.strikes[-1], roles_of(self.session, one.target))

    def _targets(self) -> tuple[int, ...]:
        alone = self.nemesis.action in (Action.CRASH, Action.RESTART)
        return tuple(resolve(self.session, self.nemesis.target, read_journal(self.run_dir), alone=alone))

    def signal(self, pids: tuple[int, ...], number: int) -> None:
        """Signal the processes that are still there."""
        for pid in pids:
            with suppress(EngineError):  # one of a tree may end with its parent
                self.session.supervisor.signal(pid, number)

    def start_again(self) -> None:
        """Start what was struck, if it is a service or the database, and wait until it answers."""
        if self.nemesis.target is Target.DATABASE:
            self.session.restart_database()
        else:
            self.session.restart(roles_of(self.session, self.nemesis.target))


def _healed(strike: Strike, roles: tuple[str, ...]) -> Strike:
    """A step's or a run's process is not started again by anyone but the engine."""
    if Action(strike.action).starts_again and not roles and strike.target != Target.DATABASE:
        return strike
    return msgspec.structs.replace(strike, healed_ns=now_ns())


def _kill(armed: Armed, pids: tuple[int, ...]) -> None:
    armed.signal(pids, signal.SIGKILL)
    if roles_of(armed.session, armed.nemesis.target) or armed.nemesis.target is Target.DATABASE:
        armed.stop.wait(armed.nemesis.down_s)
        armed.start_again()


def _restart(armed: Armed, pids: tuple[int, ...]) -> None:
    below = [child.pid for pid in pids for child in psutil.Process(pid).children(recursive=True)]
    armed.signal(pids, signal.SIGTERM)
    _, alive = psutil.wait_procs(_known(pids), timeout=END_LIMIT_S)
    armed.signal((*(process.pid for process in alive), *below), signal.SIGKILL)
    armed.start_again()


def _known(pids: tuple[int, ...]) -> list[psutil.Process]:
    found = []
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            found.append(psutil.Process(pid))
    return found


def _pause(armed: Armed, pids: tuple[int, ...]) -> None:
    armed.signal(pids, signal.SIGSTOP)
    try:
        armed.stop.wait(armed.nemesis.down_s)
    finally:
        armed.signal(pids, signal.SIGCONT)


def _lock(armed: Armed, _: tuple[int, ...]) -> None:
    """Hold the write lock of each SQLite file, as another writer in the middle of a transaction does."""
    with ExitStack() as stack:
        for file in sorted(armed.session.workspace.home.rglob("*.db")):
            connection = stack.enter_context(closing(sqlite3.connect(file, timeout=LOCK_LIMIT_S, isolation_level=None)))
            connection.execute("BEGIN IMMEDIATE")
        armed.stop.wait(armed.nemesis.down_s)


ACTIONS: dict[Action, Callable[[Armed, tuple[int, ...]], None]] = {
    Action.KILL: _kill,
    Action.CRASH: _kill,
    Action.RESTART: _restart,
    Action.PAUSE: _pause,
    Action.LOCK: _lock,
}


@contextmanager
def armed(session: Session, nemesis: Nemesis, run_id: str, run_dir: Path, graph: Graph) -> Iterator[Armed]:
    """Let a fault wait for its moment in a run; on leaving it is healed, and never strikes any more."""
    one = Armed(session, nemesis, run_id, run_dir, graph)
    thread = threading.Thread(target=one.act, name=f"nemesis of {run_id}")
    thread.start()
    try:
        yield one
    finally:
        one.stop.set()
        thread.join()

"""What every adapter must leave behind, and how it runs with its default settings."""

from __future__ import annotations

import socket

import psutil

from bench.contract import registry
from bench.contract.records import Arm
from bench.contract.words import Track
from bench.observe.journal import Journal
from bench.observe.store import Store
from bench.run.conductor import Conductor
from bench.run.source import Source
from bench.session import environments
from bench.session.bring_up import open_session
from core.declaration import Shaped


def test_stock_track_completes_and_leaves_nothing(
    engine: str, measured: str, store: Store, source: Source, oracle: Journal
) -> None:
    environment = environments.require(engine)
    kind = registry.adapter(engine)
    logs = store.folder / "logs" / f"{engine}-stock"
    with open_session(kind, Track.STOCK, environment, logs, (Shaped(measured),)) as session:
        session.bring_up()
        conductor = Conductor(
            store, source, Arm(engine=engine, track="stock", mode="served"), f"{engine}-stock", oracle
        )
        seen = conductor.served(session)
        processes = [p for role in session.processes.values() for p in _tree(role.pid)]
        ports = list(session.workspace.ports.values())
        assert bool(processes) == bool(session.adapter.roles())
        session.stop_engine()
        left = [p.pid for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
        assert not left
        assert all(_free(port) for port in ports)
    assert seen.run.outcome == "completed"
    assert seen.right
    assert not session.scratch.exists()


def _tree(pid: int) -> list[psutil.Process]:
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True

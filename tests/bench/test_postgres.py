"""The session's own PostgreSQL: it starts, serves the database that was asked for, and leaves nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import psutil
import pytest
from waiting import wait_for

from bench.contract.errors import EngineError
from bench.contract.processes import Command
from bench.session import postgres
from bench.session.supervisor import Process, Supervisor
from bench.session.workspace import clean_environment, make_scratch

T = TypeVar("T")
pytestmark = pytest.mark.usefixtures("nothing_left")


def query(supervisor: Supervisor, folder: Path, database: str, sql: str) -> list[str]:
    psql = next(folder.parent.glob("pgbin/*/pginstall/bin/psql"), postgres._installed() / "bin" / "psql")
    options = ("-h", str(folder), "-U", "postgres", "-d", database, "-Atc", sql)
    return supervisor.run("psql", Command((str(psql), *options))).log.read_text().splitlines()


def told(processes: list[psutil.Process], ask: Callable[[psutil.Process], T]) -> list[T]:
    """What the processes say; the server ends some of its own at any time."""
    answers = []
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            answers.append(ask(process))
    return answers


def test_server_serves_its_database_and_goes_with_the_session(tmp_path: Path) -> None:
    scratch = make_scratch()
    with Supervisor(scratch, clean_environment(scratch / "home", Path("/usr/bin")), tmp_path) as supervisor:
        started = postgres.start(supervisor, scratch, "double")
        folder, server = started.folder, started.process
        answer = query(supervisor, folder, "double", "SELECT current_database(), 6 * 7, current_setting('fsync')")
        assert answer == ["double|42|on"]
        processes = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
        assert len(processes) > 3
        if os.geteuid() == 0:
            assert set(told(processes, psutil.Process.username)) == {postgres.UNPRIVILEGED}
        listening = told(processes, psutil.Process.net_connections)
        assert not [one for connections in listening for one in connections if one.family.name != "AF_UNIX"]
    wait_for(lambda: not any(process.is_running() for process in processes), "the server is gone")
    assert not scratch.exists()


def test_server_that_ends_while_starting_is_told_with_its_log(supervisor: Supervisor, tmp_path: Path) -> None:
    server = supervisor.run("postgres", Command(("sh", "-c", "echo no room; exit 4")), check=False)
    with pytest.raises(EngineError, match="postgres: ended with exit code 4 while starting") as caught:
        postgres._wait_ready(server, tmp_path / "postmaster.pid")
    assert caught.value.log_tail == "no room"


def test_server_that_is_never_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "START_LIMIT_S", 0.2)
    status = tmp_path / "postmaster.pid"
    status.write_text("\n".join(["line"] * 7 + ["starting"]))
    server = Process("postgres", pid=0, started_ns=0, log=tmp_path / "log")
    with pytest.raises(EngineError, match="postgres: not ready within"):
        postgres._wait_ready(server, status)
    status.write_text("\n".join(["77", *["line"] * 6, "ready   "]))  # of a server that was killed
    with pytest.raises(EngineError, match="postgres: not ready within"):
        postgres._wait_ready(server, status)
    status.write_text("\n".join(["0", *["line"] * 6, "ready   "]))
    postgres._wait_ready(server, status)


def test_a_system_without_its_user_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_: object) -> None:
        raise KeyError

    monkeypatch.setattr("bench.session.postgres.pwd.getpwnam", none)
    monkeypatch.setattr("bench.session.postgres.pwd.getpwuid", none)
    with pytest.raises(EngineError, match="runs as the user nobody here, whom /etc/passwd does not have"):
        postgres.as_somebody()

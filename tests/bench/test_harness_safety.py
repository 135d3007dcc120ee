"""Only processes that a session's own guardian has started are ever signalled, however much others look like them."""

from __future__ import annotations

import signal

import psutil
import pytest
from breaking import Twins
from doubles import BringUp

from bench.contract.errors import EngineError


def test_what_only_looks_like_the_engine_is_never_signalled(bring_up: BringUp, decoys: Twins) -> None:
    session, _ = bring_up()
    other, _ = bring_up()
    decoy = decoys(psutil.Process(session.processes["server"].pid))
    foreign = {
        "a twin of the server": decoy.pid,
        "the server of another session": other.processes["server"].pid,
        "the guardian of another session": other.supervisor.guardian_pid,
        "its own guardian": session.supervisor.guardian_pid,
        "the harness": psutil.Process().pid,
        "everything that it may signal": -1,
        "its own process group": 0,
        "the process group of the twin": -decoy.pid,
    }
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP):
        for pid in foreign.values():
            with pytest.raises(EngineError, match=f"process {pid} was not started by this session; not signalled"):
                session.supervisor.signal(pid, number)
    session.supervisor.stop()
    assert session.processes["server"].ended.wait(30)
    session.supervisor.close()
    assert decoy.poll() is None
    assert psutil.Process(decoy.pid).status() != psutil.STATUS_STOPPED
    assert other.endpoint.deployed("training")  # it is up, and answers


def test_number_that_the_kernel_gave_to_another_is_not_signalled(bring_up: BringUp, decoys: Twins) -> None:
    """The process of the session has ended; whoever has its number now is not of the session."""
    session, _ = bring_up()
    server = session.processes["server"]
    decoy = decoys(psutil.Process(server.pid))
    session.supervisor.signal(server.pid, signal.SIGKILL)
    assert server.ended.wait(30)
    for pid in (server.pid, decoy.pid):
        with pytest.raises(EngineError, match="not signalled"):
            session.supervisor.signal(pid, signal.SIGKILL)
    assert decoy.poll() is None

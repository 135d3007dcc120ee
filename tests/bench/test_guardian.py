"""The guardian when nobody is left to ask it: whatever becomes of the harness, nothing of the session stays."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from breaking import Twins
from test_supervisor import STUBBORN
from waiting import wait_for

from bench.contract.errors import EngineError
from bench.contract.processes import Command
from bench.session.supervisor import Supervisor
from bench.session.workspace import PROJECT, clean_environment, make_scratch

GONE_LIMIT_S = 10.0
HARNESS = """
import signal, sys, time
from pathlib import Path
from typing import Any
from bench.contract.processes import Command
from bench.session.supervisor import Supervisor

signal.signal(signal.SIGINT, signal.default_int_handler)  # tests that run in the background inherit that it is ignored
scratch, logs, pids, stubborn = sys.argv[1:]
supervisor = Supervisor(Path(scratch), {"PATH": "/usr/bin:/bin"}, Path(logs))
supervisor.start("stubborn", Command((sys.executable, "-c", stubborn, pids)))
print(supervisor._guardian.pid, flush=True)
time.sleep(3600)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda n: n.name)
def test_nothing_survives_the_harness(tmp_path: Path, number: signal.Signals) -> None:
    scratch = make_scratch()
    (scratch / "something").write_text("of the session")
    pids = tmp_path / "pids"
    harness = subprocess.Popen(
        [sys.executable, "-c", HARNESS, str(scratch), str(tmp_path / "logs"), str(pids), STUBBORN],
        cwd=PROJECT, env=os.environ | {"PYTHONPATH": str(PROJECT)}, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with harness, ended(harness):
        assert harness.stdout
        guardian = psutil.Process(int(harness.stdout.readline()))
        wait_for(pids.exists, "the tree is complete")
        processes = [guardian, *(psutil.Process(int(pid)) for pid in pids.read_text().split())]
        assert len(processes) == 5
        harness.send_signal(number)
        harness.wait(GONE_LIMIT_S)
        wait_for(lambda: not any(running(p) for p in processes), "no process is left", GONE_LIMIT_S)
        wait_for(lambda: not scratch.exists(), "the scratch folder is removed", GONE_LIMIT_S)


def test_guardian_that_is_asked_to_end_does_so_cleanly(tmp_path: Path) -> None:
    scratch = make_scratch()
    guardian = start_guardian(scratch)
    with guardian:
        pid = ask(
            guardian, do="start", name="sleeper", argv=["sleep", "3600"], env={}, cwd=None, log=str(tmp_path / "log")
        )["pid"]
        sleeper = psutil.Process(pid)
        guardian.terminate()
        assert guardian.wait(GONE_LIMIT_S) == 0
    assert not sleeper.is_running()
    assert not scratch.exists()


def test_guardian_that_is_asked_again_and_again_still_ends_everything(tmp_path: Path) -> None:
    """As a service manager does it: everybody is told at once, the harness is gone, and the signal comes again."""
    scratch = make_scratch()
    guardian = start_guardian(scratch)
    with guardian:
        assert guardian.stdin
        pids = tmp_path / "pids"
        argv = [sys.executable, "-c", STUBBORN, str(pids)]
        ask(guardian, do="start", name="stubborn", argv=argv, env={}, cwd=None, log=str(tmp_path / "log"))
        wait_for(pids.exists, "the tree is complete")
        tree = [psutil.Process(int(pid)) for pid in pids.read_text().split()]
        guardian.stdin.close()
        while guardian.poll() is None:
            for number in (signal.SIGTERM, signal.SIGINT):
                guardian.send_signal(number)
            time.sleep(0.1)  # a rhythm, nothing is waited for
        assert guardian.returncode in (0, -signal.SIGTERM)  # the last one may meet an interpreter that is ending
    assert not [process for process in tree if running(process)]
    assert not scratch.exists()


def test_processes_can_be_interrupted_as_if_a_user_had_started_them(tmp_path: Path) -> None:
    """The guardian itself takes no notice of Ctrl-C; that must not be inherited, since engines use the signal too."""
    guardian = start_guardian(make_scratch())
    with guardian:
        log = tmp_path / "log"
        code = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
        ask(
            guardian, do="start", name="child", argv=[sys.executable, "-c", code], env={}, cwd=None, log=str(log)
        )  # fmt: skip
        assert guardian.stdout
        assert json.loads(guardian.stdout.readline())["event"] == "exit"
        assert log.read_text() == "True\n"
        assert guardian.stdin
        guardian.stdin.close()
        assert guardian.wait(GONE_LIMIT_S) == 0


def test_guardian_answers_a_bad_request_and_goes_on(tmp_path: Path) -> None:
    guardian = start_guardian(make_scratch())
    with guardian:
        assert "KeyError" in ask(guardian, do="dance")["error"]
        assert "was not started by this session" in ask(guardian, do="signal", pid=1, signal=9)["error"]
        assert ask(guardian, do="stop", keep=[])["left"] == []
        assert guardian.stdin
        guardian.stdin.close()
        assert guardian.wait(GONE_LIMIT_S) == 0


def test_guardian_takes_requests_in_pieces(tmp_path: Path) -> None:
    guardian = start_guardian(make_scratch())
    with guardian:
        assert guardian.stdin
        assert guardian.stdout
        requests = b"".join(json.dumps({"do": "stop", "keep": [], "id": n}).encode() + b"\n" for n in (1, 2))
        for part in (requests[:10], requests[10:50], requests[50:]):
            guardian.stdin.write(part)
            guardian.stdin.flush()
        assert [json.loads(guardian.stdout.readline())["id"] for _ in (1, 2)] == [1, 2]
        guardian.stdin.close()
        assert guardian.wait(GONE_LIMIT_S) == 0


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """A test that fails leaves no process behind, and does not wait for its end."""
    try:
        yield
    finally:
        process.kill()


def start_guardian(scratch: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "bench.session.guardian", str(scratch)], cwd=PROJECT,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(PROJECT)},
    )  # fmt: skip


def ask(guardian: subprocess.Popen[bytes], **request: object) -> dict[str, Any]:
    assert guardian.stdin
    assert guardian.stdout
    guardian.stdin.write(json.dumps(request | {"id": 1}).encode() + b"\n")
    guardian.stdin.flush()
    answer: dict[str, Any] = json.loads(guardian.stdout.readline())
    return answer


def running(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_nothing_survives_a_guardian_that_was_killed(tmp_path: Path, nothing_left: None, decoys: Twins) -> None:
    scratch = make_scratch()
    pids = tmp_path / "pids"
    with Supervisor(scratch, clean_environment(scratch / "home", Path("/usr/bin")), tmp_path / "logs") as supervisor:
        tree = supervisor.start("stubborn", Command((sys.executable, "-c", STUBBORN, str(pids))))
        supervisor.run("parent", Command(("sh", "-c", "setsid sleep 3600 & echo $!")))
        orphan = int((tmp_path / "logs" / "parent.log").read_text())
        wait_for(pids.exists, "the tree is complete")
        processes = [psutil.Process(int(pid)) for pid in (orphan, *pids.read_text().split())]
        decoy = decoys(psutil.Process(orphan))
        os.kill(supervisor.guardian_pid, signal.SIGKILL)
        wait_for(lambda: supervisor.orphaned, "the guardian is gone")
        with pytest.raises(EngineError, match="the session's guardian has ended; start a new session"):
            supervisor.signal(tree.pid, signal.SIGTERM)
        assert all(running(process) for process in processes)
    assert not any(running(process) for process in processes)
    assert not scratch.exists()
    assert decoy.poll() is None

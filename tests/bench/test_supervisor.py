"""The harness's side of a session's processes, against the real guardian."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import psutil
import pytest
from waiting import wait_for

from bench.contract.errors import EngineError
from bench.contract.processes import Command
from bench.session.supervisor import TAIL_LINES, Supervisor, tail

pytestmark = pytest.mark.usefixtures("nothing_left")


def python(code: str, *arguments: str, **more: float) -> Command:
    return Command((sys.executable, "-c", code, *arguments), **more)  # type: ignore[arg-type]


def sleeper() -> Command:
    return Command(("sleep", "3600"))


def test_failing_command_tells_its_exit_code_and_last_lines(supervisor: Supervisor) -> None:
    code = "import sys\nfor n in range(100): print('line', n)\nsys.stdout.flush(); sys.exit('the cause')"
    with pytest.raises(EngineError, match="setup: ended with exit code 1") as caught:
        supervisor.run("setup", python(code))
    lines = caught.value.log_tail.splitlines()
    assert lines[-2:] == ["line 99", "the cause"]
    assert len(lines) == TAIL_LINES


def test_command_killed_by_a_signal_has_its_negative_number(supervisor: Supervisor) -> None:
    process = supervisor.run("killed", python("import os; os.kill(os.getpid(), 9)"), check=False)
    assert process.code == -signal.SIGKILL


def test_command_over_its_limit_is_killed(supervisor: Supervisor) -> None:
    code = f"import time; print('began', flush=True); time.sleep(3600)  # {supervisor.logs}"
    began = supervisor.logs / "slow.log"
    with pytest.raises(EngineError, match="slow: no end within 3 s") as caught:
        supervisor.run("slow", python(code, timeout_s=3.0))
    wait_for(lambda: not _alive(code), "the command is killed")
    assert caught.value.log_tail == tail(began)


def test_command_that_cannot_be_started(supervisor: Supervisor) -> None:
    with pytest.raises(EngineError, match="nothing: cannot start /no/such/command: FileNotFoundError"):
        supervisor.run("nothing", Command(("/no/such/command",)))


def test_command_as_a_user_who_does_not_exist(supervisor: Supervisor) -> None:
    with pytest.raises(EngineError, match="cannot start sleep: KeyError"):
        supervisor.start("stranger", sleeper(), user="no such user")


def test_environment_is_the_given_one_and_the_commands_own(supervisor: Supervisor) -> None:
    supervisor.run("environment", Command(("env",), env={"OWN": "yes"}))
    names = {line.partition("=")[0] for line in (supervisor.logs / "environment.log").read_text().splitlines()}
    assert names == set(supervisor.environment) | {"OWN"}


def test_times_are_the_guardians(supervisor: Supervisor) -> None:
    process = supervisor.run("quick", Command(("true",)))
    assert process.started_ns < process.ended_ns
    assert process.seconds == pytest.approx((process.ended_ns - process.started_ns) / 1e9)


def test_command_that_ends_at_once_is_never_missed(supervisor: Supervisor) -> None:
    codes = [supervisor.run("quick", Command(("sh", "-c", f"exit {n}")), check=False).code for n in range(50)]
    assert codes == list(range(50))


def test_number_of_a_process_that_ended_can_be_given_again(supervisor: Supervisor) -> None:
    process = supervisor.run("ended", Command(("true",)))
    supervisor._exited({"pid": process.pid, "code": 7, "t_ns": process.ended_ns + 1})
    assert process.code == 0


def test_exit_of_an_adopted_process_is_not_taken_for_that_of_a_later_one(supervisor: Supervisor) -> None:
    class LongAgo(dict[int, dict[str, int]]):
        def pop(self, number: int, *_: object) -> dict[str, int]:
            return {"pid": number, "code": 7, "t_ns": 1}

    supervisor._early_exits = LongAgo()
    assert not supervisor.start("later", sleeper()).ended.is_set()


def test_signal_reaches_a_process_of_the_session(supervisor: Supervisor) -> None:
    process = supervisor.start("sleeper", sleeper())
    assert supervisor.signal(process.pid, signal.SIGKILL) >= process.started_ns
    assert process.ended.wait(30)
    assert process.code == -signal.SIGKILL


def test_signal_reaches_a_grandchild(supervisor: Supervisor) -> None:
    root = psutil.Process(supervisor.start("parent", Command(("sh", "-c", "sleep 3600; true"))).pid)
    wait_for(lambda: bool(root.children()), "the grandchild is there")
    (grandchild,) = root.children()
    supervisor.signal(grandchild.pid, signal.SIGKILL)
    wait_for(lambda: not grandchild.is_running(), "the grandchild is gone")


def test_signal_refuses_a_process_of_another(supervisor: Supervisor) -> None:
    ours = supervisor.start("sleeper", sleeper())
    decoy = psutil.Popen(["sleep", "3600"])
    try:
        with pytest.raises(EngineError, match=f"process {decoy.pid} was not started by this session"):
            supervisor.signal(decoy.pid, signal.SIGKILL)
        supervisor.stop()
        assert ours.ended.wait(30)
        supervisor.close()
        assert decoy.poll() is None
    finally:
        decoy.kill()
        decoy.wait()


def test_stop_ends_a_stubborn_tree(supervisor: Supervisor, tmp_path: Path) -> None:
    tree = start_stubborn_tree(supervisor, tmp_path / "pids")
    supervisor.stop()
    assert not [process for process in tree if process.is_running()]


def test_stop_asks_before_it_kills(supervisor: Supervisor, tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    code = (
        "import pathlib, signal, sys, time\n"
        "def leave(*_):\n    pathlib.Path(sys.argv[1]).write_text('asked'); sys.exit(3)\n"
        "signal.signal(signal.SIGTERM, leave)\npathlib.Path(sys.argv[2]).touch()\ntime.sleep(3600)"
    )
    ready = tmp_path / "ready"
    process = supervisor.start("polite", python(code, str(asked), str(ready)))
    wait_for(ready.exists, "the handler is set")
    supervisor.stop()
    assert process.ended.wait(30)
    assert process.code == 3
    assert asked.read_text() == "asked"


def test_stop_spares_the_trees_that_are_kept(supervisor: Supervisor, tmp_path: Path) -> None:
    kept = start_stubborn_tree(supervisor, tmp_path / "kept")
    doomed = start_stubborn_tree(supervisor, tmp_path / "doomed")
    root = next(p for p in supervisor._processes.values() if p.pid == kept[0].pid)
    supervisor.stop(keep=(root,))
    assert not [process for process in doomed if process.is_running()]
    # the double-forked one belongs to no tree any more: only those below the root are kept
    assert all(process.is_running() for process in kept[:2])
    assert not root.ended.is_set()


def test_session_goes_on_after_stop(supervisor: Supervisor) -> None:
    supervisor.start("sleeper", sleeper())
    supervisor.stop()
    assert supervisor.run("again", Command(("true",))).code == 0


def test_nothing_is_started_after_the_end(supervisor: Supervisor) -> None:
    supervisor.close()
    with pytest.raises(EngineError, match="guardian has ended"):
        supervisor.start("late", sleeper())


def test_tail_of_a_large_log_reads_only_its_end(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"x" * 1_000_000 + b"\nlast\xff\n")
    assert tail(log, lines=1) == "last�"
    assert tail(tmp_path / "none") == ""


STUBBORN = """
import os, pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
pids = [os.getpid()]
read, write = os.pipe()
child = os.fork()
if child == 0:
    os.setsid()
    if os.fork() == 0:  # its parent stays
        os.write(write, f"{os.getpid()} ".encode())
        time.sleep(3600)
    os.write(write, f"{os.getpid()} ".encode())
    time.sleep(3600)
middle = os.fork()
if middle == 0:
    os.setsid()
    if os.fork() == 0:  # its parent leaves: an orphan in a session of its own
        os.write(write, f"orphan:{os.getpid()} ".encode())
        time.sleep(3600)
    os._exit(0)
os.waitpid(middle, 0)
text = ""
while text.count(" ") < 3:
    text += os.read(read, 100).decode()
words = sorted(text.split(), key=lambda word: word.startswith("orphan"))
path = pathlib.Path(sys.argv[1])
path.with_suffix(".new").write_text(" ".join([str(os.getpid()), *words]).replace("orphan:", ""))
path.with_suffix(".new").rename(path)
time.sleep(3600)
"""


def start_stubborn_tree(supervisor: Supervisor, pids: Path) -> list[psutil.Process]:
    """A process that ignores SIGTERM, two below it, and last an orphan; each in a session of its own."""
    supervisor.start(pids.name, python(STUBBORN, str(pids)))
    wait_for(pids.exists, "the tree is complete")
    tree = [psutil.Process(int(pid)) for pid in pids.read_text().split()]
    assert len(tree) == 4
    return tree


def _alive(code: str) -> bool:
    return any(code in (process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"]))

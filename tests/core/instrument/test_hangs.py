"""Steps that stop making progress: until they are killed, or until their time is over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from core.instrument import hangs, journal
from core.instrument.config import Fault, RunConfig
from core.pipelines.training import steps

HANGS = ("hang", "hang_in_c", "hang_in_subprocess")
LIMIT_S = 20.0
EXTRACT = """
import signal, sys, threading, time
from pathlib import Path
from core.pipelines.training import steps

class Interrupted(Exception):
    pass

def interrupt(*_):
    Path(sys.argv[2]).touch()
    raise Interrupted

def beat():
    while True:
        Path(sys.argv[3]).write_text(str(time.monotonic()))
        time.sleep(0.01)

signal.signal(signal.SIGUSR1, interrupt)
threading.Thread(target=beat, daemon=True).start()
steps.extract(sys.argv[1])
"""


@pytest.fixture
def hanging(make_config: Callable[..., RunConfig]) -> Callable[..., RunConfig]:
    def make(kind: str, seconds: float = 0.0) -> RunConfig:
        return make_config(faults=(Fault("extract", kind, seconds=seconds),))

    return make


@pytest.fixture
def marks(tmp_path: Path) -> tuple[Path, Path]:
    """Where the process says that its signal handler ran, and where its second thread beats."""
    return tmp_path / "handled", tmp_path / "heart"


def started(config: RunConfig, marks: tuple[Path, Path]) -> subprocess.Popen[bytes]:
    """A process whose step hangs by now."""
    command = [sys.executable, "-c", EXTRACT, str(config.path), *map(str, marks)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    soon(lambda: faults(config) or process.poll() is not None)
    return process


def faults(config: RunConfig) -> list[dict[str, object]]:
    return [record for record in journal.read(config.run_dir) if record["event"] == "fault"]


def soon(condition: Callable[[], object]) -> None:
    until = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < until, "did not come true"
        time.sleep(0.01)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.mark.parametrize("kind", ["slow", *HANGS])
def test_it_lasts_its_seconds_and_then_works(hanging: Callable[..., RunConfig], kind: str) -> None:
    config = hanging(kind, 0.2)
    assert steps.extract(str(config.path))["rows"] == 2000
    fault, end = (next(r for r in journal.read(config.run_dir) if r["event"] == e) for e in ("fault", "end"))
    assert 0.2e9 <= end["t_ns"] - fault["t_ns"] < LIMIT_S * 1e9


@pytest.mark.parametrize("kind", ["slow", *HANGS])
@pytest.mark.parametrize("seconds", [0.0, 1e6])
def test_nothing_lasts_longer_than_the_limit(
    hanging: Callable[..., RunConfig], kind: str, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hangs, "HANG_LIMIT_S", 0.2)
    assert steps.extract(str(hanging(kind, seconds).path))["rows"] == 2000


@pytest.mark.parametrize("kind", HANGS)
def test_it_hangs_until_killed(hanging: Callable[..., RunConfig], marks: tuple[Path, Path], kind: str) -> None:
    config = hanging(kind)
    with started(config, marks) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.3)
        process.kill()
    assert [record["event"] for record in journal.read(config.run_dir)] == ["start", "fault"]
    for pid in faults(config)[0].get("children", []):
        os.kill(pid, signal.SIGKILL)


def test_in_c_no_other_thread_runs_and_no_signal_is_handled(
    hanging: Callable[..., RunConfig], marks: tuple[Path, Path]
) -> None:
    handled, heart = marks
    with started(hanging("hang_in_c"), marks) as process:
        time.sleep(0.1)  # the last beat may have been under way
        last = heart.read_text()
        process.send_signal(signal.SIGUSR1)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        assert heart.read_text() == last
        assert not handled.exists()
        process.terminate()  # what Python does not handle, the kernel does
        assert process.wait(LIMIT_S) == -signal.SIGTERM


@pytest.mark.parametrize("kind", ["hang", "hang_in_subprocess"])
def test_in_python_other_threads_run_and_a_signal_ends_it(
    hanging: Callable[..., RunConfig], marks: tuple[Path, Path], kind: str
) -> None:
    handled, heart = marks
    config = hanging(kind)
    with started(config, marks) as process:
        first = heart.read_text()
        soon(lambda: heart.read_text() not in ("", first))
        process.send_signal(signal.SIGUSR1)
        assert process.wait(LIMIT_S) == 1
    assert handled.exists()
    assert [record["event"] for record in journal.read(config.run_dir)] == ["start", "fault", "error"]
    assert all(gone(pid) for pid in faults(config)[0].get("children", []))


def test_the_process_waited_for_is_in_the_journal_and_outlives_a_kill(
    hanging: Callable[..., RunConfig], marks: tuple[Path, Path]
) -> None:
    config = hanging("hang_in_subprocess")
    with started(config, marks) as process:
        (child,) = faults(config)[0]["children"]
        parent = int(Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[1])
        assert parent == process.pid
        process.kill()
    assert not gone(child)
    os.kill(child, signal.SIGKILL)
    soon(lambda: gone(child))

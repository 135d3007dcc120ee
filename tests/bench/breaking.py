"""A whole benchmark in a process of its own, on a double, that stops where a test wants to break it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

import psutil
from doubles import make_project
from waiting import wait_for

from bench.cli import results
from bench.contract.records import Sample
from bench.observe.reading import load
from bench.observe.store import LATEST
from bench.session.workspace import PROJECT
from core.pipelines.training.generator import TARGET, Transactions, write_transactions

HERE = Path(__file__).parent
ROWS = 2000
LIMIT_S = 240.0
Twins = Callable[[psutil.Process], "subprocess.Popen[bytes]"]
PLACE = "ORCHBENCH_TEST_PLACE"
"""Where the harness says that it has come to, and waits until it may go on: a file, named after the place."""
RESERVE = "ORCHBENCH_TEST_RESERVE"
PROGRAM = """
import os, sys
from dataclasses import replace
from pathlib import Path
import breaking
from bench import cli
from bench.contract import registry
from bench.observe import store
from bench.plan import budgets
from bench.session import environments, places, workspace
from bench.cli import preparing
from bench.contract.words import Track
from bench.questions import baseline

registry.PROJECT = workspace.PROJECT = Path(sys.argv.pop(1))
environments.ensure = lambda name, supervisor: environments.require(name)
places.choose = lambda **_: ""  # pytest's folders are longer than those in which engines live
baseline.RUNS = 2
asked = tuple(one for one in preparing.questions() if one.key in ("inline", "first", "samples"))
preparing.questions = lambda: asked
budgets.BUDGETS["quick"] = replace(budgets.BUDGETS["quick"], tracks=(Track.STOCK,))
store.RESERVE_BYTES = int(os.environ.get(breaking.RESERVE, store.RESERVE_BYTES))
store.os.write = breaking.written_by_halves(os.write)
cli.main()
"""
ADAPTER = """
from breaking import stop_at
from doubles import Double, DoubleEndpoint


class Stopping(DoubleEndpoint):
    submitted = 0

    def submit(self, *arguments):
        run = super().submit(*arguments)
        type(self).submitted += 1
        stop_at(f"run {self.submitted}")
        return run


class Engine(Double):
    asked = Stopping


ADAPTER = Engine
"""


def stop_at(place: str) -> bool:
    """In the harness: at the place that the test has named, say so, and wait for being let through; once."""
    wanted = Path(os.environ.get(PLACE, "nowhere"))
    if wanted.name != place:
        return False
    del os.environ[PLACE]
    test = os.getppid()
    wanted.touch()
    while wanted.exists() and os.getppid() == test:
        time.sleep(0.02)
    return True


def written_by_halves(write):  # noqa: ANN001, ANN201 - os.write, and the same in two halves
    """Stop, if that is the place, in the middle of a line about the engine."""

    def halves(descriptor: int, content: bytes) -> int:
        half = len(content) // 2
        if Path(os.environ.get(PLACE, "")).name == "writing" and content.startswith(b'{"engine":"double"'):
            write(descriptor, content[:half])
            stop_at("writing")
            return half
        written: int = write(descriptor, content)
        return written

    return halves


@cache
def checkout(base: Path) -> Path:
    """A checkout whose only engine is a double that can be stopped, and beside it the data; once for `base`."""
    root = make_project(base / "checkout")
    (root / "impl_double" / "adapter.py").write_text(ADAPTER)
    write_transactions(Transactions(rows=ROWS), root / "own.csv")
    return root


def options(base: Path, output: Path) -> tuple[str, ...]:
    """Of a new, small benchmark."""
    data = str(checkout(base) / "own.csv")
    return ("run", "--budget", "quick", "--data", data, "--target", TARGET, "--output", str(output))


def go_on(base: Path, folder: Path) -> tuple[str, ...]:
    """With what it has measured so far."""
    return ("run", "--resume", str(folder), "--data", str(checkout(base) / "own.csv"))


def start(
    base: Path, temporary: Path, *arguments: str, place: Path | None = None, **environment: str
) -> subprocess.Popen[str]:
    """Start the command. Its sessions live in `temporary`; it stops at `place`, whose name says where that is."""
    project = checkout(base)
    temporary.mkdir(exist_ok=True)
    paths = ":".join(map(str, (PROJECT, project, HERE)))
    own = {"PYTHONPATH": paths, "ORCHBENCH_ENVIRONMENTS": str(project / "environments"), "TMPDIR": str(temporary)}
    if place:
        own[PLACE] = str(place)
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(project), *arguments], cwd=project, env=os.environ | own | environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def told(harness: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Wait for its end; its exit code, output and errors."""
    out, err = harness.communicate(timeout=LIMIT_S)
    assert "Traceback" not in err, err
    return harness.returncode, out, err


def reached(harness: subprocess.Popen[str], place: Path) -> list[psutil.Process]:
    """Wait until the harness has come to the place; every process below it there."""
    wait_for(lambda: place.exists() or harness.poll() is not None, f"the harness is at '{place.name}'", LIMIT_S)
    assert harness.poll() is None, harness.communicate()
    return psutil.Process(harness.pid).children(recursive=True)


def assert_nothing_left(processes: list[psutil.Process], temporary: Path) -> None:
    """None of the processes runs any more, and no session's folder is there."""
    assert processes
    wait_for(lambda: not [p for p in processes if runs(p)], "no process of the benchmark is left")
    wait_for(lambda: not list(temporary.glob("orchbench-*")), "the scratch folder is removed")


def serves(process: psutil.Process) -> bool:
    """Whether it is there for the whole session, the guardian or the server; a run's process, which may end at any
    time, is a fork of the server and looks like it."""
    with suppress(psutil.NoSuchProcess):
        command, above = process.cmdline(), process.parent()
        lasting = any(word.endswith("server.py") or word == "bench.session.guardian" for word in command)
        return lasting and not (above and above.cmdline() == command)
    return False


def twin(process: psutil.Process, folder: Path) -> subprocess.Popen[bytes]:
    """Start a process with the name and the whole command line of another, that only sleeps, and is nobody's."""
    own = Path(tempfile.mkdtemp(dir=folder))  # another one may be reading its file just now
    (own / "sitecustomize.py").write_text("import time; time.sleep(3600)")
    decoy = subprocess.Popen(process.cmdline(), env=os.environ | {"PYTHONPATH": str(own)})
    looks = psutil.Process(decoy.pid)
    wait_for(lambda: looks.cmdline() == process.cmdline() and looks.name() == process.name(), "they look the same")
    assert decoy.poll() is None
    return decoy


def runs(process: psutil.Process) -> bool:
    """Whether it is more than a record: what others leave behind is adopted here, and not collected."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def reported(folder: Path) -> str:
    """What `orchbench report` makes of the result."""
    results.report(folder)
    return (folder / "report.html").read_text()


@cache
def begun(base: Path) -> Path:
    """A result whose harness was killed in the engine's first run, which is started once for `base`."""
    place, temporary = base / "run 1", base / "tmp"
    harness = start(base, temporary, *options(base, base / "results"), place=place)
    processes = reached(harness, place)
    assert len(processes) >= 2  # the guardian and the engine's server
    harness.kill()
    harness.communicate()
    place.unlink()
    assert_nothing_left(processes, temporary)
    return (base / "results" / LATEST).resolve()


def finished(base: Path, folder: Path, temporary: Path, before: list[Sample]) -> None:
    """Resume the result; it is completed, and what was measured before is still there, in its place."""
    code, _, err = told(start(base, temporary, *go_on(base, folder)))
    assert code == 0, err
    assert load(folder, Sample)[: len(before)] == before


def copied(folder: Path, to: Path) -> Path:
    """A copy of a result to be broken in another way."""
    return Path(shutil.copytree(folder, to / "results" / folder.name))

"""The harness is killed or interrupted: nothing stays behind, nothing measured is lost, and it can be finished."""

from __future__ import annotations

import os
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import breaking
import psutil
import pytest
from breaking import assert_nothing_left, reached, reported, start, told
from waiting import wait_for

from bench.cli.codes import EXIT_INTERRUPTED
from bench.results import Run, Sample
from bench.store import FILES, load, load_manifest

UNFINISHED = "it has not come to its end"


@pytest.fixture
def decoys() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes that only look like an engine's; the test adds them, and ends them here."""
    found: list[subprocess.Popen[bytes]] = []
    yield found
    for decoy in found:
        decoy.kill()
        decoy.wait()


def twin(process: psutil.Process, tmp_path: Path) -> subprocess.Popen[bytes]:
    """A process with the very command line of another, that only sleeps."""
    (tmp_path / "sitecustomize.py").write_text("import time; time.sleep(3600)")
    decoy = subprocess.Popen(process.cmdline(), env=os.environ | {"PYTHONPATH": str(tmp_path)})
    looks = psutil.Process(decoy.pid)
    wait_for(lambda: looks.cmdline() == process.cmdline() and looks.name() == process.name(), "they look the same")
    assert decoy.poll() is None
    return decoy


def test_killed_again_and_again_and_finished(
    harness_base: Path, tmp_path: Path, decoys: list[subprocess.Popen[bytes]]
) -> None:
    folder, temporary = breaking.copied(breaking.begun(harness_base), tmp_path), tmp_path / "tmp"
    assert load_manifest(folder).state == "running"
    assert UNFINISHED in reported(folder)

    kept: list[Sample] = []
    for where in ("writing", "run 2"):
        place = tmp_path / where
        harness = start(harness_base, temporary, "run", "--resume", str(folder), place=place)
        processes = reached(harness, place)
        decoys += [twin(one, tmp_path) for one in processes if any("server.py" in word for word in one.cmdline())]
        harness.kill()
        harness.communicate()
        place.unlink()
        assert_nothing_left(processes, temporary)
        torn = [name for name in FILES.values() if not whole(folder / name)]
        assert len(torn) == (where == "writing")
        measured = load(folder, Sample)
        assert measured[: len(kept)] == kept
        assert len(measured) >= len(kept)
        kept = measured
        assert UNFINISHED in reported(folder)

    breaking.finished(harness_base, folder, temporary, kept)
    manifest = load_manifest(folder)
    assert manifest.state == "complete"
    assert Counter(cell.state for cell in manifest.cells) == {"done": 3}
    assert UNFINISHED not in reported(folder)
    runs = load(folder, Run)
    assert len({run.run_id for run in runs}) == len(runs)
    assert {run.outcome for run in runs} == {"completed"}
    assert len(decoys) >= 2
    assert all(decoy.poll() is None for decoy in decoys)


def whole(file: Path) -> bool:
    return not file.exists() or file.read_bytes().endswith(b"\n")


@pytest.mark.parametrize(
    ("where", "signals"),
    [("run 2", [signal.SIGTERM]), ("run 1", [signal.SIGINT, signal.SIGINT, signal.SIGTERM])],
    ids=["asked to end", "Ctrl-C again and again"],
)
def test_interrupted(harness_base: Path, tmp_path: Path, where: str, signals: list[signal.Signals]) -> None:
    folder, temporary = breaking.copied(breaking.begun(harness_base), tmp_path), tmp_path / "tmp"
    kept, place = load(folder, Sample), tmp_path / where
    harness = start(harness_base, temporary, "run", "--resume", str(folder), place=place)
    processes = reached(harness, place)
    for number in signals:
        harness.send_signal(number)
    code, out, err = told(harness)
    assert code == EXIT_INTERRUPTED, err
    assert not [one for one in processes if one.is_running()]  # ended before the harness itself
    assert_nothing_left(processes, temporary)
    assert f"interrupted; finish it with: tox -e bench -- --resume {folder}\n" in out
    assert load_manifest(folder).state == "interrupted"
    assert UNFINISHED in (folder / "report.html").read_text()
    assert load(folder, Sample)[: len(kept)] == kept

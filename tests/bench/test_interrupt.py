"""Ctrl-C in the middle of a whole benchmark, then its end: two real processes over one result folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import psutil
import pytest
from doubles import make_project
from waiting import wait_for

from bench.cli.codes import EXIT_INTERRUPTED, EXIT_USAGE
from bench.contract.records import Run, Sample
from bench.observe.reading import load, load_manifest, load_summary
from bench.observe.store import LATEST
from bench.session.workspace import PROJECT
from core.pipelines.training.generator import TARGET, Transactions, write_transactions

LIMIT_S = 300
PROGRAM = """
import sys
from pathlib import Path
from bench import cli
from bench.contract import registry
from bench.session import environments, workspace
from bench.questions import baseline

root = Path(sys.argv.pop(1))
registry.PROJECT = workspace.PROJECT = root
baseline.RUNS = 2
environments.ensure = lambda name, supervisor: environments.require(name)
cli.main()
"""


def orchbench(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    paths = [str(PROJECT), str(project), str(Path(__file__).parent)]
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, str(project), *arguments], cwd=project, capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": ":".join(paths), "ORCHBENCH_ENVIRONMENTS": str(project / "environments")},
        check=False, timeout=LIMIT_S,
    )  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path / "project", double="interrupts once")


def test_interrupted_benchmark_is_reported_and_finished_later(project: Path, tmp_path: Path) -> None:
    data = write_transactions(Transactions(rows=2000), tmp_path / "own.csv")
    options = ("--budget", "quick", "--only", "debugging", "--data", str(data), "--target", TARGET)
    first = orchbench(project, "run", *options, "--output", str(tmp_path / "results"))
    folder = (tmp_path / "results" / LATEST).resolve()
    assert first.returncode == EXIT_INTERRUPTED, first.stderr
    assert "Traceback" not in first.stderr
    (hint,) = [line for line in first.stdout.splitlines() if line.startswith("interrupted; finish it with: ")]
    assert hint.endswith(f" --resume {folder} --data {data}")
    manifest = load_manifest(folder)
    assert manifest.state == "interrupted"
    assert Counter(cell.state for cell in manifest.cells) == {"done": 2, "interrupted": 1}
    kept = load(folder, Sample)
    assert kept
    assert load_summary(folder).records
    assert "interrupted" in (folder / "report.html").read_text().lower()
    assert_nothing_runs(folder)

    assert str(tmp_path) not in (folder / "manifest.json").read_text()
    alone = orchbench(project, "run", "--resume", str(folder))
    assert alone.returncode == EXIT_USAGE
    assert f"{folder}: was begun with own.csv; give it again, with --data FILE" in alone.stderr
    again = ("run", "--resume", str(folder), "--data", str(data))
    beside = orchbench(project, *again, "--budget", "full")
    assert "--budget: a result is gone on with as it was begun; leave it out" in beside.stderr

    second = orchbench(project, *again)
    assert second.returncode == 0, second.stderr
    finished = load_manifest(folder)
    assert finished.state == "complete"
    assert {cell.state for cell in finished.cells} == {"done"}
    assert load(folder, Sample)[: len(kept)] == kept
    runs = load(folder, Run)
    assert len({run.run_id for run in runs}) == len(runs)
    assert Counter(run.outcome for run in runs if run.engine == "double" and not run.warm_up) == {
        "failed as expected": 2
    }
    assert [path.name for path in (tmp_path / "results").iterdir() if path.name != LATEST] == [folder.name]
    assert_nothing_runs(folder)

    third = orchbench(project, "report", str(folder))
    assert third.returncode == 0, third.stderr
    assert third.stdout.split() == ["report:", str(folder / "report.html")]
    assert json.loads((folder / "summary.json").read_text())["records"]

    data.write_text(data.read_text().replace("groceries", "fuel"))
    other = orchbench(project, *again)
    assert other.returncode == EXIT_USAGE
    assert "not the data that" in other.stderr


def assert_nothing_runs(folder: Path) -> None:
    """No process has the result, or a run of it, on its command line."""

    def left() -> list[psutil.Process]:
        found = psutil.process_iter(["cmdline", "pid"])
        return [p for p in found if p.pid != os.getpid() and any(str(folder) in a for a in p.info["cmdline"] or ())]

    wait_for(lambda: not left(), "no process of the benchmark is left")

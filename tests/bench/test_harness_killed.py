"""The harness is killed or interrupted: nothing stays behind, nothing measured is lost, and it can be finished."""

from __future__ import annotations

import signal
import time
from collections import Counter
from pathlib import Path

import breaking
import pytest
from breaking import Twins, assert_nothing_left, reached, reported, serves, start, told

from bench.cli.codes import EXIT_INTERRUPTED
from bench.contract.records import Run, Sample
from bench.observe.reading import FILES, load, load_manifest

UNFINISHED = "it has not come to its end"


def test_killed_again_and_again_and_finished(harness_base: Path, tmp_path: Path, decoys: Twins) -> None:
    folder, temporary = breaking.copied(breaking.begun(harness_base), tmp_path), tmp_path / "tmp"
    assert load_manifest(folder).state == "running"
    assert UNFINISHED in reported(folder)

    kept: list[Sample] = []
    for where in ("writing", "run 2"):
        place = tmp_path / where
        harness = start(harness_base, temporary, *breaking.go_on(harness_base, folder), place=place)
        processes = reached(harness, place)
        found = [decoys(one) for one in processes if serves(one)]
        assert len(found) == 2
        harness.kill()
        harness.communicate()
        place.unlink()
        assert_nothing_left(processes, temporary)
        assert all(decoy.poll() is None for decoy in found)
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


def whole(file: Path) -> bool:
    return not file.exists() or file.read_bytes().endswith(b"\n")


@pytest.mark.parametrize(
    "signals", [(signal.SIGTERM,), (signal.SIGINT, signal.SIGTERM)], ids=["once", "again and again"]
)
def test_interrupted(harness_base: Path, tmp_path: Path, signals: tuple[signal.Signals, ...]) -> None:
    folder, temporary = breaking.copied(breaking.begun(harness_base), tmp_path), tmp_path / "tmp"
    kept, place = load(folder, Sample), tmp_path / "run 1"
    harness = start(harness_base, temporary, *breaking.go_on(harness_base, folder), place=place)
    processes = reached(harness, place)
    harness.send_signal(signals[0])
    while len(signals) > 1 and harness.poll() is None and not (folder / "report.html").exists():
        for number in signals:
            harness.send_signal(number)
        time.sleep(0.02)  # a rhythm, nothing is waited for
    code, out, err = told(harness)
    assert code == EXIT_INTERRUPTED, err
    assert not [one for one in processes if one.is_running()]  # ended before the harness itself
    assert_nothing_left(processes, temporary)
    assert f"interrupted; finish it with: tox -e bench -- --resume {folder} --data " in out
    assert load_manifest(folder).state == "interrupted"
    assert UNFINISHED in (folder / "report.html").read_text()
    assert load(folder, Sample)[: len(kept)] == kept

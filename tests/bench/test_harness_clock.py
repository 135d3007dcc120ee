"""The wall clock is set while a benchmark runs: for the harness alone, by libfaketime. Nothing measured moves."""

from __future__ import annotations

from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

import breaking
import pytest
from breaking import LIMIT_S, reached, reported, start, told
from waiting import wait_for

from bench.analyse import audits
from bench.contract.records import Run, Sample, Verdict
from bench.observe.reading import load, load_manifest

HOUR_S = 3600
LONG_S = 300.0
"""Longer than anything that is measured here takes, and shorter than a step of the clock."""


def library() -> Path:
    spec = find_spec("libfaketime")
    assert spec
    assert spec.origin
    (found,) = Path(spec.origin).parent.rglob("libfaketime.so.1")
    return found


def test_wall_clock_that_is_set_changes_nothing(harness_base: Path, tmp_path: Path) -> None:
    """An hour on in the middle of one run, and two back in the middle of the next."""
    folder, temporary = breaking.copied(breaking.begun(harness_base), tmp_path), tmp_path / "tmp"
    clock, place = tmp_path / "clock", tmp_path / "run 2"
    clock.write_text("+0")
    before = set(folder.glob("runs/*/journal.jsonl"))
    harness = start(
        harness_base, temporary, *breaking.go_on(harness_base, folder), place=place,
        LD_PRELOAD=str(library()), FAKETIME_TIMESTAMP_FILE=str(clock), FAKETIME_NO_CACHE="1",
        FAKETIME_DONT_FAKE_MONOTONIC="1",
    )  # fmt: skip
    wait_for(lambda: set(folder.glob("runs/*/journal.jsonl")) > before, "the first run is under way", LIMIT_S)
    clock.write_text(f"{HOUR_S:+d}")
    reached(harness, place)
    clock.write_text(f"{-HOUR_S:+d}")
    place.unlink()
    code, _, err = told(harness)
    assert code == 0, err

    manifest = load_manifest(folder)
    assert manifest.state == "complete"
    moved_s = datetime.fromisoformat(manifest.finished_utc).timestamp() - clock.stat().st_mtime
    assert moved_s == pytest.approx(-HOUR_S, abs=LONG_S)  # the harness did see another time
    samples, runs, verdicts = (load(folder, kind) for kind in (Sample, Run, Verdict))
    seconds = [s.value for s in samples if s.unit == "s" and s.value is not None]
    assert seconds
    assert all(isinstance(value, float) and 0 <= value < LONG_S for value in seconds)
    assert all(0 < run.submit_ns <= run.accepted_ns <= run.terminal_ns < run.submit_ns + LONG_S * 1e9 for run in runs)
    assert all(0 <= cell.actual_s < LONG_S for cell in manifest.cells)
    assert not [one for one in audits.audit(samples, runs, verdicts, manifest) if one.verdict == "fail"]
    assert "<html" in reported(folder)

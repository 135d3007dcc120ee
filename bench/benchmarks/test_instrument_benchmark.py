"""What the instrument itself costs: one attempt of a step that does nothing."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from core.instrument import journal
from core.instrument.config import RunConfig
from core.instrument.step import Attempt, step

ROUNDS = 500


@step
def nothing(attempt: Attempt) -> str:
    return attempt.config.run_id


def test_instrument_attempt(benchmark: BenchmarkFixture, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """Each round is the first attempt of a step, in a run that another step has begun."""
    caplog.set_level(logging.WARNING)
    # all are prepared before, as a run's folder is: what setting up leaves to the disk is not the instrument's
    runs = [
        RunConfig(pipeline="none", run_id="run1", run_dir=tmp_path / f"begun{number}", effects_dir=tmp_path)
        for number in range(ROUNDS)
    ]
    waiting = iter([str(run.save()) for run in runs])
    for run in runs:
        with journal.JournalWriter(run.run_dir, run.run_id, "before") as before:
            before.write("start")
    benchmark.pedantic(nothing, setup=lambda: ((next(waiting),), {}), rounds=ROUNDS)
    assert [(r["step"], r["event"]) for r in journal.read(runs[0].run_dir)] == [
        ("before", "start"),
        ("nothing", "start"),
        ("nothing", "end"),
    ]

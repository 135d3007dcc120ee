"""Each step of core alone, by the number of rows that were generated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import fresh
import pytest
from core.graphs import TRAINING
from pytest_benchmark.fixture import BenchmarkFixture

from core.instrument import journal
from core.instrument.config import RunConfig

STEPS = ("extract", "validate", "features", "train", "evaluate")


def results_of(config: RunConfig) -> dict[str, Any]:
    """What each step returned the last time."""
    return {record["step"]: record["result"] for record in journal.read(config.run_dir) if record["event"] == "end"}


@pytest.fixture(scope="session")
def finished(make_config: Callable[[str], RunConfig]) -> RunConfig:
    """A run that is over: its results are what the single steps are given."""
    config = make_config("finished")
    fresh.cost_of(fresh.watched("-m", "bench.run.inline", TRAINING.name, str(config.path)))
    return config


@pytest.mark.benchmark(group="step")
@pytest.mark.parametrize("step", STEPS)
def test_step(benchmark: BenchmarkFixture, finished: RunConfig, rounds: int, step: str) -> None:
    results = results_of(finished)
    inputs = [results[name] for name in TRAINING.step(step).upstream]
    fresh.measure(benchmark, rounds, "core.steps", step, str(finished.path), *inputs)
    attempts = [r for r in journal.read(finished.run_dir) if (r["step"], r["event"]) == (step, "end")]
    assert [a["result"] for a in attempts] == [results[step]] * (1 + rounds)

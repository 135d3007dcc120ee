"""Core's pipeline against a bare script that does the same job, whole processes, in alternating order."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import fresh
import pytest
from core.graphs import TRAINING
from pytest_benchmark.fixture import BenchmarkFixture

from core.instrument.config import RunConfig

SCRIPT = Path(__file__).with_name("bare_training.py")


@pytest.mark.benchmark(group="pipeline")
def test_pipeline_against_bare_script(
    benchmark: BenchmarkFixture, make_config: Callable[[str], RunConfig], request: pytest.FixtureRequest, rows: int
) -> None:
    numbers = itertools.count(1)
    pairs = benchmark.extra_info["pairs"] = []

    def pair() -> None:
        number = next(numbers)
        config = make_config(f"pair{number}")
        bare = config.run_dir / "bare"
        commands = {
            "core": ("-m", "bench.run.inline", TRAINING.name, str(config.path)),
            "bare": (str(SCRIPT), str(config.data), config.target, str(bare)),
        }
        order = list(commands) if number % 2 else list(reversed(commands))  # A B B A: a drift meets both alike
        pairs.append({name: fresh.cost_of(fresh.watched(*commands[name])) for name in order})
        measured, expected = (json.loads((folder / "metrics.json").read_text()) for folder in (config.run_dir, bare))
        assert measured == expected

    benchmark.pedantic(pair, rounds=request.config.getoption("--pairs"))
    assert all(cost["peak_bytes"] > 0 for one in pairs for cost in one.values())

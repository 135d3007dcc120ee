"""Core's pipeline against a bare script that does the same job, whole processes, in alternating order."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.benchmarks import fresh
from bench.benchmarks.measured import PIPELINE
from core.instrument.config import RunConfig


@pytest.mark.benchmark(group="pipeline")
def test_pipeline_against_bare_script(
    benchmark: BenchmarkFixture, make_config: Callable[[str], RunConfig], request: pytest.FixtureRequest
) -> None:
    numbers = itertools.count(1)
    pairs: list[dict[str, dict[str, float]]] = []
    benchmark.extra_info["pairs"] = pairs

    def pair() -> None:
        number = next(numbers)
        config = make_config(f"pair{number}")
        bare = config.run_dir / "bare"
        commands = {
            "core": ("-m", "bench.run.inline", str(config.path)),
            "bare": ("-m", PIPELINE.bare, str(config.path), str(bare)),
        }
        order = list(commands) if number % 2 else list(reversed(commands))  # A B B A: a drift meets both alike
        pairs.append({name: fresh.cost_of(fresh.watched(*commands[name])) for name in order})
        measured, expected = (json.loads((one / PIPELINE.merit).read_text()) for one in (config.run_dir, bare))
        assert measured == expected

    benchmark.pedantic(pair, rounds=request.config.getoption("--pairs"))
    assert all(cost["peak_bytes"] > 0 for one in pairs for cost in one.values())

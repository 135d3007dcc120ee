"""Benchmarks of the project's own parts: their sizes, and how often each is measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from bench.benchmarks.measured import PIPELINE, SEED
from core.declaration import Data
from core.instrument.config import RunConfig

ROWS = (10_000, 100_000)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rows", action="append", type=int, help="rows of generated data; repeatable")
    parser.addoption("--rounds", type=int, default=2, help="calls of each step, each in a fresh process")
    parser.addoption("--pairs", type=int, default=3, help="pairs of core's pipeline and the bare script")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "rows" in metafunc.fixturenames:
        metafunc.parametrize("rows", metafunc.config.getoption("--rows") or ROWS, scope="session")


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    return cast("int", request.config.getoption("--rounds"))


@pytest.fixture(scope="session")
def folder(rows: int, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where runs on data of this size are."""
    return tmp_path_factory.mktemp(f"rows{rows}")


@pytest.fixture(scope="session")
def data(rows: int, folder: Path) -> Data:
    """Generated data of this size."""
    source = PIPELINE.data_source()
    assert source, f"{PIPELINE.name} has no data"
    return source.generated(folder, SEED, rows)


@pytest.fixture(scope="session")
def make_config(data: Data, folder: Path) -> Callable[[str], RunConfig]:
    """Make and save the configuration of a run, in a folder of its own."""

    def make(run_id: str) -> RunConfig:
        run_dir = folder / run_id
        config = RunConfig(
            pipeline=PIPELINE.name, run_id=run_id, run_dir=run_dir, effects_dir=run_dir, settings=dict(data.settings)
        )
        config.save()
        return config

    return make

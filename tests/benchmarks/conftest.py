"""Benchmarks of the project's own parts: their sizes, and how often each is measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from core.datasets import TARGET, Transactions, write_transactions

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
    return request.config.getoption("--rounds")


@pytest.fixture(scope="session")
def data(rows: int, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generated card transactions of this size."""
    return write_transactions(Transactions(rows=rows), tmp_path_factory.mktemp(f"rows{rows}") / "transactions.csv")


@pytest.fixture(scope="session")
def make_config(data: Path) -> Callable[[str], RunConfig]:
    """Make and save the configuration of a run, in a folder of its own."""

    def make(run_id: str) -> RunConfig:
        folder = data.parent / run_id
        config = RunConfig(run_id=run_id, run_dir=folder, data=data, target=TARGET, registry=folder / "registry")
        config.save()
        return config

    return make

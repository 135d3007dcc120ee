"""Runs of the pipeline in a temporary folder, and the real data where it is there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from core.datasets import TARGET, Transactions, write_transactions

from core.instrument.config import RunConfig

REAL_DATA = Path(__file__).parents[2].parent / "shared" / "data"


@pytest.fixture(scope="session")
def transactions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two thousand card transactions, made once."""
    return write_transactions(Transactions(rows=2000), tmp_path_factory.mktemp("data") / "transactions.csv")


@pytest.fixture
def make_config(tmp_path: Path, transactions: Path) -> Callable[..., RunConfig]:
    """Make and save a configuration; each call is a run of its own unless `run_id` says otherwise."""
    made: list[RunConfig] = []

    def make(**changes: Any) -> RunConfig:
        run_id = changes.pop("run_id", f"run{len(made) + 1}")
        plain = {"data": transactions, "target": TARGET, "registry": tmp_path / "registry"}
        made.append(RunConfig(**{"run_id": run_id, "run_dir": tmp_path / "runs" / run_id} | plain | changes))
        made[-1].save()
        return made[-1]

    return make


@pytest.fixture
def config(make_config: Callable[..., RunConfig]) -> RunConfig:
    return make_config()


@pytest.fixture
def csv(tmp_path: Path) -> Callable[[str], Path]:
    """Write a text as the user's CSV file."""

    def write(text: str, name: str = "data.csv") -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


@pytest.fixture
def real_data() -> Path:
    if not REAL_DATA.is_dir():
        pytest.skip(f"{REAL_DATA} is absent: the real data is no part of the product")
    return REAL_DATA

"""Runs of a pipeline in a temporary folder, and the real data where it is there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.declaration import pipeline
from core.instrument.config import RunConfig
from core.pipelines.training.generator import TARGET, Transactions, write_transactions

REAL_DATA = Path(__file__).parents[2].parent / "shared" / "data"


@pytest.fixture(scope="session")
def transactions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two thousand card transactions, made once."""
    return write_transactions(Transactions(rows=2000), tmp_path_factory.mktemp("data") / "transactions.csv")


@pytest.fixture
def make_config(tmp_path: Path, transactions: Path) -> Callable[..., RunConfig]:
    """Make and save a configuration; each call is a run of its own. Other names than these are settings."""
    made: list[RunConfig] = []

    def make(name: str = "training", *, run_id: str = "", faults: tuple[Any, ...] = (), **changes: Any) -> RunConfig:
        chosen = run_id or f"run{len(made) + 1}"
        known = pipeline(name).settings.__struct_fields__
        plain = {key: value for key, value in {"data": transactions, "target": TARGET}.items() if key in known}
        settings = msgspec.to_builtins(plain | changes, enc_hook=str)
        folders = {"run_dir": tmp_path / "runs" / chosen, "effects_dir": tmp_path / "effects"}
        made.append(RunConfig(pipeline=name, run_id=chosen, **folders, settings=settings, faults=faults))
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

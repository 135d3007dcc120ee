"""What the instrument itself costs: one attempt of a step that does nothing."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from core import journal
from core.config import RunConfig
from core.step import Attempt, step

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture


@step
def nothing(attempt: Attempt) -> str:
    """Do nothing but name the run."""
    return attempt.config.run_id


def test_instrument_attempt(benchmark: BenchmarkFixture, config: RunConfig, caplog, tmp_path: Path) -> None:  # noqa: ANN001
    caplog.set_level(logging.WARNING)

    def fresh() -> tuple[tuple[str], dict[str, str]]:
        """A run folder of its own for each attempt, as for the first attempt of a step."""
        fresh.number += 1
        run = tmp_path / f"run{fresh.number}"
        return (str(RunConfig(**(plain | {"run_dir": run})).save()),), {}

    plain = {name: getattr(config, name) for name in RunConfig.__dataclass_fields__}
    fresh.number = 0
    assert benchmark.pedantic(nothing, setup=fresh, rounds=300) == config.run_id
    assert [r["event"] for r in journal.read(tmp_path / "run1")] == ["start", "end"]

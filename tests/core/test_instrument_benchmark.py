"""What the instrument itself costs: one attempt of a step that does nothing."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core import journal
from core.config import RunConfig
from core.step import Attempt, step


@step
def nothing(attempt: Attempt) -> str:
    return attempt.config.run_id


def test_instrument_attempt(
    benchmark: Callable[..., Any], config: RunConfig, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """Each round is the first attempt of a step, in a run that another step has begun."""
    caplog.set_level(logging.WARNING)
    runs: list[Path] = []

    def begun() -> tuple[tuple[str], dict[str, Any]]:
        runs.append(tmp_path / f"begun{len(runs)}")
        path = dataclasses.replace(config, run_dir=runs[-1]).save()
        journal.Journal(runs[-1], config.run_id, "before").write("start")
        return (str(path),), {}

    benchmark.pedantic(nothing, setup=begun, rounds=500)
    assert [(r["step"], r["event"]) for r in journal.read(runs[0])] == [
        ("before", "start"),
        ("nothing", "start"),
        ("nothing", "end"),
    ]

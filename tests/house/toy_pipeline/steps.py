"""The steps, each a few lines: their work is next to nothing."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from core.pipelines.toy.settings import Toy

from core.instrument.artifacts import TEMPORARY_PREFIX, Reference, check, refer, remove, write_json
from core.instrument.step import Attempt, step, step_of_many


@step
def numbers(attempt: Attempt) -> list[int]:
    """Only now is it known how many there are."""
    return list(range(1, attempt.settings(Toy).n + 1))


@step_of_many("{}")
def square(attempt: Attempt, number: int) -> int:
    """Of one number."""
    return number * number


@step
def total(attempt: Attempt, *squares: int) -> Reference:
    """Add up, which takes a while."""
    time.sleep(attempt.settings(Toy).work_s)
    return _kept(attempt, "total.json", sum(squares))


@step
def choice(attempt: Attempt, total: Reference) -> str:
    """Which arm it is."""
    settings, found = attempt.settings(Toy), _read(total)
    if found < settings.middle_from:
        return "low"
    return "middle" if found < settings.high_from else "high"


@step
def low(attempt: Attempt, total: Reference) -> Reference:
    """One of three arms."""
    return _kept(attempt, "arm.json", ["low", _read(total)])


@step
def middle(attempt: Attempt, total: Reference) -> Reference:
    """One of three arms."""
    return _kept(attempt, "arm.json", ["middle", _read(total)])


@step
def high(attempt: Attempt, total: Reference) -> Reference:
    """One of three arms."""
    return _kept(attempt, "arm.json", ["high", _read(total)])


@step
def report(attempt: Attempt, *arms: Reference) -> Reference:
    """Of the arm that ran."""
    return _kept(attempt, "report.json", [_read(one) for one in arms])


@step
def publish(attempt: Attempt, report: Reference) -> Reference:
    """Outside of the run, where a second time changes nothing."""
    config = attempt.config
    attempt.effect(f"publish:{config.run_id}")
    path = config.effects_dir / "published" / f"{config.run_id}.json"
    write_json(path, _read(report))
    return refer(path)


@step
def tidy(attempt: Attempt) -> int:
    """Remove what killed attempts have left, and say how much that was."""
    left = list(attempt.config.run_dir.glob(f"{TEMPORARY_PREFIX}*"))
    for path in left:
        remove(path)
    return len(left)


def _kept(attempt: Attempt, name: str, value: Any) -> Reference:
    path = attempt.config.run_dir / name
    write_json(path, value)
    return refer(path)


def _read(reference: Reference) -> Any:
    return json.loads(Path(check(reference)).read_text())

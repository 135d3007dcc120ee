"""plan: say how many steps a fan-out has."""

from __future__ import annotations

from core.instrument.step import Attempt, step
from core.pipelines.like_steps.settings import LikeSteps


@step
def plan(attempt: Attempt) -> list[int]:
    """Return the indexes of the steps to make, from 1: only now is their number known."""
    return list(range(1, attempt.settings(LikeSteps).n + 1))

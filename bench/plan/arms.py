"""What is compared: an engine, or another version of it, with one pipeline on one track; one of them twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bench.contract.words import Track
from bench.plan.budgets import Budget

AGAIN = "-again"
"""Second name of an engine that is measured twice: the A/A comparison."""
VERSION = "@"
"""Between an engine and another version of it."""
STORED = "-"
"""Between an engine or version and the storage that it has instead of its usual one."""
INLINE = "inline"
"""The plain loop."""


class Arm(NamedTuple):
    """One engine or version with one pipeline on one track."""

    name: str
    """Engine, or another version of one, or the second name of either."""
    track: Track
    pipeline: str

    @property
    def again(self) -> bool:
        """Whether it is the second of the A/A comparison."""
        return self.name.endswith(AGAIN)


def arms(
    budget: Budget, names: Sequence[str], tracks: Sequence[Track], pipelines: Sequence[str], again: str = ""
) -> tuple[Arm, ...]:
    """All arms of a plan. `again` is measured twice, on tuned settings, if the budget compares it with itself."""
    every = [Arm(name, track, pipeline) for name in names for track in tracks for pipeline in pipelines]
    twice = budget.again and again in names and Track.TUNED in tracks
    return (*every, *([Arm(again + AGAIN, Track.TUNED, pipelines[0])] if twice else []))


def cheapest(run_s: Mapping[str, float]) -> str:
    """The engine whose plain run costs least, the first of several; empty if there is none."""
    return min(run_s, key=lambda name: run_s[name], default="")

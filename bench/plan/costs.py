"""How much time is left, and what cells cost: the question's guess until one was measured, then what it took last."""

from __future__ import annotations

import time
from collections.abc import Sequence

from bench.plan.cell import Cell, sessions

RENDER_S = 15.0
SESSION_S = 7.0
"""What a session takes beside its cells: its folders and its database, and the end of its processes."""


class Clock:
    """Time left until the deadline, with room for the report."""

    def __init__(self, limit_s: float | None) -> None:
        self._deadline = None if limit_s is None else time.monotonic() + limit_s - RENDER_S

    def left_s(self) -> float:
        """Seconds left; infinite without a deadline."""
        return float("inf") if self._deadline is None else self._deadline - time.monotonic()


class Estimates:
    """What cells cost, by arm, question and topic."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], float] = {}

    def learn(self, cell: Cell, seconds: float) -> None:
        """Remember what a cell took."""
        self._known[_alike(cell)] = seconds

    def cell_s(self, cell: Cell) -> float:
        """Estimated seconds of one cell."""
        return self._known.get(_alike(cell), cell.cost_s)

    def total_s(self, cells: Sequence[Cell]) -> float:
        """Estimated seconds of some cells."""
        return sum(map(self.cell_s, cells))

    def sessions_s(self, cells: Sequence[Cell], *, essential: bool = False) -> float:
        """Estimated seconds of the cells' sessions from their opening to their end; or of the essential cells alone."""
        counted = [one for one in cells if one.essential or not essential]
        return SESSION_S * len(sessions(counted)) + self.total_s(counted)

    def essential_s(self, cells: Sequence[Cell]) -> float:
        """Estimated seconds of the sessions in which arms are timed."""
        return self.sessions_s(cells, essential=True)

    def opened_s(self, course: Sequence[Cell]) -> float:
        """Estimated seconds of a session in which only the cheapest is measured of the cells for which it is opened."""
        asked = [self.cell_s(one) for one in course if not one.opening]
        return SESSION_S + self.total_s([one for one in course if one.opening]) + min(asked, default=0.0)

    def share_s(self, left_s: float, cells: Sequence[Cell]) -> float:
        """What the first session of `cells` may take: all the time left that those after it do not need.

        Where that is scarce, its part of the time left.
        """
        total = self.total_s(cells)
        if not total:
            return left_s
        first = sessions(cells)[0]
        return max(left_s * self.total_s(first) / total, left_s - self.sessions_s(cells[len(first) :]))


def _alike(cell: Cell) -> tuple[object, ...]:
    one = cell.planned
    return one.name, one.track, one.pipeline, one.topic, cell.question.key, cell.topics

"""Submissions are spread evenly over the longest polling interval, from a random start."""

from __future__ import annotations

import time
from itertools import islice

import pytest
from doubles import BringUp, Double
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.contract.settings import Polling
from bench.run.phases import spread


@settings(deadline=None)
@given(st.floats(0, 1, exclude_max=True), st.integers(1, 300), st.integers(0, 50))
def test_no_gap_is_twice_an_even_one(start: float, number: int, before: int) -> None:
    taken = sorted(islice(spread(start), before, before + number))
    gaps = [later - earlier for earlier, later in zip(taken, [*taken[1:], taken[0] + 1.0], strict=True)]
    assert all(0 <= one < 1 for one in taken)
    assert max(gaps) <= 1.9 / number


class Waits(Double):
    """A run waits for one of its intervals, and not for the longer one."""

    def polling(self) -> list[Polling]:
        return [Polling("looks for runs", 4.0, "", waits=True), Polling("looks for what was lost", 60.0, "")]


def test_a_session_waits_for_each_part_of_the_interval_in_turn(
    bring_up: BringUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, conductor = bring_up(Waits)
    conductor.phases = spread(0.25)
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    for _ in range(5):
        conductor.get_out_of_phase(session)
    assert waited == pytest.approx([4.0 * part for part in islice(spread(0.25), 5)])
    assert max(waited) - min(waited) > 2.0


def test_each_session_has_a_start_of_its_own(bring_up: BringUp) -> None:
    _, one = bring_up()
    _, other = bring_up()
    assert next(one.phases) != next(other.phases)

"""The speed of the machine beside each session: measured while no engine is up, shown, and never used to adjust."""

from __future__ import annotations

import pytest

from bench.observe.calibration import N, calibrated, fib, laps


def test_each_lap_is_the_same_work() -> None:
    assert fib(N) == 1597
    found = laps(20)
    assert len(found) == 20
    assert all(0 < lap < 0.1 for lap in found)


def test_one_value_of_before_and_after_also_where_the_session_fails() -> None:
    kept: list[float] = []
    with calibrated(kept.append):
        assert kept == []
    with pytest.raises(ZeroDivisionError), calibrated(kept.append):
        raise ZeroDivisionError
    assert len(kept) == 2
    assert all(0 < value < 0.1 for value in kept)

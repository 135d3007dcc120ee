"""How good an outcome is, as data."""

from __future__ import annotations

RANKS = {
    "completed": 3,
    "completed after recovery": 3,
    "failed as expected": 2,
    "failed, reported": 2,
    "not supported": 1,
    "indeterminate": 0,
}
LOWEST = -1
"""Of every outcome that is not listed: lost, stuck, duplicated, false success, ..."""


def rank(outcome: str) -> int:
    """More is better."""
    return RANKS.get(outcome, LOWEST)

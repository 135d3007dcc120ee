"""Waiting for a condition, with a deadline that only a failure reaches."""

from __future__ import annotations

import time
from collections.abc import Callable

LIMIT_S = 30.0
POLL_S = 0.02


def wait_for(condition: Callable[[], bool], what: str, limit_s: float = LIMIT_S) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {limit_s:.0f} s: {what}"
        time.sleep(POLL_S)

"""How fast the machine itself is: a fixed loop, timed while no engine is up. No figure is adjusted by it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from time import thread_time_ns

METRIC = "host.calibration_s"
N = 17
LAPS = 500
"""Some 0.15 s: long enough to outlast what disturbs single laps."""


@contextmanager
def calibrated(keep: Callable[[float], None]) -> Iterator[None]:
    """Time the loop before and after what is done within; `keep` is given the median lap, in seconds of CPU time."""
    before = laps()
    try:
        yield
    finally:
        keep(median([*before, *laps()]))


def laps(number: int = LAPS) -> list[float]:
    """Seconds of CPU time of this thread for each of so many laps: others that run beside it count only by what they
    take of the processor's speed."""
    found = []
    for _ in range(number):
        begin = thread_time_ns()
        fib(N)
        found.append((thread_time_ns() - begin) / 1e9)
    return found


def fib(n: int) -> int:
    """The n-th Fibonacci number, in the naive way: constant work, in the processor's nearest caches."""
    return n if n < 2 else fib(n - 1) + fib(n - 2)

"""When is an engine warm? Runs before the samples, until they take no longer than those; the rule and its limit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from statistics import median

from bench.questions.bound import Bound

STEADY = 1.1
"""A run that took at most so many times the median sample was warm already: runs of a warm engine differ by 6 %. With a
limit nearer to that, chance would give arms of the same trend another number of warm-ups more often than need be."""


def warm_up(bound: Bound, number: int) -> None:
    """Run the pipeline until the session has had so many warm-ups. Their makespans are kept; None of a wrong run."""
    while len(bound.warm_ups) < number:
        bound.warm_ups.append(bound.conductor.served(bound.up, warm_up=True).makespan_s)


def enough(warm_ups: Sequence[float | None], samples: Sequence[float]) -> int:
    """How many warm-ups the arm's later sessions have, from those of its first one: all before the first warm run.

    At least one, the run that ends the bring-up, and at most as many as there were. All where no sample was right.
    """
    if not samples:
        return len(warm_ups)
    limit = STEADY * median(samples)
    slow = takewhile(lambda makespan_s: makespan_s is None or makespan_s > limit, warm_ups[1:])
    return 1 + sum(1 for _ in slow)

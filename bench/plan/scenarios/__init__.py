"""What is broken on purpose, or done by people: each scenario as data. The harness acts on it, the judge reads it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

from bench.plan.scenarios.record import Scenario

MODULES = [import_module(f"{__name__}.{path.stem}") for path in sorted(Path(__file__).parent.glob("*.py"))
           if path.stem not in ("__init__", "record")]  # fmt: skip
"""Each file of this folder is a group of scenarios, with its TITLE; a file that is added is found by itself."""
GROUPS: dict[str, tuple[Scenario, ...]] = {one.TITLE: one.SCENARIOS for one in MODULES}
"""Title -> scenarios."""
SCENARIOS = {one.key: one for group in GROUPS.values() for one in group}

WAITING = (("hung_in_c", "hung_step", "hung_subprocess"),)
"""Scenarios that are conducted at once, each in a run of its own, the longest first: nothing but that run's processes
is struck, and nothing is to be done but wait. No more of them than there are slots."""
APART_S = 12.0
"""Between their submissions, so that one's steps do not run when another's limit has come and its steps run again."""
RESUMED_S = 10.0
"""Rough seconds of resuming one of them, which follows when all have ended."""


def of_budget(name: str) -> tuple[str, ...]:
    """The scenarios that a budget holds: first those that smaller budgets hold too."""
    held = [one for one in SCENARIOS.values() if name in one.budgets]
    return tuple(one.key for one in sorted(held, key=lambda one: -len(one.budgets)))


def repeats(name: str) -> dict[str, int]:
    """How often a budget holds a scenario, of those that it holds more than once."""
    return {one.key: one.times[name] for one in SCENARIOS.values() if name in one.times}


def topic(key: str, time: int) -> str:
    """The name of its cell in a plan, of the first time its own: `step_killed`, `step_killed 2`."""
    return key if time == 1 else f"{key} {time}"


def of_topic(name: str) -> Scenario:
    """The scenario of a cell."""
    return SCENARIOS[name.partition(" ")[0]]


def batches(keys: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The scenarios of these keys in their order, each with those that are conducted with it at once."""
    met: set[str] = set()
    for key in keys:
        group = next((group for group in WAITING if key in group), (key,))
        if key not in met:
            yield tuple(one for one in group if one in keys)
        met.update(group)

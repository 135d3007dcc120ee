"""How the values of a scenario are stored, each with why it is absent if it is."""

from __future__ import annotations

from bench.contract.records import Run
from bench.judge.findings import UNITS, Finding, Found
from bench.run.conductor import Conductor
from bench.run.observation import Observation
from bench.session.asking import Asked

LEAVES = UNITS | {
    "orphans": "count", "orphan_s": "s", "leaked_slots": "count", "actions": "text", "session": "text",
}  # fmt: skip
"""What is told of each scenario, and its unit."""


def people(call: object, asked: Run | Asked) -> str:
    """What people have to do: a call of the API, with what it took until the engine had accepted it."""
    waited = f"after waiting {asked.waited_s:.1f} s" if asked.waited_s else ""
    took = ", ".join(filter(None, (waited, f"repeated {asked.repeats} times" if asked.repeats else "")))
    return f"one API call: {call}{f' ({took})' if took else ''}"


def not_met(found: Found, reason: str) -> Found:
    """Of a run that met no fault nothing has a value."""
    return {leaf: Finding(one.unit, None, f"not struck: {reason}") for leaf, one in found.items()}


def tell_absent(conductor: Conductor, name: str, reason: str) -> None:
    """Store that a scenario was not conducted, and why."""
    for leaf, unit in LEAVES.items():
        conductor.sample(None, f"recovery.{name}.{leaf}", unit, None, reason)


def store(conductor: Conductor, seen: Observation | None, name: str, found: Found) -> None:
    """Store the values of a scenario, each with why it is absent if it is."""
    for leaf, one in found.items():
        conductor.sample(seen, f"recovery.{name}.{leaf}", one.unit, one.value, one.note)

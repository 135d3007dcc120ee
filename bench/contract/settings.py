"""How an engine is set up: its settings, its other isolations, and how often it looks for something."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of the engine on a track. `name` is its public name (variable, key or flag)."""

    name: str
    value: str
    source: str
    """Address of the engine's documentation of it; for necessities (ports, folders), 'required'."""
    reason: str


@dataclass(frozen=True, slots=True)
class Variant:
    """Another way to keep the steps apart that the engine offers beside its usual one: an arm of its own."""

    name: str
    """Suffix of the arm's name: `processes`."""
    isolation: str
    """What it is: `in-process`, `threads`, `process pool` or `process per step`."""
    source: str
    """Address of the engine's documentation of it."""
    text: str
    """One sentence: what is different."""


@dataclass(frozen=True, slots=True)
class Polling:
    """How long something of the engine waits between two looks, on the workspace's track."""

    name: str
    """Public name of the setting."""
    seconds: float
    source: str
    waits: bool = False
    """Whether every plain run waits for it, and not only one in which something was lost."""


def longest_wait_s(polling: Iterable[Polling]) -> float:
    """How long a plain run may wait for one look: submissions are spread over this time, to be out of phase with it."""
    return max((one.seconds for one in polling if one.waits), default=0.0)

"""How an engine is set up: its settings, its other isolations and storages, and how often it looks for something."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path


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


HOME = "{home}"
"""In the value of a storage's setting: the engine's own folder, in which what is kept is counted."""


@dataclass(frozen=True, slots=True)
class Storage:
    """Another place for what steps hand on, chosen for the whole of an engine: an arm with sessions of its own."""

    name: str
    """Suffix of the arm's name, its words parted by hyphens: `object-storage`."""
    text: str
    """One sentence: what is different."""
    settings: tuple[Setting, ...]
    """What chooses it, beside the settings of the track."""

    def within(self, home: Path) -> tuple[Setting, ...]:
        """Its settings for an engine with that folder."""
        return tuple(replace(one, value=one.value.replace(HOME, str(home))) for one in self.settings)


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

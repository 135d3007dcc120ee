"""Which processes of an engine a fault from outside strikes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bench.contract.words import Unsupported


class Target(StrEnum):
    """What a fault from outside strikes, by its part in the work."""

    STEP = "step"
    """The process that runs a step's code."""
    RUN = "run"
    """The process that conducts one run and nothing else."""
    WORKER = "worker"
    """The process that starts the processes of runs or steps."""
    SCHEDULER = "scheduler"
    """The process that decides what runs next: scheduler or daemon."""
    API = "api"
    """The process that answers the users' requests."""
    CONTROL_PLANE = "control_plane"
    """All long-running processes of the engine at once."""
    DATABASE = "database"
    """The metadata database."""


@dataclass(frozen=True, slots=True)
class OfRole:
    """The target is a process that `roles()` names; the same one is started again to heal it."""

    kind: str
    text: str
    """One sentence: what this process does in the engine."""


@dataclass(frozen=True, slots=True)
class OfStep:
    """The target belongs to a running step: its own process, or the nearest one above it, by its command line."""

    text: str
    """One sentence: what this process does in the engine."""
    above: str = ""
    """A part of the command line of the process above the step's that is meant; empty means the step's own."""


Targets = Mapping[Target, OfRole | OfStep | Unsupported]

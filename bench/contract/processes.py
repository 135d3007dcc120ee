"""What an adapter describes and the harness starts: commands, and the processes of the control plane."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Command:
    """A process to run. `env` is added to the workspace's clean environment."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    timeout_s: float = 300.0


class Function(StrEnum):
    """What a long-running process does: what the roles of different engines have in common."""

    API = "web and API"
    SCHEDULING = "scheduling"
    CODE = "pipeline code"
    WORKER = "worker"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Role:
    """A long-running process of the control plane.

    `ready` is asked again and again until it returns True; it may raise httpx errors meanwhile.
    The harness starts the roles in order and waits for each that has a check before the next.
    """

    kind: str
    command: Command
    function: Function
    ready: Callable[[], bool] | None = None

"""What is asked of an engine, over its own API: the same of one that the harness runs as of one that others run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import httpx

from bench.contract.words import AbilityTable, Status


class Reach(StrEnum):
    """What can be done to an engine's processes, beside asking its API."""

    KILL = "kill"
    """They can be signalled, and are started again by the harness."""
    METER = "meter"
    """What they use can be measured."""
    SAME_CLOCK = "same_clock"
    """They share the harness's host, and so its CLOCK_MONOTONIC."""


OURS = frozenset(Reach)
"""The reach of an engine that the harness has started itself; of one that somebody else runs there may be none."""


class ApiError(Exception):
    """The engine's API answered, but with an error; the message is the engine's."""


class NotYetError(ApiError):
    """The engine cannot do yet what it is asked for, and can later: the message says what it is still doing."""


@dataclass(frozen=True, slots=True)
class StepState:
    """The engine's own view of one step. Times are UTC, ISO 8601, or None if it has none."""

    status: Status
    attempts: int = 0
    started_utc: str | None = None
    ended_utc: str | None = None


@dataclass(frozen=True, slots=True)
class RunState:
    """The engine's own view of a run. `steps` by their names in the pipeline's graph."""

    status: Status
    steps: Mapping[str, StepState] = field(default_factory=dict)
    raw: Any = None
    """What the engine answered, kept as evidence (JSON)."""
    ended_utc: str | None = None
    """When it ended, as the engine says; like a step's."""


class Endpoint(ABC):
    """An engine that can be asked, whoever runs it. All HTTP goes through the harness's client `http`.

    It neither repeats a request nor waits for the engine: the harness does, in one way for all. What cannot be done yet
    is a NotYetError.
    """

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    @abstractmethod
    def deployed(self, pipeline: str) -> bool:
        """Whether the pipeline is offered, under this name, for submission. May raise httpx errors."""

    @abstractmethod
    def submit(self, pipeline: str, config: Path, variant: str = "") -> str:
        """Start a run with the configuration file as its native parameter; return the engine's run id.

        `pipeline` is a name under which a pipeline is offered; `variant` a name of the adapter's `variants`, or empty
        for the usual way.
        """

    @abstractmethod
    def state(self, run: str) -> RunState:
        """The engine's own view of a run."""

    @abstractmethod
    def status(self, run: str) -> Status:
        """The engine's own view of a run alone, without its steps: one cheap request, whatever the number of steps."""

    @abstractmethod
    def logs(self, run: str, step: str | None) -> str:
        """The log of a step's attempts, or with None of the run, as the engine's API gives it to a user."""

    @abstractmethod
    def abilities(self) -> AbilityTable:
        """Every Ability, with its callable, its feature, or the reason why it is absent."""

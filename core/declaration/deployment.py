"""What an engine's own pipeline files are told when they are deployed: limits, and which graphs to offer.

The harness writes it into a file whose path is in the environment. It is read when asked for, never at import.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from core.declaration.discovery import pipeline
from core.declaration.graph import Graph, Step
from core.declaration.pipeline import Pipeline

VARIABLE = "ORCHBENCH_DEPLOYMENT"
STEP_TIMEOUT_S = 600.0
SHARED_LIMIT = "steps"
"""Name of the limit of steps at once that all runs share, where there is one: of a pool, or a tag."""


class Shaped(msgspec.Struct, frozen=True):
    """One pipeline, with the settings that fix its graph."""

    pipeline: str
    settings: dict[str, Any] = {}


class Deployment(msgspec.Struct, frozen=True):
    """The file's content."""

    step_timeout_s: float = STEP_TIMEOUT_S
    """How long an attempt of a step may take."""
    bound: tuple[Shaped, ...] = ()
    """What is offered through the engine's binding of declared graphs."""
    shared_limit: str | None = None
    """Name of the limit that every step is under together with those of all other runs, if there is one."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A pipeline as it is deployed."""

    pipeline: Pipeline
    name: str
    """Under which the engine offers it."""
    graph: Graph
    step_timeout_s: float
    """How long an attempt of a step may take."""
    shared_limit: str | None = None
    """Name of the limit that every step is under together with those of all other runs, if there is one."""

    @property
    def timeout_s(self) -> float:
        """How long a run may take; 0 is without a limit."""
        return self.pipeline.timeout_factor * self.step_timeout_s

    def step(self, name: str) -> Step:
        """The step of a name; KeyError if there is none."""
        return self.graph.step(name)


def read() -> Deployment:
    """What was deployed here; the defaults where nobody has said anything."""
    path = os.environ.get(VARIABLE)
    return msgspec.json.decode(Path(path).read_bytes(), type=Deployment) if path else Deployment()


def deployed(name: str) -> Offer:
    """A pipeline that an engine has code for by hand."""
    return _offer(Shaped(name), read())


def bound() -> tuple[Offer, ...]:
    """The pipelines that are offered through the binding."""
    content = read()
    return tuple(_offer(one, content) for one in content.bound)


def _offer(one: Shaped, content: Deployment) -> Offer:
    found = pipeline(one.pipeline)
    return Offer(
        found, found.offered(one.settings), found.graph(one.settings), content.step_timeout_s, content.shared_limit
    )

"""What people write: flows of steps."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OFFERED: dict[str, Callable[[], Flow]] = {}
"""Name -> what makes the flow: filled by the files that are loaded."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How often a step is tried again, how long an attempt may take, and which errors no retry mends."""

    retries: int = 0
    delay_s: float = 0.0
    timeout_s: float = 600.0
    final: tuple[type[Exception], ...] = ()


@dataclass(frozen=True, slots=True)
class Node:
    """A step of a flow. It is called with the run's configuration, its item if it has one, and what it is given."""

    name: str
    call: Callable[..., Any]
    given: tuple[str, ...] = ()
    """Steps whose results it is given; of one that is many, each."""
    after: tuple[str, ...] = ()
    """All steps that it waits for."""
    limits: Limits = Limits()
    item: Any = None
    over: str = ""
    """The step over whose list it is mapped."""
    arm_of: str = ""
    """The step that has to return this one's name, or it does not run."""
    join: bool = False
    """It runs once something before it ran, and not only if all did."""
    always: bool = False
    """It runs whatever became of those before it."""
    partition: bool = False
    """It is given the partition that the run is for."""
    spelling: str = "{}"

    @property
    def many(self) -> bool:
        return bool(self.over) or self.partition

    def instance(self, item: Any) -> str:
        return f"{self.name}_{self.spelling.format(item)}" if self.many else self.name


class Flow:
    """Steps in an order that respects what they wait for."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.nodes: list[Node] = []
        OFFERED[name] = lambda: self

    def add(self, node: Node) -> Node:
        self.nodes.append(node)
        return node

    def step(self, call: Callable[..., Any], *given: Node, after: tuple[Node, ...] = (), **more: Any) -> Node:
        """Add a step, named after its function; `after`: what it waits for beside what it is given."""
        names = tuple(node.name for node in given)
        waits = (*names, *(node.name for node in after))
        return self.add(Node(more.pop("name", call.__name__), call, names, waits, **more))

    def arm(self, branch: Node, call: Callable[..., Any], *given: Node, **more: Any) -> Node:
        """Add a step that runs if the branch returns its name."""
        return self.step(call, *given, after=(branch,), arm_of=branch.name, **more)


def load(script: str) -> None:
    """Import a file of flows, from its own folder and the one above."""
    path = Path(script)
    sys.path[:0] = [str(path.parent), str(path.parents[1])]
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{script}: no Python file")
    sys.modules[path.stem] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

"""What the manifest says of engines and pipelines: what their folders declare, as far as a reader needs it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

from bench.contract.adapter import Adapter
from bench.contract.described import DeclaredEngine, DeclaredPipeline
from core.declaration import Graph, Kind, Pipeline, Shape
from core.declaration import pipelines as found


def engines(kinds: Iterable[type[Adapter]]) -> list[DeclaredEngine]:
    """One for each adapter."""
    return [DeclaredEngine(name=kind.name, title=kind.title) for kind in kinds]


def pipelines(measured: str) -> list[DeclaredPipeline]:
    """All that were found, the one that is measured first."""
    return sorted(map(_told, found()), key=lambda one: one.name != measured)


def _told(one: Pipeline) -> DeclaredPipeline:
    graph = one.graph({})
    return DeclaredPipeline(
        name=one.name, title=one.title, steps=tuple(step.name for step in graph),
        in_turn=one.shape is Shape.SERIES or in_turn(graph), size=one.size, shape=str(one.shape or ""),
        companion=one.role is not None, effects=one.effects,
    )  # fmt: skip


def in_turn(graph: Graph) -> bool:
    """Whether no two of its steps are ever under way at once: each comes after the other, or one of them never runs."""
    before: dict[str, set[str]] = {}
    for step in graph:
        before[step.name] = set(step.upstream).union(*(before[name] for name in step.upstream))
    apart = {frozenset(arms) for step in graph for arms in combinations(step.arms, 2)}
    pairs = combinations(before, 2)
    ordered = all(
        one in before[other] or other in before[one] or frozenset((one, other)) in apart for one, other in pairs
    )
    return ordered and not any(step.kind is Kind.MAP for step in graph)

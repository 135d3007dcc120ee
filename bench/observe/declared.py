"""What the manifest says of engines and pipelines: what their folders declare, as far as a reader needs it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import msgspec

from bench.contract.adapter import Adapter
from bench.contract.described import DeclaredEngine, DeclaredPipeline
from core.declaration import Graph, Kind, Pipeline, Shape
from core.declaration import pipelines as found


def engines(kinds: Iterable[type[Adapter]], known: Iterable[DeclaredEngine] = ()) -> list[DeclaredEngine]:
    """One for each adapter; roles of those that are `known` stay, as only a session tells them."""
    roles = {one.name: one.roles for one in known}
    return [
        DeclaredEngine(
            name=kind.name, title=kind.title, place=kind.place, colour=kind.colour, shape=kind.shape,
            engine_class=kind.engine_class, language=kind.language.name,
            credentials=bool(kind.secret_names), roles=roles.get(kind.name, {}),
        )
        for kind in kinds
    ]  # fmt: skip


def with_roles(told: Iterable[DeclaredEngine], adapter: Adapter) -> list[DeclaredEngine]:
    """The same, with what the services of an adapter's engine do."""
    roles = {role.kind: str(role.function) for role in adapter.roles()}
    return [msgspec.structs.replace(one, roles=roles) if one.name == adapter.name else one for one in told]


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

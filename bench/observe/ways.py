"""Which way a run went: arms of a branch that were not chosen, and what only they lead to."""

from __future__ import annotations

from bench.observe.journal import Journal
from core.declaration import Graph, Kind, Step


def arm(branch: Step, name: str, graph: Graph) -> str:
    """The arm that a step is, also where it is one of many like steps; empty if it is none of the branch's."""
    if name in branch.arms:
        return name
    unrolled = (one for one in branch.arms if name.startswith(f"{one}_") and one not in {step.name for step in graph})
    return next(unrolled, "")


def passed_over(graph: Graph, journal: Journal) -> frozenset[str]:
    """Steps that the run will not come to, as far as its branches have been decided."""
    ended = journal.counted()
    found: set[str] = set()
    for step in graph:
        branches = [graph.step(name) for name in step.upstream if graph.step(name).arms]
        chosen = [ended[one.name].result == arm(one, step.name, graph)
                  for one in branches if one.name in ended and arm(one, step.name, graph)]  # fmt: skip
        ways = [name in found for name in step.upstream]
        closed = all(ways) if step.kind is Kind.JOIN else any(ways)
        if not all(chosen) or (ways and closed and step.kind is not Kind.ALWAYS):
            found.add(step.name)
    return frozenset(found)

"""Waits for a point of a run, as its journal tells it."""

from __future__ import annotations

from pathlib import Path
from threading import Event

from bench.observe.journal import Journal, read_journal
from bench.observe.ways import passed_over
from bench.plan.scenarios.record import Moment, When
from core.declaration import Graph
from core.instrument.journal import JOURNAL, now_ns

LOOK_S = 0.002
"""How often the journal's size is asked for: the precision with which a point is met."""
SENT_S = 0.01


def reached(at: Moment, run_dir: Path, graph: Graph, stop: Event) -> bool:
    """Wait until the run has come to a point; False if `stop` is set before.

    A submission's point is a moment after its request has been sent, which happens as this is called.
    """
    if at.when is When.SUBMIT:
        return not stop.wait(SENT_S)
    size = -1
    while not stop.is_set():
        size, before = _size(run_dir), size
        if size != before:
            begun_ns = _begun_ns(at, read_journal(run_dir), graph)
            if begun_ns is not None:
                wait_ns = begun_ns + (at.into_s * 1e9 if at.when is When.IN else 0) - now_ns()
                return not stop.wait(max(0.0, wait_ns / 1e9))
        stop.wait(LOOK_S)
    return False


def _size(run_dir: Path) -> int:
    journal = run_dir / JOURNAL
    return journal.stat().st_size if journal.exists() else 0


def _begun_ns(at: Moment, journal: Journal, graph: Graph) -> int | None:
    """When the point began: the step's start, or the end of its last upstream; None if it has not."""
    tries = journal.attempts_of(at.step)
    if at.when is When.IN:
        return tries[0].start_ns if tries else None
    counted = journal.counted()
    step = graph.step(at.step)
    if not step.upstream:
        return 0
    over = passed_over(graph, journal)  # of a branch only one way is taken
    awaited = [name for name in step.upstream if name not in over]
    ends = [counted[name].end_ns or 0 for name in awaited if name in counted]
    return max(ends) if ends and len(ends) == len(awaited) else None

"""What happened in a run, from its journal: attempts as bars, faults and the ends of the run as marks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bench.results import Run
from core.pipelines import TRAINING

NS = 1e9


@dataclass(frozen=True, slots=True)
class Bar:
    """One attempt of one step, in seconds since submit."""

    step: str
    attempt: int
    start_s: float
    end_s: float
    how: str
    """ended, error, killed (no end was ever written), open (the journal stops there)."""


@dataclass(frozen=True, slots=True)
class Point:
    step: str
    at_s: float
    what: str


@dataclass(frozen=True, slots=True)
class Timeline:
    engine: str
    run_id: str
    steps: tuple[str, ...]
    bars: tuple[Bar, ...]
    points: tuple[Point, ...]
    terminal_s: float | None
    outcome: str


def timeline(run: Run, records: Iterable[dict[str, Any]]) -> Timeline | None:
    """Build the timeline; None if the journal shows no attempt."""
    events = sorted((r for r in records if isinstance(r.get("t_ns"), int)), key=lambda r: r["t_ns"])
    attempts: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for event in events:
        attempts.setdefault((str(event.get("step", "?")), int(event.get("attempt", 1))), []).append(event)
    if not attempts:
        return None
    zero = run.submit_ns or events[0]["t_ns"]
    last = max(events[-1]["t_ns"], run.terminal_ns)
    bars = tuple(_bar(step, attempt, found, zero, last) for (step, attempt), found in attempts.items())
    points = tuple(
        Point(str(event["step"]), (event["t_ns"] - zero) / NS, str(event.get("kind", "fault")))
        for event in events
        if event.get("event") == "fault"
    )
    terminal = (run.terminal_ns - zero) / NS if run.terminal_ns else None
    steps = _order(run.workload, [step for step, _ in attempts])
    return Timeline(run.engine, run.run_id, steps, bars, points, terminal, run.outcome)


def _bar(step: str, attempt: int, events: list[dict[str, Any]], zero: int, last: int) -> Bar:
    start = events[0]["t_ns"]
    closing = next((e for e in reversed(events) if e.get("event") in ("end", "error")), None)
    if closing:
        return Bar(step, attempt, (start - zero) / NS, (closing["t_ns"] - zero) / NS, _how(closing))
    faulted = any(e.get("event") == "fault" for e in events)
    end = events[-1]["t_ns"] if faulted else last
    return Bar(step, attempt, (start - zero) / NS, (end - zero) / NS, "killed" if faulted else "open")


def _how(closing: dict[str, Any]) -> str:
    return "ended" if closing["event"] == "end" else "error"


def _order(workload: str, met: Iterable[str]) -> tuple[str, ...]:
    """The pipeline's own order of steps; unknown ones after it as met."""
    met = list(dict.fromkeys(met))
    known = [step.name for step in TRAINING.steps] if workload == TRAINING.name else []
    return (*(step for step in known if step in met), *(step for step in met if step not in known))

"""How do runs fare that are submitted at once?

Engines are comparable only where the same two limits of steps at once hold: within a run, and over all runs. Whether
they did is told from the journals of the very runs that are timed; what was measured without is shown and not ranked.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.contract.records import NOT_RANKED
from bench.contract.words import Track
from bench.contract.workspace import Workspace
from bench.observe.journal import most_at_once
from bench.observe.watching import POLL_S
from bench.plan.cell import Cell
from bench.plan.priced import Needs
from bench.plan.workloads import concurrency
from bench.questions.bound import Bound
from bench.questions.metric import Metric, Scale
from bench.questions.record import Question
from bench.run.observation import Observation


def measure(bound: Bound, _: Cell) -> None:
    """The same run several times at once: throughput, the spread of completion times, failures."""
    for workload in concurrency.WORKLOADS:
        conductor = bound.of(workload)
        seen = conductor.at_once(bound.up, workload.concurrent)
        note = unlike(bound.up.workspace, seen)
        for metric, (unit, value) in together(seen).items():
            conductor.sample(None, f"concurrency.{metric}", unit, value, note)
        conductor.sample(None, "concurrency.at_once_in_run", "count", most_in_run(seen))
        conductor.sample(None, "concurrency.at_once_over_all", "count", most_over_all(seen))


def unlike(space: Workspace, seen: Sequence[Observation]) -> str:
    """Why what was measured is not to be ranked; empty if both limits were set and neither was exceeded."""
    if space.at_once_over_all is None:
        return f"{NOT_RANKED}the engine's own default limits steps at once over all runs"
    for most, limit, where in (
        (most_in_run(seen), space.parallelism, "within a run"),
        (most_over_all(seen), space.at_once_over_all, "over all runs"),
    ):
        if most > limit:
            return f"{NOT_RANKED}{most} steps at once {where}, more than the limit of {limit}"
    return ""


def most_in_run(seen: Sequence[Observation]) -> int:
    """The most steps at once that any of the runs had."""
    return max((most_at_once(one.journal) for one in seen), default=0)


def most_over_all(seen: Sequence[Observation]) -> int:
    """The most steps at once that the runs had together."""
    return most_at_once(*(one.journal for one in seen))


def together(seen: list[Observation]) -> dict[str, tuple[str, float | None]]:
    """Metric -> (unit, value) of runs that were submitted at once. Right runs only are timed."""
    right = [one.run for one in seen if one.right and one.run.outcome == "completed"]
    found: dict[str, tuple[str, float | None]] = {"failures": ("count", float(len(seen) - len(right)))}
    if not right:
        return found
    completions = [(run.terminal_ns - run.submit_ns) / 1e9 for run in right]
    span_s = (max(run.terminal_ns for run in right) - min(run.submit_ns for run in right)) / 1e9
    p50, p95 = (float(value) for value in np.percentile(completions, (50, 95)))
    return found | {
        "throughput_per_min": ("count", 60 * len(right) / span_s),
        "completion_p50_s": ("s", p50),
        "completion_p95_s": ("s", p95),
    }


METRICS = (
    Metric(
        "concurrency.throughput_per_min", "Throughput", "high", unit="count", help="right runs", scale=Scale("per min")
    ),
    Metric("concurrency.completion_p50_s", "Completion, median", resolution=POLL_S),
    Metric("concurrency.completion_p95_s", "Completion, 95th percentile", resolution=POLL_S),
    Metric("concurrency.failures", "Failures", kind="seen", unit="count", help="runs that were not right"),
    Metric(
        "concurrency.at_once_in_run", "Steps at once in a run", "none", kind="info", unit="count", help="the most seen"
    ),
    Metric(
        "concurrency.at_once_over_all",
        "Steps at once over all",
        "none",
        kind="info",
        unit="count",
        help="the most seen",
    ),
)
QUESTIONS = (
    Question(
        key="concurrency", group="concurrency", title="How do runs at once fare?", order=110, place=9,
        needs=Needs.UP, of_engine=True, cost_s={Track.TUNED: 90, Track.STOCK: 180}, budgets={"full": 5},
        session="concurrency", apart=True, limited=True, workloads=lambda _: concurrency.WORKLOADS,
        measure=measure, metrics=METRICS,
    ),
)  # fmt: skip

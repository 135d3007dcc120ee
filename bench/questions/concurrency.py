"""How do runs fare that are submitted at once?"""

from __future__ import annotations

import numpy as np

from bench.contract.words import Track
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
        for metric, (unit, value) in together(seen).items():
            conductor.sample(None, f"concurrency.{metric}", unit, value)


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
)
QUESTIONS = (
    Question(
        key="concurrency", group="concurrency", title="How do runs at once fare?", order=110, place=9,
        needs=Needs.UP, of_engine=True, cost_s={Track.TUNED: 90, Track.STOCK: 180}, budgets={"full": 5},
        session="synthetic", workloads=lambda _: concurrency.WORKLOADS, measure=measure, metrics=METRICS,
    ),
)  # fmt: skip

"""How does the cost grow with the size? Pipelines of like steps in the budget's sizes, on a server and without one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import httpx

from bench.contract.errors import EngineError
from bench.contract.records import Mode
from bench.contract.words import Track
from bench.plan.budgets import Budget
from bench.plan.cell import Cell
from bench.plan.priced import Needs, Of
from bench.plan.workloads import Workload, scaling
from bench.questions.bound import Bound
from bench.questions.metadata import metadata_bytes, store_growth
from bench.questions.metric import Headline, Metric, Scale
from bench.questions.record import Question
from bench.questions.timing import run_local, run_served, to_local
from bench.run.observation import Observation
from core.declaration import Shape

TITLE = "How does it grow?"


def workloads(budget: Budget) -> tuple[Workload, ...]:
    """Every pipeline that has a shape, in the budget's sizes."""
    return scaling(budget.sizes)


def measure(bound: Bound, _: Cell) -> None:
    """By size on the server, with the CPU time that each step costs the whole engine."""
    before = metadata_bytes(bound.up)
    steps = by_size(bound, partial(run_served, bound))
    store_growth(bound, before, steps)


def measure_local(bound: Bound, _: Cell) -> None:
    """By size without a server."""
    to_local(bound)
    by_size(bound, partial(run_local, bound), "local")


def by_size(bound: Bound, conduct: Callable[[Workload], Observation], mode: Mode = "served") -> int:
    """Measure each kind from its smallest size on; after one that fails, the larger are not tried.

    Returns how many steps there were in all that went right.
    """
    failed: set[str] = set()
    steps = 0
    for workload in workloads(bound.ledger.budget):
        if workload.pipeline in failed:
            continue
        try:
            right = conduct(workload).right
        except (httpx.HTTPError, EngineError) as error:
            right = False
            bound.of(workload, mode).sample(None, "runtime.makespan_s", "s", None, f"failed: {error}")
        failed |= set() if right else {workload.pipeline}
        steps += workload.steps if right else 0
    return steps


METRICS = (
    Metric("scaling.fixed_s", "Fixed cost", help="of a run, whatever its size: the fitted line at no task"),
    Metric("scaling.marginal_s", "For each task", help="slope of the fitted line", scale=Scale("ms", 1e3)),
    Metric(
        "scaling.quadratic_s", "Growth of that", "none", "info", help="per task², where it helps",
        scale=Scale("µs", 1e6),
    ),
    Metric("scaling.fails_at_n", "Fails at", "none", "info", "count", help="smallest size with a run that failed"),
    Metric(
        "scaling.superlinear_at_n", "Worse than linear at", "none", "info", "count",
        help="smallest size above the line through the smaller ones",
    ),
    Metric(
        "resources.cpu_per_task_s", "CPU for each task",
        help="CPU time of the whole engine from the submission until the last step has ended, by the run's tasks",
    ),
    Metric(
        "resources.cpu_per_task_net_s", "The same without idle use",
        help="less what the engine uses in that time when nothing runs",
    ),
    Metric("resources.seconds_per_task_s", "Time for each task", "none", "info", help="of the run as a whole"),
    Metric(
        "resources.metadata_bytes_per_1000_tasks", "Metadata for 1000 tasks", unit="bytes",
        help="growth of the metadata database",
    ),
)  # fmt: skip
QUESTIONS = (
    Question(
        key="scaling", group="scaling", title=TITLE, order=80, place=4, needs=Needs.UP, of_engine=True,
        cost_s={Track.TUNED: 30, Track.STOCK: 120}, budgets={"full": 5}, session="synthetic",
        workloads=workloads, measure=measure, metrics=METRICS,
        headlines=(
            Headline("scaling.marginal_s", "Each of many tasks in a row, on a server", "served", Shape.SERIES),
            Headline("scaling.marginal_s", "Each of many parallel tasks", "served", Shape.PARALLEL),
        ),
    ),
    Question(
        key="local-scaling", group="scaling", title=TITLE, order=170, place=4, needs=Needs.LOCAL, of=Of.TUNED,
        of_engine=True, cost_s=dict.fromkeys(Track, 45.0), budgets={"full": 5}, session="synthetic",
        workloads=workloads, measure=measure_local,
    ),
)  # fmt: skip

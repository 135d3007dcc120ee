"""Parts about synthetic pipelines: by size, by payload, side by side, and many in a row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import httpx
import numpy as np

from bench.contract.errors import EngineError
from bench.contract.records import Mode
from bench.plan.budgets import WORKLOADS, Part
from bench.plan.workloads import Workload, scaling, shaped
from bench.questions import resources, runtime
from bench.questions.parts.bound import Bound
from bench.questions.parts.plain import run_local, to_local
from bench.run.conductor import Observation
from core.declaration import Shape

SOAK_RUNS = 200


def scaling_part(bound: Bound) -> None:
    """Chains and fan-outs by size on the server, with the CPU time that each step costs the whole engine."""
    before = resources.metadata_bytes(bound.up)
    steps = by_size(bound, partial(_measured, bound))
    _growth(bound, before, steps)


def _growth(bound: Bound, before: int, steps: int) -> None:
    """What runs of so many steps in all have left in the metadata database."""
    grown = resources.metadata_bytes(bound.up) - before
    if steps:
        small = replace(bound.conductor, workload=Workload(shaped(Shape.SERIES).name))
        small.sample(None, "resources.metadata_bytes_per_1000_tasks", "bytes", 1000 * grown / steps)


def local_scaling_part(bound: Bound) -> None:
    """Chains and fan-outs by size without a server."""
    to_local(bound)
    by_size(bound, partial(run_local, bound), "local")


def by_size(bound: Bound, measure: Callable[[Workload], Observation], mode: Mode = "served") -> int:
    """Measure each kind from its smallest size on; after one that fails, the larger are not tried.

    Returns how many steps there were in all that went right.
    """
    failed: set[str] = set()
    steps = 0
    for workload in scaling(bound.job.budget.sizes):
        if workload.pipeline in failed:
            continue
        try:
            right = measure(workload).right
        except (httpx.HTTPError, EngineError) as error:
            right = False
            bound.of(workload, mode).sample(None, "runtime.makespan_s", "s", None, f"failed: {error}")
        failed |= set() if right else {workload.pipeline}
        steps += workload.steps if right else 0
    return steps


def _measured(bound: Bound, workload: Workload) -> Observation:
    conductor = bound.of(workload)
    seen = conductor.served(bound.up)
    runtime.measure(conductor, seen, bound.job.inline_s(workload))
    if seen.right and seen.cpu_s is not None:
        conductor.sample(seen, "resources.cpu_per_task_s", "s", seen.cpu_s / workload.steps)
    return seen


def published_part(bound: Bound) -> None:
    """The workloads of a published comparison."""
    for workload in WORKLOADS[Part.PUBLISHED]:
        _measured(bound, workload)


def payload_part(bound: Bound) -> None:
    """Payloads through the engine and by reference, with the growth of the metadata database."""
    for workload in WORKLOADS[Part.PAYLOAD]:
        conductor = bound.of(workload)
        before = resources.metadata_bytes(bound.up)
        seen = conductor.served(bound.up)
        runtime.measure(conductor, seen, bound.job.inline_s(workload))
        grown = resources.metadata_bytes(bound.up) - before
        conductor.sample(seen, "payload.metadata_bytes", "bytes", float(grown))


def concurrency_part(bound: Bound) -> None:
    """The same run several times at once: throughput, the spread of completion times, failures."""
    for workload in WORKLOADS[Part.CONCURRENCY]:
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


def soak_part(bound: Bound) -> None:
    """Many runs in a row: does the engine's memory grow, and how much does its database?"""
    (workload,) = WORKLOADS[Part.SOAK]
    conductor = bound.of(workload)
    before = resources.metadata_bytes(bound.up)
    resources.soak(conductor, bound.up, lambda: conductor.served(bound.up, "soak"), SOAK_RUNS)
    _growth(bound, before, SOAK_RUNS * workload.steps)

"""Parts about synthetic pipelines: by size, by payload, side by side, and many in a row."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import numpy as np

from bench.budgets import WORKLOADS, Part
from bench.errors import EngineError
from bench.measures import resources, runtime
from bench.parts.bound import Bound
from bench.parts.plain import run_local, to_local
from bench.results import Mode
from bench.runs import Observation
from bench.workloads import Workload, scaling

SOAK_RUNS = 200


def scaling_part(bound: Bound) -> None:
    """Chains and fan-outs by size on the server, with the CPU time that each step costs the whole engine."""
    by_size(bound, lambda workload: _measured(bound, workload))


def local_scaling_part(bound: Bound) -> None:
    """Chains and fan-outs by size without a server."""
    to_local(bound)
    by_size(bound, lambda workload: run_local(bound, workload), "local")


def by_size(bound: Bound, measure: Callable[[Workload], None], mode: Mode = "served") -> None:
    """Measure each kind from its smallest size on; after one that fails, the larger are not tried."""
    failed: set[str] = set()
    for workload in (one for one in scaling(bound.job.budget.sizes) if one.name not in failed):
        try:
            measure(workload)
        except (httpx.HTTPError, EngineError) as error:
            failed.add(workload.name)
            bound.of(workload, mode).sample(None, "runtime.makespan_s", "s", None, f"failed: {error}")


def _measured(bound: Bound, workload: Workload) -> None:
    conductor = bound.of(workload)
    seen = conductor.served(bound.up)
    runtime.measure(conductor, seen, bound.job.inline_s(workload))
    if seen.right and seen.cpu_s is not None:
        conductor.sample(seen, "resources.cpu_per_task_s", "s", seen.cpu_s / workload.steps)


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
    grown = resources.metadata_bytes(bound.up) - before
    tasks = SOAK_RUNS * workload.steps
    conductor.sample(None, "resources.metadata_bytes_per_1000_tasks", "bytes", 1000 * grown / tasks)

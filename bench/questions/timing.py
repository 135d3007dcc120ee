"""How long one run took, and where the time went, from its journal: the samples that every timed run gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from statistics import median

from bench.contract.settings import Variant
from bench.contract.words import Track
from bench.observe.watching import limit_s
from bench.plan.workloads import Workload
from bench.questions.bound import Bound
from bench.run.conductor import EFFECTS, Conductor
from bench.run.observation import Observation
from bench.session.workspace import PARALLELISM
from core.declaration import Graph

CPU_PER_TASK, SECONDS_PER_TASK = "resources.cpu_per_task_s", "resources.seconds_per_task_s"


def store_times(conductor: Conductor, seen: Observation, inline_s: Mapping[str, float]) -> None:
    """Store the runtime.* samples of one run; a run with wrong output or another outcome has no timing."""
    if not seen.right or seen.run.outcome != "completed":
        failed = [f"{v.checker}: {v.reason}" for v in seen.verdicts if v.verdict != "pass"]
        note = f"wrong: {seen.run.outcome}" + (f" ({'; '.join(failed)})" if failed else "")
        conductor.sample(seen, "runtime.makespan_s", "s", None, note)
        return
    for metric, (unit, value) in times(seen, inline_s, conductor.graph(seen.journal)).items():
        conductor.sample(seen, f"runtime.{metric}", unit, value)


def times(seen: Observation, inline_s: Mapping[str, float], graph: Graph) -> dict[str, tuple[str, float]]:
    """Metric -> (unit, value) of one right run. Overhead as in `Journal.overhead_s`."""
    run, journal = seen.run, seen.journal
    first, last, makespan = journal.first_start_ns(), journal.last_end_ns(), seen.makespan_s
    if first is None or last is None or makespan is None:
        return {}
    gaps = list(journal.transitions(graph).values())
    found = {
        "makespan_s": makespan,
        "completion_s": (run.terminal_ns - run.submit_ns) / 1e9,
        "overhead_s": journal.overhead_s(makespan, inline_s, PARALLELISM, graph),
        "submit_to_first_step_s": (first - run.submit_ns) / 1e9,
        "transition_s": median(gaps) if gaps else None,
        "transitions_total_s": sum(gaps),
        "work_s": journal.work_s(),
        "terminal_lag_s": (run.terminal_ns - last) / 1e9,
    }
    result = {name: ("s", value) for name, value in found.items() if value is not None}
    slowdown = journal.step_slowdown(inline_s)
    return result | ({"step_slowdown_ratio": ("ratio", slowdown)} if slowdown else {})


def run_served(bound: Bound, workload: Workload) -> Observation:
    """One timed run on the server, with the CPU time that each step costs the whole engine."""
    conductor = bound.of(workload)
    seen = conductor.served(bound.up)
    store_times(conductor, seen, bound.ledger.inline_s(workload))
    if seen.right and seen.cpu_s is not None:
        store_cpu(conductor, seen, seen.cpu_s, workload.steps)
    return seen


def store_cpu(conductor: Conductor, seen: Observation, cpu_s: float, steps: int) -> None:
    """Store what a run took of the CPU until its last step had ended, and how long that was, for each of its steps."""
    conductor.sample(seen, CPU_PER_TASK, "s", cpu_s / steps)
    if seen.makespan_s is not None:
        conductor.sample(seen, SECONDS_PER_TASK, "s", seen.makespan_s / steps)


def to_local(bound: Bound) -> None:
    """Stop the engine and prepare its mode without a server, once a session."""
    if bound.local:
        return
    bound.up.stop_engine()
    for number, command in enumerate(bound.up.adapter.local_initialise(), 1):
        bound.supervisor.run(f"local-initialise-{number}", command)
    bound.local = True


def run_local(bound: Bound, workload: Workload, variant: Variant | None = None) -> Observation:
    """One timed run without a server, in the usual isolation of steps or in another."""
    conductor = bound.locally(workload, variant)
    run, config = conductor.prepare(bound.scratch / EFFECTS)
    command = bound.up.adapter.local(workload.offered, config, variant.name if variant else "")
    command = replace(command, timeout_s=limit_s(Track.STOCK, workload.steps))
    seen = conductor.process(bound.supervisor, command, run)
    store_times(conductor, seen, bound.ledger.inline_s(workload))
    return seen

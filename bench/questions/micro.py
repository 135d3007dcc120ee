"""What the project's own parts cost: core's steps, its pipeline against a bare script, and rendering a report."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bench.contract.processes import Command
from bench.contract.project import PROJECT
from bench.contract.records import NO_PIPELINE
from bench.contract.words import Track
from bench.plan.cell import Cell
from bench.plan.priced import Needs
from bench.questions.bound import Bound
from bench.questions.metric import Metric, Scale
from bench.questions.record import Question
from bench.run.conductor import Conductor
from bench.session.supervisor import Supervisor

BENCHMARKS = "bench/benchmarks"
STANDARD_ROWS = (10_000, 100_000)
PIPELINE_ROWS = 1_000_000
LIMIT_S = 3600.0


def measure(bound: Bound, _: Cell) -> None:
    """The micro-benchmarks, which run no engine."""
    budget = bound.ledger.budget
    run(bound.conductor, bound.supervisor, budget.rows, pairs=budget.pairs)


def run(
    conductor: Conductor,
    supervisor: Supervisor,
    rows: tuple[int, ...] = STANDARD_ROWS,
    *,
    rounds: int = 1,
    pairs: int = 0,
    pipeline_rows: int = PIPELINE_ROWS,
) -> None:
    """Run the micro-benchmarks and store their samples; pytest-benchmark's records stay in the result folder.

    Each step is called once in each of `rounds` fresh processes for each size in `rows`. Core's pipeline and the bare
    script run on `pipeline_rows`, `pairs` times in turn. Raises EngineError if a benchmark fails, so also when the two
    disagree in a metric of the model.
    """
    files = (f"{BENCHMARKS}/test_step_benchmarks.py", f"{BENCHMARKS}/test_report_benchmark.py")
    sizes = (f"--rows={number}" for number in rows)
    _benchmark(conductor, supervisor, "micro", *files, *sizes, f"--rounds={rounds}")
    if pairs:
        file = f"{BENCHMARKS}/test_pipeline_benchmark.py"
        _benchmark(conductor, supervisor, "micro-pipeline", file, f"--rows={pipeline_rows}", f"--pairs={pairs}")


def _benchmark(conductor: Conductor, supervisor: Supervisor, name: str, *arguments: str) -> None:
    """Run benchmarks, keep pytest-benchmark's record as `<name>.json`, and store its samples."""
    record = conductor.store.folder / f"{name}.json"
    options = ("-q", "--benchmark-only", f"--benchmark-json={record}", "-p", "no:cacheprovider", f"--timeout={LIMIT_S}")
    command = Command((sys.executable, "-m", "pytest", *arguments, *options), cwd=PROJECT, timeout_s=LIMIT_S)
    supervisor.run(name, command)
    for benchmark in json.loads(record.read_text())["benchmarks"]:
        SAMPLES[benchmark["group"]](conductor, benchmark)


def _step(conductor: Conductor, benchmark: dict[str, Any]) -> None:
    """Rows are those that were generated, also for the steps that see a part of them."""
    rows, step = benchmark["params"]["rows"], benchmark["params"]["step"]
    for seconds, peak in zip(benchmark["stats"]["data"], benchmark["extra_info"]["peak_bytes"], strict=True):
        note = f"{seconds:.3f} s in a fresh process, without its start"
        conductor.sample(None, f"micro.{step}.rows_per_s", "rows/s", rows / seconds, note, params={"rows": rows})
        note = "largest resident set of the process, with the interpreter and all libraries"
        conductor.sample(None, f"micro.{step}.peak_bytes", "bytes", float(peak), note, params={"rows": rows})


def _pipeline(conductor: Conductor, benchmark: dict[str, Any]) -> None:
    """Each pair counts as a session of its own, so that the ratios get an interval over the pairs."""
    params = {"rows": benchmark["params"]["rows"]}
    for number, pair in enumerate(benchmark["extra_info"]["pairs"], 1):
        core, bare = pair["core"], pair["bare"]
        of_pair = replace(conductor, session=number)
        ratio = core["seconds"] / bare["seconds"]
        note = f"core {_seconds(core)}, bare script {_seconds(bare)}"
        of_pair.sample(None, "micro.pipeline.time_ratio", "ratio", ratio, note, params=params)
        ratio = core["peak_bytes"] / bare["peak_bytes"]
        note = f"core {core['peak_bytes']} bytes, bare script {bare['peak_bytes']} bytes"
        of_pair.sample(None, "micro.pipeline.memory_ratio", "ratio", ratio, note, params=params)


def _seconds(cost: dict[str, float]) -> str:
    return f"{cost['seconds']:.2f} s ({cost['cpu_s']:.2f} s of processor time)"


def _report(conductor: Conductor, benchmark: dict[str, Any]) -> None:
    for seconds in benchmark["stats"]["data"]:
        conductor.sample(
            None, "micro.report_s", "s", seconds, "report of the kept result, in a fresh process", pipeline=NO_PIPELINE
        )


SAMPLES: dict[str, Callable[[Conductor, dict[str, Any]], None]] = {
    "step": _step,
    "pipeline": _pipeline,
    "report": _report,
}
"""By the benchmark's group."""

METRICS = (
    Metric("micro.pipeline.time_ratio", "Time, against a bare script", "none", "info", "ratio"),
    Metric("micro.pipeline.memory_ratio", "Memory, against a bare script", "none", "info", "ratio"),
    Metric("micro.report_s", "Making a report", "none", "info"),
)
LEAVES = (
    Metric("rows_per_s", "Speed", "none", "info", "rows/s", scale=Scale("rows/s")),
    Metric("peak_bytes", "Peak memory", "none", "info", "bytes"),
)
QUESTIONS = (
    Question(
        key="micro", group="micro", title="What do the steps cost by themselves?", order=30, place=12,
        needs=Needs.NOTHING, cost_s=dict.fromkeys(Track, 30.0), budgets={"full": 1},
        measure=measure, metrics=METRICS, subjects="micro", leaves=LEAVES,
    ),
)  # fmt: skip

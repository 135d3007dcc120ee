"""What does the instrument itself cost?"""

from __future__ import annotations

import json
import sys

from bench.contract.processes import Command
from bench.contract.project import PROJECT
from bench.contract.records import NO_PIPELINE
from bench.contract.words import Track
from bench.observe import host
from bench.plan.cell import Cell
from bench.plan.priced import Needs
from bench.questions.bound import Bound
from bench.questions.metric import Metric, Scale
from bench.questions.record import Question

BENCHMARK = "bench/benchmarks/test_instrument_benchmark.py"


def measure(bound: Bound, _: Cell) -> None:
    """What `@step` itself costs an attempt, by pytest-benchmark, and how fine the clock is."""
    bound.conductor.sample(None, "noise.clock_resolution_s", "s", host.clock_resolution_s(), pipeline=NO_PIPELINE)
    report = bound.conductor.store.folder / "instrument.json"
    options = ("-q", "--benchmark-only", f"--benchmark-json={report}", "-p", "no:cacheprovider")
    command = Command((sys.executable, "-m", "pytest", BENCHMARK, *options), cwd=PROJECT)
    bound.supervisor.run("instrument", command)
    for benchmark in json.loads(report.read_text())["benchmarks"]:
        name = "attempt_s" if benchmark["name"] == "test_instrument_attempt" else benchmark["name"]
        bound.conductor.sample(None, f"instrument.{name}", "s", benchmark["stats"]["median"], pipeline=NO_PIPELINE)


METRICS = (
    Metric("instrument.attempt_s", "Cost of the instrument", "none", "info", help="@step, for each attempt"),
    Metric("noise.clock_resolution_s", "Resolution of the clock", "none", "info", scale=Scale("ns", 1e9)),
)
QUESTIONS = (
    Question(
        key="instrument", group="runtime", title="What does the instrument cost?", order=20, needs=Needs.NOTHING,
        cost_s=dict.fromkeys(Track, 3.0), budgets={"quick": 1, "standard": 1, "full": 1},
        measure=measure, metrics=METRICS,
    ),
)  # fmt: skip

"""The plain loop: baseline of every overhead, and oracle of every run. Also what tells values from noise."""

from __future__ import annotations

from dataclasses import replace

from bench.contract.words import Track
from bench.observe.journal import Journal
from bench.plan.cell import Cell
from bench.plan.priced import ALL, Needs
from bench.plan.workloads import Workload
from bench.questions.bound import Bound
from bench.questions.metric import Metric, Scale
from bench.questions.record import Question
from bench.questions.timing import store_times
from bench.run.conductor import EFFECTS, inline_command

RUNS = 3


def measure(bound: Bound, _: Cell) -> None:
    """Run the block's pipelines without an engine. The first run of each is the oracle of all others."""
    for workload in bound.planned.workloads:
        for _number in range(1 if workload in bound.ledger.oracles else RUNS):
            run_inline(bound, workload)


def run_inline(bound: Bound, workload: Workload) -> None:
    """One run of the plain loop."""
    ledger, first = bound.ledger, workload not in bound.ledger.oracles
    conductor = replace(
        bound.conductor,
        source=ledger.source(workload.pipeline),
        workload=workload,
        oracle=ledger.oracles.get(workload, Journal()),
    )
    run, config = conductor.prepare(bound.scratch / EFFECTS)
    seen = conductor.process(bound.supervisor, inline_command(config), run)
    if first:  # it also fills the caches of the file system: not timed
        ledger.oracles[workload] = seen.journal
    else:
        ledger.inline_runs.setdefault(workload, []).append(seen.journal.step_times())
        store_times(conductor, seen, ledger.inline_s(workload))


METRICS = (
    Metric("host.others_cores", "Cores used by others", "none", "seen", "count", scale=Scale("cores")),
    Metric(
        "host.calibration_s",
        "A fixed loop",
        "none",
        "info",
        help="CPU time, while no engine is up",
        scale=Scale("ms", 1e3),
    ),
    Metric("noise.aa_ratio", "A/A ratio", "none", "info", "ratio", help="the same engine twice"),
    Metric("noise.aa_low", "A/A, low end", "none", "info", "ratio"),
    Metric("noise.aa_high", "A/A, high end", "none", "info", "ratio"),
    Metric("noise.detectable_ratio", "Smallest detectable ratio", "none", "info", "ratio"),
    Metric("noise.position_p", "Position in the block, p", "none", "info", "p"),
    Metric("noise.drift_p", "Drift, p", "none", "info", "p"),
    Metric("noise.drift_per_hour_ratio", "Drift for each hour", "none", "info", "ratio"),
)
QUESTIONS = (
    Question(
        key="inline", title="What does it take without an engine?", order=40, needs=Needs.LOOP, base=True,
        essential=True, cost_s=dict.fromkeys(Track, 7.0), measure=measure, metrics=METRICS,
        budgets={"quick": ALL, "standard": ALL, "full": ALL, "chaos": 1},
    ),
)  # fmt: skip

"""What does it cost to hand data from step to step, through the engine or by reference?"""

from __future__ import annotations

from bench.contract.words import Track
from bench.plan.cell import Cell
from bench.plan.priced import Needs
from bench.plan.workloads import payload
from bench.questions.bound import Bound
from bench.questions.metadata import metadata_bytes
from bench.questions.metric import Metric, Scale
from bench.questions.record import Question
from bench.questions.timing import store_times


def measure(bound: Bound, _: Cell) -> None:
    """Payloads through the engine and by reference, with the growth of the metadata database."""
    for workload in payload.WORKLOADS:
        conductor = bound.of(workload)
        before = metadata_bytes(bound.up)
        seen = conductor.served(bound.up)
        store_times(conductor, seen, bound.ledger.inline_s(workload))
        grown = metadata_bytes(bound.up) - before
        conductor.sample(seen, "payload.metadata_bytes", "bytes", float(grown))


METRICS = (
    Metric(
        "payload.metadata_bytes", "Database growth", unit="bytes", scale=Scale("kB", 1e-3), help="metadata, by one run"
    ),
)
QUESTIONS = (
    Question(
        key="payload", group="payload", title="What does a payload cost?", order=100, place=10, needs=Needs.UP,
        of_engine=True, cost_s={Track.TUNED: 60, Track.STOCK: 120}, budgets={"full": 5}, session="synthetic",
        workloads=lambda _: payload.WORKLOADS, measure=measure, metrics=METRICS,
    ),
)  # fmt: skip

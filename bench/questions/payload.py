"""What does it cost to hand data from step to step, through the engine or by reference?"""

from __future__ import annotations

from bench.contract.words import Track
from bench.plan.cell import Cell
from bench.plan.priced import Needs
from bench.plan.workloads import payload
from bench.questions.bound import Bound
from bench.questions.metadata import file_bytes, metadata_bytes
from bench.questions.metric import Metric, Scale
from bench.questions.record import Question
from bench.questions.timing import store_times


def measure(bound: Bound, _: Cell) -> None:
    """Payloads through the engine and by reference, with all that the engine keeps of a run: in its database, and in
    files."""
    for workload in payload.WORKLOADS:
        conductor = bound.of(workload)
        before = metadata_bytes(bound.up), file_bytes(bound.up)
        seen = conductor.served(bound.up)
        store_times(conductor, seen, bound.ledger.inline_s(workload))
        in_database, in_files = metadata_bytes(bound.up) - before[0], file_bytes(bound.up) - before[1]
        conductor.sample(seen, "payload.metadata_bytes", "bytes", float(in_database))
        conductor.sample(seen, "payload.files_bytes", "bytes", float(in_files))
        conductor.sample(seen, "payload.kept_bytes", "bytes", float(in_database + in_files))


KILOBYTES = Scale("kB", 1e-3)
METRICS = (
    Metric(
        "payload.kept_bytes", "Kept by the engine", unit="bytes", scale=KILOBYTES,
        help="of one run, in its database and in files: results, storage of runs, logs",
    ),
    Metric("payload.metadata_bytes", "Database growth", unit="bytes", scale=KILOBYTES, help="metadata, by one run"),
    Metric(
        "payload.files_bytes", "Growth of files", unit="bytes", scale=KILOBYTES,
        help="in the engine's home, but for a database there, by one run",
    ),
)  # fmt: skip
QUESTIONS = (
    Question(
        key="payload", group="payload", title="What does a payload cost?", order=100, place=10, needs=Needs.UP,
        of_engine=True, cost_s={Track.TUNED: 60, Track.STOCK: 120}, budgets={"full": 5}, session="synthetic",
        stored=True, workloads=lambda _: payload.WORKLOADS, measure=measure, metrics=METRICS,
    ),
)  # fmt: skip

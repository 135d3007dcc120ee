"""How long do the workloads of a published comparison take?"""

from __future__ import annotations

from bench.contract.words import Track
from bench.plan.cell import Cell
from bench.plan.priced import Needs
from bench.plan.workloads import published
from bench.questions.bound import Bound
from bench.questions.record import Question
from bench.questions.timing import run_served


def measure(bound: Bound, _: Cell) -> None:
    """Each workload once."""
    for workload in published.WORKLOADS:
        run_served(bound, workload)


QUESTIONS = (
    Question(
        key="published", group="published", title="How do published figures compare?", order=90, place=8,
        needs=Needs.UP, of_engine=True, cost_s={Track.TUNED: 60, Track.STOCK: 120}, budgets={"full": 5},
        session="synthetic", workloads=lambda _: published.WORKLOADS, measure=measure,
    ),
)  # fmt: skip

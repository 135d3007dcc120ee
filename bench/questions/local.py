"""How fast is a run without a server?"""

from __future__ import annotations

from bench.contract.words import Track
from bench.plan.cell import Cell
from bench.plan.priced import ALL, Needs, Of
from bench.questions.bound import Bound
from bench.questions.metric import Headline
from bench.questions.record import Question
from bench.questions.timing import run_local, to_local


def measure(bound: Bound, _: Cell) -> None:
    """The engine's mode without a server, with its server stopped, in each isolation that it has there."""
    to_local(bound)
    variants = bound.up.adapter.local_variants if bound.ledger.budget.variants else ()
    for _number in range(bound.ledger.budget.samples):
        for variant in (None, *variants):
            run_local(bound, bound.own, variant)


QUESTIONS = (
    Question(
        key="local", group="runtime", title="How fast, without a server?", order=160, place=3,
        needs=Needs.LOCAL, of=Of.TUNED, cost_s=dict.fromkeys(Track, 22.0),
        budgets={"quick": 1, "standard": 1, "full": ALL}, measure=measure,
        headlines=(
            Headline("runtime.completion_s", "Process start to end", "local"),
            Headline("runtime.overhead_s", "Overhead of a run", "local"),
        ),
    ),
)  # fmt: skip

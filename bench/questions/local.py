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
    """The engine's mode without a server, with its server stopped."""
    to_local(bound)
    for _number in range(bound.ledger.budget.samples):
        run_local(bound, bound.own)


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

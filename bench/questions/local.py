"""How fast is a run without a server?"""

from __future__ import annotations

from collections.abc import Iterator

from bench.contract.words import Track
from bench.plan.budgets import LOCAL
from bench.plan.cell import Cell
from bench.plan.priced import ALL, Ask, Needs, Of, Topic
from bench.questions.bound import Bound
from bench.questions.metric import Headline
from bench.questions.record import Question
from bench.questions.timing import run_local, to_local

RUN_S = 15.0
"""Rough seconds of a run in a fresh process, with its part of what is prepared before."""


def cells(ask: Ask) -> Iterator[Topic]:
    """One: the budget's runs."""
    yield Topic((), RUN_S * ask.budget.local)


def measure(bound: Bound, _: Cell) -> None:
    """The engine's mode without a server, with its server stopped, in each isolation that it has there."""
    to_local(bound)
    variants = bound.up.adapter.local_variants if bound.ledger.budget.variants else ()
    for _number in range(bound.ledger.budget.local):
        for variant in (None, *variants):
            run_local(bound, bound.own, variant)


QUESTIONS = (
    Question(
        key="local", group="runtime", title="How fast, without a server?", order=160, place=3,
        needs=Needs.LOCAL, of=Of.TUNED, session=LOCAL, cost_s=dict.fromkeys(Track, RUN_S), cells=cells,
        budgets={"quick": 1, "standard": 2, "full": ALL}, measure=measure,
        headlines=(
            Headline("runtime.completion_s", "Process start to end", "local"),
            Headline("runtime.overhead_s", "Overhead of a run", "local"),
        ),
    ),
)  # fmt: skip

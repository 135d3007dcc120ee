"""How fast is a run on a server? Plain runs on the warm engine, in each isolation that it offers."""

from __future__ import annotations

import random
from collections.abc import Iterator

from bench.contract.settings import Variant
from bench.contract.words import Track
from bench.observe.watching import POLL_S
from bench.plan.cell import Cell
from bench.plan.priced import ALL, Ask, Needs, Of, Topic
from bench.questions import warming
from bench.questions.bound import Bound, in_variant
from bench.questions.metric import Headline, Metric
from bench.questions.record import Question
from bench.questions.timing import store_times

RUN_S = {Track.TUNED: 9.0, Track.STOCK: 18.0}
OTHERS_S = 5.0
"""Rough seconds from one run to the next; of a run of each other isolation, which some engines have none of."""


def cells(ask: Ask) -> Iterator[Topic]:
    """One: so many samples, one of each other isolation, and what the first block has more of warm-ups."""
    warm_ups = ask.budget.often[ask.track].warm_ups - 1 if ask.block == 1 else 0
    yield Topic((), RUN_S[ask.track] * (ask.samples + warm_ups) + (OTHERS_S if ask.others else 0.0))


def measure(bound: Bound, _: Cell) -> None:
    """Plain runs on the warm engine, and one of each other isolation that it offers, in an order drawn anew."""
    fixed = bound.ledger.warm_ups(bound.planned)
    if not fixed:
        warming.warm_up(bound, bound.ledger.budget.often[bound.planned.track].warm_ups)
    turns: list[Variant | None] = [*[None] * bound.planned.samples, *_variants(bound)]
    random.Random(f"turns {bound.ledger.manifest.seed} {bound.conductor.label}").shuffle(turns)  # noqa: S311 - an order
    makespans = []
    for variant in turns:
        conductor = in_variant(bound.conductor, variant) if variant else bound.conductor
        seen = conductor.served(bound.up)
        store_times(conductor, seen, bound.ledger.inline_s(bound.own))
        makespans += [seen.makespan_s] if seen.right and seen.makespan_s and not variant else []
    bound.conductor.sample(None, "runtime.warm_ups", "count", float(len(bound.warm_ups)))
    if not fixed:
        bound.ledger.fix_warm_ups(bound.planned, warming.enough(bound.warm_ups, makespans))


def _variants(bound: Bound) -> tuple[Variant, ...]:
    """The other isolations; not of the second, A/A arm."""
    return bound.up.adapter.variants if bound.planned.variants and not bound.planned.again else ()


METRICS = (
    Metric("runtime.warm_ups", "Warm-ups", "none", "info", "count", help="before the samples of a session"),
    Metric("runtime.makespan_s", "Makespan", help="submit until the last step has ended"),
    Metric(
        "runtime.completion_s",
        "Completion",
        resolution=POLL_S,
        help="submit until the terminal state is seen",
    ),
    Metric("runtime.overhead_s", "Overhead", help="makespan less the work that the plain loop needs"),
    Metric("runtime.submit_to_first_step_s", "Submit to first step"),
    Metric("runtime.work_s", "Work", "none", "info", help="the steps' own time"),
    Metric("runtime.transition_s", "Between steps", help="median: upstreams ended until the step starts"),
    Metric("runtime.transitions_total_s", "Between steps, sum"),
    Metric("runtime.terminal_lag_s", "Last step to terminal state", resolution=POLL_S),
    Metric(
        "runtime.step_slowdown_ratio",
        "Step slowdown",
        unit="ratio",
        help="step bodies against the plain loop's",
    ),
)
QUESTIONS = (
    Question(
        key="samples", group="runtime", title="How fast, on a server?", order=70, place=3,
        needs=Needs.UP, of=Of.EVERY, essential=True, session="", cost_s=RUN_S, cells=cells,
        budgets={"quick": ALL, "standard": ALL, "full": ALL}, failed_as="runtime.makespan_s",
        measure=measure, metrics=METRICS,
        headlines=(
            Headline("runtime.completion_s", "Submit to terminal state", "served"),
            Headline("runtime.overhead_s", "Overhead of a run", "served"),
            Headline("runtime.transition_s", "Latency between steps", "served"),
        ),
    ),
)  # fmt: skip

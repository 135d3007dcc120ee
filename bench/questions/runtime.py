"""How fast is a run on a server? Plain runs on the warm engine, in each isolation that it offers."""

from __future__ import annotations

from bench.contract.settings import Variant
from bench.contract.words import Track
from bench.observe.watching import POLL_S
from bench.plan.cell import Cell
from bench.plan.priced import ALL, Needs, Of
from bench.questions.bound import Bound, in_variant
from bench.questions.metric import Headline, Metric
from bench.questions.record import Question
from bench.questions.timing import store_times


def measure(bound: Bound, _: Cell) -> None:
    """Plain runs on the warm engine, and as many of each other isolation that it offers, in an order drawn anew."""
    arms: list[Variant | None] = [None, *_variants(bound)]
    for _number in range(bound.ledger.budget.samples):
        bound.conductor.random.shuffle(arms)
        for variant in arms:
            conductor = in_variant(bound.conductor, variant) if variant else bound.conductor
            store_times(conductor, conductor.served(bound.up), bound.ledger.inline_s(bound.own))


def _variants(bound: Bound) -> tuple[Variant, ...]:
    """The other isolations; not of the second, A/A arm."""
    wanted = bound.ledger.budget.variants and bound.planned.chains and not bound.planned.again
    return bound.up.adapter.variants if wanted else ()


METRICS = (
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
        needs=Needs.UP, of=Of.EVERY, essential=True, cost_s={Track.TUNED: 12, Track.STOCK: 24},
        budgets={"quick": ALL, "standard": ALL, "full": ALL}, failed_as="runtime.makespan_s",
        measure=measure, metrics=METRICS,
        headlines=(
            Headline("runtime.completion_s", "Submit to terminal state", "served"),
            Headline("runtime.overhead_s", "Overhead of a run", "served"),
            Headline("runtime.transition_s", "Latency between steps", "served"),
        ),
    ),
)  # fmt: skip

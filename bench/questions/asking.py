"""What does it cost an engine to be asked for a run? Plain runs, left alone and asked as broken ones are, in pairs."""

from __future__ import annotations

import random
from dataclasses import replace

from bench.contract.words import Track
from bench.observe.watching import BROKEN_POLL_S
from bench.plan.cell import Cell
from bench.plan.priced import Needs, Of
from bench.questions.bound import Bound
from bench.questions.metric import Metric
from bench.questions.record import Question
from bench.run.conductor import Conductor
from bench.run.observation import Observation
from bench.session.bring_up import Session

PAIRS = 6
RATIO = "noise.asking_ratio"


def measure(bound: Bound, _: Cell) -> None:
    """Pairs of runs, the order within each drawn anew."""
    pairs(bound.conductor, bound.up, PAIRS)


def pairs(conductor: Conductor, session: Session, many: int) -> None:
    """Conduct so many pairs and store the ratio of their makespans, asked to left alone.

    Each pair counts as a session of its own, so that the ratio gets an interval over the pairs.
    """
    draw = random.Random(f"asking {conductor.label}")  # noqa: S311 - an order, not a secret
    for number in range(1, many + 1):
        order = draw.sample((False, True), 2)
        seen = {asked: conductor.served(session, asked=asked) for asked in order}
        _store(replace(conductor, session=number), seen[False], seen[True])


def _store(conductor: Conductor, alone: Observation, asked: Observation) -> None:
    wrong = [one.run.outcome for one in (alone, asked) if not (one.right and one.run.outcome == "completed")]
    if wrong or not (alone.makespan_s and asked.makespan_s):
        conductor.sample(None, RATIO, "ratio", None, f"wrong: {', '.join(wrong)}")
        return
    note = f"asked every {BROKEN_POLL_S:g} s {asked.makespan_s:.2f} s, left alone {alone.makespan_s:.2f} s"
    conductor.sample(None, RATIO, "ratio", asked.makespan_s / alone.makespan_s, note)


METRICS = (
    Metric(
        RATIO, "Being asked, on a run's time", "none", "info", "ratio",
        help="makespan of runs that are asked for as broken ones are, by that of runs left alone",
    ),
)  # fmt: skip
QUESTIONS = (
    Question(
        key="asking", group="asking", title="What does it cost to be asked?", order=125, place=13, needs=Needs.UP,
        of=Of.TUNED, cost_s=dict.fromkeys(Track, 120.0), budgets={"full": 1}, measure=measure, metrics=METRICS,
    ),
)  # fmt: skip

"""A question in one record: what it needs and costs, how it is measured, and what its metrics mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bench.plan.cell import Cell
from bench.plan.priced import Priced
from bench.questions.bound import Bound
from bench.questions.metric import Headline, Metric

LAST = 100


def nothing(_: Bound) -> None:
    """Of a question of which nothing else has need."""


@dataclass(frozen=True, kw_only=True)
class Question(Priced):
    """What a reader asks. A file or folder below `bench.questions` that has QUESTIONS is found by itself."""

    title: str
    """As the reader asks it."""
    measure: Callable[[Bound, Cell], object]
    """Measures one of its cells in a session."""
    again: Callable[[Bound], object] = nothing
    """Does the same once more in a session that replaces another, for what follows; not measured."""
    metrics: tuple[Metric, ...] = ()
    subjects: str = ""
    """Of metrics that there are for each of several subjects, such as scenarios: how their names begin."""
    leaves: tuple[Metric, ...] = ()
    """These metrics: `recovery.<scenario>.outcome` is a leaf `outcome`."""
    titles: Mapping[str, str] = field(default_factory=dict)
    """Of the subjects."""
    headlines: tuple[Headline, ...] = ()
    """Its rows in the scorecard; where it has subjects these are leaves, with a row for each subject."""
    telling: tuple[str, ...] = ()
    """The subjects that a first look needs; empty: all that were measured."""
    place: int = LAST
    """Where its group stands among all that is told."""

"""Outcomes of the runs of one scenario: a distribution, told as one, and told apart by counts of those that came right.

Fisher's exact test, two-sided (Fisher, The Design of Experiments, 1935, chapter 2), as SciPy computes it. Of so few
runs four of four against none of four is the least that tells apart (p = 0.029); it is not adjusted for how many
engines are compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import scipy

from bench.judge.outcome import rank, right
from bench.plan.scenarios import SCENARIOS
from bench.plan.scenarios.record import RIGHT

LEVEL = 0.05
"""Of the exact tests: below it two are told apart."""

Counts = Mapping[str, int]
"""Outcome -> in how many runs."""


def distribution(counts: Counts) -> str:
    """The outcome that all have, or `3 of 4 completed, 1 duplicated`: the most common first, and every other one."""
    common = Counter(counts).most_common()
    if len(common) == 1:
        return common[0][0]
    (text, times), *others = common
    between = "; " if any("," in outcome for outcome in counts) else ", "
    return between.join([f"{times} of {sum(counts.values())} {text}", *(f"{n} {other}" for other, n in others)])


def with_runs(counts: Counts) -> str:
    """The distribution, of more than one run always with their number: `4 of 4 completed`."""
    said, runs = distribution(counts), sum(counts.values())
    return f"{runs} of {runs} {said}" if len(counts) == 1 and runs > 1 else said


def is_right(name: str, outcome: str) -> bool:
    """Whether it is what should become of such a run; `name` is the metric's: `recovery.<scenario>.outcome`."""
    _, _, rest = name.partition(".")
    scenario = SCENARIOS.get(rest.rpartition(".")[0])
    return right(outcome, scenario.expected if scenario else RIGHT)


def came_right(name: str, counts: Counts) -> int:
    """In how many of the runs it is."""
    return sum(times for outcome, times in counts.items() if is_right(name, outcome))


def worst(name: str, counts: Counts) -> str:
    """The outcome that must not be hidden by better ones."""
    return min(counts, key=lambda outcome: (is_right(name, outcome), rank(outcome)))


def merit(name: str, counts: Counts) -> tuple[float, float]:
    """More is better: the share of runs that came right, then how good the worst one is."""
    runs = sum(counts.values())
    return (came_right(name, counts) / runs, float(rank(worst(name, counts)))) if runs else (-1.0, 0.0)


def fisher_p(held: int, of: int, others_held: int, of_others: int) -> float:
    """How probable counts as far apart as these are if both held alike often; each is at most what it is of."""
    return float(scipy.stats.fisher_exact([[held, of - held], [others_held, of_others - others_held]]).pvalue)

"""Two engines over the faults that struck both: an exact paired test, a statement about this catalogue of faults.

One pair for each family of faults (what is struck, and how), which the scenarios' records fix before anything is
measured. An engine comes right in a family if it completed correctly by itself in all of its scenarios; of each
scenario the first run counts, and only those by which both engines were struck. McNemar's test (Psychometrika 12, 1947)
in its exact form, a binomial test of the families in which only one of the two came right; Holm's adjustment
(Scandinavian Journal of Statistics 6, 1979) over the pairs of engines.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import scipy

from bench.analyse.outcomes import LEVEL, is_right
from bench.contract.records import Sample
from bench.plan.scenarios import SCENARIOS

FAMILIES = {key: one.family for key, one in SCENARIOS.items() if one.family}
"""Scenario -> family; without those after which no run can complete by itself."""
METRICS = {f"recovery.{key}.outcome": key for key in FAMILIES}

CameRight = Mapping[str, bool]
"""Scenario -> whether its first run did."""


@dataclass(frozen=True, slots=True)
class Contest:
    """Two engines, and in how many shared families which of them came right."""

    one: str
    other: str
    both: int
    only_one: tuple[str, ...]
    """The families in which the first alone did."""
    only_other: tuple[str, ...]
    neither: int
    p: float
    adjusted: float
    """The p-value after Holm's adjustment."""

    @property
    def families(self) -> int:
        """How many both were struck by."""
        return self.both + len(self.only_one) + len(self.only_other) + self.neither

    @property
    def ahead(self) -> str:
        """The engine that is told apart as the better one; empty if none is."""
        if self.adjusted >= LEVEL:
            return ""
        return self.one if len(self.only_one) > len(self.only_other) else self.other


def first_runs(samples: Iterable[Sample], track: str, pipeline: str) -> Mapping[str, CameRight]:
    """By engine; samples in the order in which they were taken. What did not strike has no outcome."""
    found: dict[str, dict[str, bool]] = defaultdict(dict)
    for s in samples:
        key = METRICS.get(s.metric)
        if key and (s.track, s.pipeline) == (track, pipeline) and isinstance(s.value, str) and not s.warm_up:
            found[s.engine].setdefault(key, is_right(s.metric, s.value))
    return found


def contests(came_right: Mapping[str, CameRight], engines: Sequence[str]) -> tuple[Contest, ...]:
    """Each pair of the engines that shares a family, with p-values that are adjusted over these pairs."""
    pairs = [_contest(one, other, came_right.get(one, {}), came_right.get(other, {}))
             for one, other in combinations(engines, 2)]  # fmt: skip
    shared = [one for one in pairs if one.families]
    return tuple(replace(one, adjusted=p) for one, p in zip(shared, holm([one.p for one in shared]), strict=True))


def by_family(scenarios: CameRight, among: Iterable[str]) -> dict[str, bool]:
    """Family -> whether all its scenarios among these came right."""
    found: dict[str, bool] = {}
    for key in among:
        found[FAMILIES[key]] = found.get(FAMILIES[key], True) and scenarios[key]
    return found


def mcnemar_p(only_one: int, only_other: int) -> float:
    """How probable so one-sided a split is if either engine is as likely to come right alone; 1 of no families."""
    split = only_one + only_other
    return float(scipy.stats.binomtest(only_one, split, 0.5).pvalue) if split else 1.0


def holm(ps: Sequence[float]) -> list[float]:
    """The p-values, adjusted so that the chance of any false one stays what it is for one; in their order."""
    adjusted, least = [0.0] * len(ps), 0.0
    for place, index in enumerate(sorted(range(len(ps)), key=lambda i: ps[i])):
        least = max(least, min(1.0, ps[index] * (len(ps) - place)))
        adjusted[index] = least
    return adjusted


def _contest(one: str, other: str, ours: CameRight, theirs: CameRight) -> Contest:
    shared = [key for key in FAMILIES if key in ours and key in theirs]
    first, second = by_family(ours, shared), by_family(theirs, shared)
    only_one = tuple(name for name in first if first[name] and not second[name])
    only_other = tuple(name for name in first if second[name] and not first[name])
    p = mcnemar_p(len(only_one), len(only_other))
    both = sum(first[name] and second[name] for name in first)
    return Contest(one, other, both, only_one, only_other, len(first) - both - len(only_one) - len(only_other), p, p)

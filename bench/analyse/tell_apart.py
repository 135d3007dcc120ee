"""The one rule that tells two values apart: of engines in a report, of results in a comparison.

Facts, such as lines of code, are compared as they stand, within the metric's tolerance; so are abilities. All else is
noisy, and one session or one run of it tells nothing. Times: by the interval of their ratio, by block where both are of
one result; beyond the noise floor and the resolution of the clock behind them. Outcomes, and what is counted in a run:
by Fisher's exact test on the number of runs. No verdict is finer than the noise.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from bench.analyse.change import Change, change
from bench.analyse.outcomes import LEVEL, Counts, came_right, fisher_p
from bench.analyse.sides import Values
from bench.analyse.summary import LOG_UNITS, PROPORTION
from bench.contract.records import FAILED, NOT_SUPPORTED
from bench.questions.metric import Metric

Turn = Literal["better", "worse", ""]

MOVED = ("faster", "slower", "smaller", "larger", "changed", "failed", "not supported", "supported")
UNTOLD = "not told apart"
ONE_SESSION, ONE_RUN = "one session", "one run"
"""Why not: so little tells nothing of chance."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The word, whether it is for the better, and why it is no more than that."""

    word: str
    turn: Turn = ""
    why: str = ""
    change: Change | None = None
    """By how much; None where a side holds no number."""

    @property
    def moved(self) -> bool:
        """Whether the two are told apart."""
        return self.word in MOVED


def tell_apart(
    before: Values, after: Values, metric: Metric, *, floor: float = 1.0, paired: bool = False
) -> Difference:
    """What `after` is, seen from `before`.

    `floor` is the ratio under which all is noise; `paired`: both are of one result.
    """
    if metric.kind == "outcome" or any(isinstance(side.record.value, str) for side in (before, after)):
        return _of_texts(before, after, metric)
    found = change(before, after, paired=paired)
    if found is None:
        return _unmeasured(before, after, metric)
    if _as_they_stand(before, after, metric):
        return _exactly(before, after, found, metric)
    if metric.kind == "seen" and _constant(before) and _constant(after):
        return _counted(before, after, found, metric)
    untold = _too_few(before, after, metric)
    if untold:
        return Difference(UNTOLD, why=untold, change=found)
    why = _tie(before, after, found, metric, floor)
    return Difference("tie", why=why, change=found) if why is not None else _direction(found, metric)


def counted(values: Values) -> Counts:
    """The texts of the runs that have one, such as their outcomes: what was not struck or not supported has none."""
    told = [s.value for s in values.samples if isinstance(s.value, str)]
    if told or values.samples:
        return Counter(told)
    return {values.record.value: max(values.record.n, 1)} if isinstance(values.record.value, str) else {}


def worse_by(difference: Difference, before: Values, metric: Metric) -> float:
    """In percent of the reference; 0 if it is not worse, infinite if it has no size, as an outcome that is lost."""
    found = difference.change
    if difference.turn != "worse":
        return 0.0
    if found is None or metric.unit == "boolean":
        return math.inf
    if found.scale == "ratio":
        return 100 * abs(found.value - 1)
    start = abs(_number(before))
    return 100 * abs(found.value) / start if start else math.inf


def unit_of(metric: Metric, *sides: Values | None) -> str:
    """As the metric has it; of metrics that nobody has described, as measured."""
    return metric.unit or next((side.record.unit for side in sides if side), "")


def _exact(metric: Metric, unit: str) -> bool:
    """Whether one observation tells the value, without noise."""
    return metric.kind in ("exact", "flag") or (metric.kind == "info" and unit not in LOG_UNITS)


def _as_they_stand(before: Values, after: Values, metric: Metric) -> bool:
    """Constants: facts, and times that no session changed, of at least two."""
    if metric.kind == "seen" or not (_constant(before) and _constant(after)):
        return False
    exact = _exact(metric, unit_of(metric, before))
    measured = all(side.samples for side in (before, after)) and min(before.record.n, after.record.n) > 1
    return exact or measured


def _constant(values: Values) -> bool:
    """Whether every sample gave the same number. Of trials that says little: a share has its interval."""
    if values.record.unit == PROPORTION:
        return False
    if values.samples:
        return len({s.value for s in values.samples if s.value is not None}) == 1
    return values.record.ci_low is None


def _exactly(before: Values, after: Values, found: Change, metric: Metric) -> Difference:
    if before.record.value == after.record.value:
        return Difference("same", change=found)
    near = _tolerated(found, metric)
    return Difference("tie", why="within the tolerance", change=found) if near else _direction(found, metric)


def _counted(before: Values, after: Values, found: Change, metric: Metric) -> Difference:
    """What each run of a side gave alike, such as no doubled effect: told apart by the number of runs alone."""
    if before.record.value == after.record.value:
        return Difference("same", change=found)
    runs, others = _runs(before), _runs(after)
    if min(runs, others) < 2:
        return Difference(UNTOLD, why=ONE_RUN, change=found)
    p = fisher_p(runs, runs, 0, others)
    return _direction(found, metric, _said(p)) if p < LEVEL else Difference(UNTOLD, why=_said(p), change=found)


def _runs(values: Values) -> int:
    return sum(s.value is not None for s in values.samples) or values.record.n


def _said(p: float) -> str:
    """Not adjusted for how many engines are compared."""
    return f"Fisher's exact test, p = {p:.2g}"


def _too_few(before: Values, after: Values, metric: Metric) -> str:
    """Why so little of what is noisy tells nothing; empty if there is enough, or no noise."""
    if _exact(metric, unit_of(metric, before)) or before.record.unit == PROPORTION:
        return ""
    return ONE_SESSION if min(before.record.n, after.record.n) < 2 else ""


def _tie(before: Values, after: Values, found: Change, metric: Metric, floor: float) -> str | None:
    """Why the two are a tie, which is empty where the interval says all; None if they are none."""
    noisy = not _exact(metric, unit_of(metric, before))
    reasons = {
        "no interval": found.low is None,
        "": not found.beyond_chance,
        "within the resolution": abs(_number(after) - _number(before)) <= metric.resolution,
        "under the noise floor": noisy and _size(found) < floor,
        "within the tolerance": _tolerated(found, metric),
    }
    return next((why for why, holds in reasons.items() if holds), None)


def _tolerated(found: Change, metric: Metric) -> bool:
    """A few lines or megabytes decide nothing."""
    return metric.tolerance > 1 and _size(found) <= metric.tolerance


def _size(found: Change) -> float:
    return max(found.value, 1 / found.value) if found.scale == "ratio" else math.inf


def _direction(found: Change, metric: Metric, why: str = "") -> Difference:
    more = found.value > (1 if found.scale == "ratio" else 0)
    word = ("slower" if more else "faster") if metric.unit == "s" else ("larger" if more else "smaller")
    if metric.better == "none":
        return Difference(word, why=why, change=found)
    return Difference(word, "worse" if more == (metric.better == "low") else "better", why, found)


def _unmeasured(before: Values, after: Values, metric: Metric) -> Difference:
    """One side at least holds no value. To lose an ability is worse, to fail only where more than one session did."""
    ours, theirs = (_lacks(side) for side in (before, after))
    if ours != theirs and before.record.value is not after.record.value:
        turn: Turn = "worse" if theirs else "better"
        return Difference(NOT_SUPPORTED if theirs else "supported", "" if metric.better == "none" else turn)
    if before.record.value is None or not after.record.note.startswith(FAILED):
        return Difference(NOT_SUPPORTED if theirs else "not measured")
    if min(before.record.n, len({s.session for s in after.samples})) < 2:
        return Difference(FAILED, why=f"{ONE_SESSION}: {UNTOLD}")
    return Difference(FAILED, "" if metric.better == "none" else "worse")


def _lacks(values: Values) -> bool:
    """Whether the engine does not offer what would have been measured."""
    return values.record.value is None and values.record.note.startswith(NOT_SUPPORTED)


def _of_texts(before: Values, after: Values, metric: Metric) -> Difference:
    """By the runs that came right; of texts that are no outcomes, by those that say what most of the reference say."""
    ours, theirs = counted(before), counted(after)
    runs, others = sum(ours.values()), sum(theirs.values())
    if not runs or not others:
        return _unmeasured(before, after, metric)
    alone = ONE_RUN if min(runs, others) < 2 else ""
    if _shares(ours) == _shares(theirs):
        return Difference("unchanged", why=alone)
    if alone:
        return Difference(UNTOLD, why=alone)
    usual = max(ours, key=lambda text: ours[text])
    held, theirs_held = (
        came_right(metric.name, of) if metric.kind == "outcome" else of.get(usual, 0) for of in (ours, theirs)
    )
    p = fisher_p(held, runs, theirs_held, others)
    if p >= LEVEL:
        return Difference(UNTOLD, why=_said(p))
    turn: Turn = "" if metric.kind != "outcome" else "worse" if theirs_held / others < held / runs else "better"
    return Difference("changed", turn, _said(p))


def _shares(counts: Counts) -> dict[str, float]:
    return {text: times / sum(counts.values()) for text, times in counts.items()}


def _number(values: Values) -> float:
    return float(values.record.value) if isinstance(values.record.value, int | float) else math.nan

"""The one rule that tells two values apart: of engines in a report, of results in a comparison.

Times: by the interval of their ratio, by block where both are of one result; beyond the noise floor and the resolution
of the clock behind them. A single session tells nothing. What is known exactly, such as lines of code, is compared as
it stands, within the metric's tolerance; outcomes by their rank. No verdict is finer than the noise.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bench.analyse.change import Change, change
from bench.analyse.sides import Values
from bench.analyse.summary import LOG_UNITS, PROPORTION
from bench.contract.records import FAILED, NOT_SUPPORTED
from bench.judge.outcome import rank
from bench.questions.metric import Metric

Turn = Literal["better", "worse", ""]

MOVED = ("faster", "slower", "smaller", "larger", "changed", "failed")
SINGLE = "single session"


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
    why = _tie(before, after, found, metric, floor)
    return Difference("tie", why=why, change=found) if why is not None else _direction(found, metric)


def quality(values: Values) -> tuple[int, float]:
    """Of outcomes, more is better: the rank of the worst one, then how rarely it was met."""
    ranks = [rank(outcome) for outcome in _texts(values)]
    worst = min(ranks)
    return worst, -ranks.count(worst) / len(ranks)


def worse_by(difference: Difference, before: Values, metric: Metric) -> float:
    """In percent of the reference; 0 if it is not worse, infinite if it has no size, as an outcome that is lost."""
    found = difference.change
    if difference.turn != "worse":
        return 0.0
    if found is None or metric.kind in ("outcome", "flag"):
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
    """Constants: values that no session changed, and of times at least two sessions."""
    if not (_constant(before, metric) and _constant(after, metric)):
        return False
    return _exact(metric, unit_of(metric, before)) or min(before.record.n, after.record.n) > 1


def _constant(values: Values, metric: Metric) -> bool:
    """Whether every sample gave the same number. Of trials that says little: a share has its interval."""
    if values.record.unit == PROPORTION:
        return False
    if values.samples:
        return len({s.value for s in values.samples if s.value is not None}) == 1
    return values.record.ci_low is None and _exact(metric, unit_of(metric, values))


def _exactly(before: Values, after: Values, found: Change, metric: Metric) -> Difference:
    if before.record.value == after.record.value:
        return Difference("same", change=found)
    near = _tolerated(found, metric)
    return Difference("tie", why="within the tolerance", change=found) if near else _direction(found, metric)


def _tie(before: Values, after: Values, found: Change, metric: Metric, floor: float) -> str | None:
    """Why the two are a tie, which is empty where the interval says all; None if they are none."""
    noisy = not _exact(metric, unit_of(metric, before))
    sessions = min(before.record.n, after.record.n)
    reasons = {
        SINGLE if sessions < 2 else "no interval": found.low is None,
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


def _direction(found: Change, metric: Metric) -> Difference:
    more = found.value > (1 if found.scale == "ratio" else 0)
    word = ("slower" if more else "faster") if metric.unit == "s" else ("larger" if more else "smaller")
    if metric.better == "none":
        return Difference(word, change=found)
    return Difference(word, "worse" if more == (metric.better == "low") else "better", change=found)


def _unmeasured(before: Values, after: Values, metric: Metric) -> Difference:
    """One side at least holds no value. To fail where the reference did not is worse."""
    if before.record.value is None:
        return Difference("not measured")
    if after.record.note.startswith(FAILED):
        return Difference(FAILED, "" if metric.better == "none" else "worse")
    return Difference(NOT_SUPPORTED if after.record.note.startswith(NOT_SUPPORTED) else "not measured")


def _of_texts(before: Values, after: Values, metric: Metric) -> Difference:
    if _shares(_texts(before)) == _shares(_texts(after)):
        return Difference("unchanged")
    if metric.kind != "outcome" or quality(before) == quality(after):
        return Difference("changed")
    return Difference("changed", "worse" if quality(after) < quality(before) else "better")


def _texts(values: Values) -> list[str]:
    """Each sample's text; where it has none, what its note says of that."""
    found = [(s.value, s.note) for s in values.samples] or [(values.record.value, values.record.note)]
    return [
        NOT_SUPPORTED if value is None and note.startswith(NOT_SUPPORTED) else str(value or note)
        for value, note in found
    ]


def _shares(texts: Sequence[str]) -> dict[str, float]:
    return {text: count / len(texts) for text, count in Counter(texts).items()}


def _number(values: Values) -> float:
    return float(values.record.value) if isinstance(values.record.value, int | float) else math.nan

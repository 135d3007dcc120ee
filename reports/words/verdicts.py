"""What a change between two values amounts to. No verdict is finer than the noise."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bench.analyse import stats
from bench.analyse.comparison import Change, Values
from bench.questions.metric import Metric
from reports.words.catalogue import outcome_rank

Turn = Literal["better", "worse", ""]

MOVED = ("faster", "slower", "smaller", "larger", "changed", "failed")
NOT_SUPPORTED = "not supported"
FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The word, whether it is for the better, and why it is no more than that."""

    word: str
    turn: Turn = ""
    why: str = ""

    @property
    def moved(self) -> bool:
        return self.word in MOVED


def judge(before: Values, after: Values, found: Change | None, metric: Metric, floor: float) -> Verdict:
    """The verdict on one metric.

    `found` is the change, None where a side holds no number; `floor` the ratio under which all is
    noise. Times are told apart by their interval, beyond the floor and the metric's resolution. What is
    known exactly, such as lines of code, is compared as it stands; outcomes by their rank.
    """
    if metric.kind == "outcome" or any(isinstance(side.record.value, str) for side in (before, after)):
        return _of_texts(before, after, metric)
    if found is None:
        return _unmeasured(before, after, metric)
    if _as_it_stands(before, after, metric):
        return Verdict("same") if before.record.value == after.record.value else _direction(found, metric)
    return _tie(before, after, found, metric, floor) or _direction(found, metric)


def worse_by(verdict: Verdict, before: Values, found: Change | None, metric: Metric) -> float:
    """In percent of the reference; 0 if it is not worse, infinite if it has no size, as an outcome that is lost."""
    if verdict.turn != "worse":
        return 0.0
    if found is None or metric.kind in ("outcome", "flag"):
        return math.inf
    if found.scale == "ratio":
        return 100 * abs(found.value - 1)
    start = abs(_number(before))
    return 100 * abs(found.value) / start if start else math.inf


def unit_of(metric: Metric, *sides: Values | None) -> str:
    """As the catalogue has it; of metrics that it does not know, as measured."""
    return metric.unit or next((side.record.unit for side in sides if side), "")


def _exact(metric: Metric, unit: str) -> bool:
    """Whether one observation tells the value, without noise."""
    return metric.kind in ("exact", "flag") or (metric.kind == "info" and unit not in stats.LOG_UNITS)


def _as_it_stands(before: Values, after: Values, metric: Metric) -> bool:
    """Constants: values that no session changed, and of times at least two sessions."""
    if not (before.constant and after.constant):
        return False
    return _exact(metric, unit_of(metric, before)) or min(before.record.n, after.record.n) > 1


def _tie(before: Values, after: Values, found: Change, metric: Metric, floor: float) -> Verdict | None:
    noisy = not _exact(metric, unit_of(metric, before))
    size = max(found.value, 1 / found.value) if found.scale == "ratio" else math.inf
    reasons = {
        "no interval" if min(before.record.n, after.record.n) > 1 else "single session": found.low is None,
        "": not found.told_apart,
        "within the resolution": abs(_number(after) - _number(before)) <= metric.resolution,
        "under the noise floor": noisy and size < floor,
    }
    return next((Verdict("tie", why=why) for why, holds in reasons.items() if holds), None)


def _direction(found: Change, metric: Metric) -> Verdict:
    more = found.value > (1 if found.scale == "ratio" else 0)
    word = ("slower" if more else "faster") if metric.unit == "s" else ("larger" if more else "smaller")
    if metric.better == "none":
        return Verdict(word)
    return Verdict(word, "worse" if more == (metric.better == "low") else "better")


def _unmeasured(before: Values, after: Values, metric: Metric) -> Verdict:
    """One side at least holds no value. To fail where the reference did not is worse."""
    if before.record.value is None:
        return Verdict("not measured")
    if after.record.note.startswith(FAILED):
        return Verdict(FAILED, "" if metric.better == "none" else "worse")
    return Verdict(NOT_SUPPORTED if after.record.note.startswith(NOT_SUPPORTED) else "not measured")


def _of_texts(before: Values, after: Values, metric: Metric) -> Verdict:
    one, other = (_texts(side) for side in (before, after))
    if _shares(one) == _shares(other):
        return Verdict("unchanged")
    if metric.kind != "outcome" or _quality(one) == _quality(other):
        return Verdict("changed")
    return Verdict("changed", "worse" if _quality(other) < _quality(one) else "better")


def _texts(values: Values) -> list[str]:
    """Each sample's text; where it has none, what its note says of that."""
    found = [(s.value, s.note) for s in values.samples] or [(values.record.value, values.record.note)]
    return [
        NOT_SUPPORTED if value is None and note.startswith(NOT_SUPPORTED) else str(value or note)
        for value, note in found
    ]


def _shares(texts: Sequence[str]) -> dict[str, float]:
    return {text: count / len(texts) for text, count in Counter(texts).items()}


def _quality(outcomes: Sequence[str]) -> tuple[int, float]:
    """More is better: the rank of the worst outcome, then how rarely it was met."""
    ranks = [outcome_rank(outcome) for outcome in outcomes]
    worst = min(ranks)
    return worst, -ranks.count(worst) / len(ranks)


def _number(values: Values) -> float:
    return float(values.record.value) if isinstance(values.record.value, int | float) else math.nan

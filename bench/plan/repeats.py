"""How many samples a session has: fixed before the first block, from spreads and costs that earlier results showed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import pi, sqrt

from bench.contract.earlier import Earlier
from bench.contract.records import Repeats
from bench.contract.words import Track
from bench.plan.arms import AGAIN, VERSION, Arm
from bench.plan.budgets import Budget

SIX = 6
MEDIAN = pi / 2
"""By so much the variance of a median of many values is larger than that of their mean (of a normal distribution)."""


def planned(budget: Budget, arms: Sequence[Arm], earlier: Mapping[str, Earlier]) -> list[Repeats]:
    """What the manifest says of each arm before the first block. `earlier` is by engine.

    On stock settings, and the second, A/A arm beside: as many as the budget has at least, and as many as the first.
    """
    tuned = [arm.name for arm in arms if arm.track is Track.TUNED and not arm.again]
    known = {name: earlier[name.partition(VERSION)[0]] for name in tuned}
    decided = samples(known, *budget.often[Track.TUNED].samples)
    made = []
    for arm in arms:
        least, _ = budget.often[arm.track].samples
        number = decided[arm.name.removesuffix(AGAIN)] if arm.track is Track.TUNED else least
        made.append(Repeats(engine=arm.name, track=arm.track, pipeline=arm.pipeline, samples=number))
    return made


def of_engines(told: Sequence[Repeats]) -> dict[str, int]:
    """Engine -> the number of samples of a session on tuned settings, as the manifest has them."""
    return {one.engine: one.samples for one in told if one.track == Track.TUNED}


def samples(arms: Mapping[str, Earlier], least: int, most: int) -> dict[str, int]:
    """Arm -> the number of samples with which comparisons of all arms become the sharpest in a given time.

    Every block has one session of each arm, so a result has T / Σ(C + n·c) blocks, and a ratio of two arms the
    variance b² + m·w²/n of each, divided by those. Σ(b² + m·w²/n) · Σ(C + n·c) is least at n = w·√(m/c) · √(ΣC/Σb²):
    the optimum of sampling in two stages (Cochran, Sampling Techniques, 1977, section 10.6), for several arms that
    share the number of their sessions. C: seconds of a session beside its samples; c: of a sample; w: spread within
    a session; b: between sessions; m: of the median. Between `least` and `most`.
    """
    between = sum(map(between_squared, arms.values()))
    sessions_s = sum(one.session_s for one in arms.values())
    ideal = {
        name: one.within * sqrt(MEDIAN / one.run_s * sessions_s / between) if between else most
        for name, one in arms.items()
    }
    return {name: min(most, max(least, round(number))) for name, number in ideal.items()}


def between_squared(one: Earlier) -> float:
    """Variance of the logarithm between sessions: what six samples of each do not explain; 0 if they explain all."""
    return max(0.0, one.of_six**2 - MEDIAN * one.within**2 / SIX)

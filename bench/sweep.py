"""The kill-point sweep: one target struck at one point of the history, drawn from all of them by a seed."""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice, product

from bench.contract import Target
from bench.errors import UsageError
from bench.scenarios import Action, Moment, Scenario, When, outside
from core.pipelines import TRAINING

TARGETS = (Target.STEP, Target.RUN, Target.WORKER, Target.SCHEDULER, Target.API, Target.CONTROL_PLANE)
STEPS = tuple(step.name for step in TRAINING.steps if step.name != "notify")
"""Those that run when the model is good enough."""
MOMENTS = tuple(Moment(when, step) for when, step in product((When.BEFORE, When.IN), STEPS))[1:]
"""Before the first step there is no history yet that could tell when."""
DOWN_S = 3.0
POINT_S = 18.0
"""Rough seconds of one point."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """From what points are drawn, and how many."""

    points: int = 0
    actions: tuple[Action, ...] = (Action.KILL,)
    targets: tuple[Target, ...] = TARGETS
    moments: tuple[Moment, ...] = MOMENTS


NO_POINTS = Sweep()


def moments(text: str) -> tuple[Moment, ...]:
    """The points that a word names: `train`, `before:train`, `in:train`, `submit`. UsageError if there is none."""
    if text == "submit":
        return (Moment(When.SUBMIT),)
    when, _, step = text.rpartition(":")
    found = tuple(one for one in MOMENTS if one.step == step and when in ("", one.when))
    if not found:
        raise UsageError(
            f"--at {text}: not a point; write submit, or with {', '.join(STEPS)}: train, before:train, in:train"
        )
    return found


def draw(sweep: Sweep, absent: Collection[Target], of_step: Collection[Target], seed: int) -> tuple[Scenario, ...]:
    """So many different points as are asked for; fewer if there are not as many. The same seed gives the same points.

    Without targets that the engine does not have, and those `of_step`, which are found from a running step, only in
    the middle of one.
    """
    every = list(product(sweep.actions, sweep.targets, sweep.moments))
    # all of them, so that the points of one engine are mostly those of the others too
    random.Random(f"points {seed}").shuffle(every)  # noqa: S311 - points, not secrets
    found = (
        point(action, target, at)
        for action, target, at in every
        if target not in absent and (at.when is When.IN or target not in of_step)
    )
    return tuple(islice(found, sweep.points))


def point(action: Action, target: Target, at: Moment) -> Scenario:
    """One point, named after what it is: `kill-scheduler-in-train`."""
    return outside(f"{action}-{target}-{at}".replace(" ", "-"), action, target, at, DOWN_S, seconds=POINT_S)

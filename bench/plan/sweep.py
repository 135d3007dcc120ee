"""The kill-point sweep: one target struck at one point of a run, drawn by a seed."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice, product, zip_longest

from bench.contract.errors import UsageError
from bench.contract.targets import Target
from bench.plan.scenarios import INTO_S, MIDDLE_S, Action, Moment, Scenario, When, outside
from core.declaration import pipeline

TARGETS = (Target.STEP, Target.RUN, Target.WORKER, Target.SCHEDULER, Target.API, Target.CONTROL_PLANE)
STEPS = tuple(step.name for step in pipeline("training").graph({}) if step.name != "notify")
"""Those that run when the model is good enough."""
MOMENTS = tuple(Moment(when, step) for when, step in product((When.BEFORE, When.IN), STEPS))[1:]
"""Before the first step there is no history yet that could tell when."""
DOWN_S = 3.0
POINT_S, UNNOTICED_S = 16.0, 54.0
"""Rough seconds of one point, and of one where a run is lost together with what would notice it; the same for every
engine."""
UNNOTICED = (Target.WORKER, Target.CONTROL_PLANE)
SWEEP_STEP_TIMEOUT_S = 15.0
"""Time limit of a step in the sessions of a sweep. No step lasts as long there, and runs that nobody notices as lost
wait for their own limit, a multiple of it."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """From what points are drawn, and how many."""

    points: int = 0
    actions: tuple[Action, ...] = (Action.KILL,)
    targets: tuple[Target, ...] = TARGETS
    moments: tuple[Moment, ...] = MOMENTS


NO_POINTS = Sweep()
Strike = tuple[Action, Target, Moment]


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
    """So many different points as are asked for, the targets in turn. The same seed gives the same points.

    First the starts and middles of steps, then any instants within steps; fewer points only if no step is struck
    within. Without targets that the engine does not have; those `of_step`, which are found from a running step, only
    within one.
    """
    targets = [target for target in sweep.targets if target not in absent]
    # each target draws for itself, so that the points of one engine are mostly those of the others too
    own = [_of_target(sweep, target, seed, within=target in of_step) for target in targets]
    within = [moment for moment in sweep.moments if moment.when is When.IN]
    instants = _instants(sweep.actions, targets, within, seed) if targets and within else iter(())
    in_turn = (one for turn in zip_longest(*own) for one in turn if one)
    return tuple(point(*one) for one in islice(_different(chain(in_turn, instants)), sweep.points))


def _of_target(sweep: Sweep, target: Target, seed: int, *, within: bool) -> list[Strike]:
    moments_ = [one for one in sweep.moments if one.when is When.IN or not within]
    every = list(product(sweep.actions, (target,), moments_))
    random.Random(f"points {seed} {target}").shuffle(every)  # noqa: S311 - points, not secrets
    return every


def _different(strikes: Iterable[Strike]) -> Iterator[Strike]:
    met = set()
    for one in strikes:
        if one not in met:
            met.add(one)
            yield one


def _instants(
    actions: Sequence[Action], targets: Sequence[Target], within: Sequence[Moment], seed: int
) -> Iterator[Strike]:
    """Without end: targets in turn, each at a random instant of a random step."""
    drawn = random.Random(f"instants {seed}")  # noqa: S311 - as above
    while True:
        for target in targets:
            into_s = round(drawn.uniform(0, MIDDLE_S), 3)
            yield drawn.choice(actions), target, replace(drawn.choice(within), into_s=into_s)


def point(action: Action, target: Target, at: Moment) -> Scenario:
    """One point, named after what it is: `kill-scheduler-in-train`, or `kill-api-in-train-0.731-s`."""
    instant = "" if at.into_s == INTO_S else f"-{at.into_s}-s"
    name = f"{action}-{target}-{at}{instant}".replace(" ", "-")
    return outside(name, action, target, at, DOWN_S, seconds=_seconds(target))


def _seconds(target: Target) -> float:
    return UNNOTICED_S if target in UNNOTICED else POINT_S


def points_s(sweep: Sweep) -> float:
    """Rough seconds of all its points, of an engine that has every target."""
    return sweep.points * sum(map(_seconds, sweep.targets)) / len(sweep.targets)

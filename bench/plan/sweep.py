"""The kill-point sweep: one target struck at one point of a run, drawn by a seed."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product, zip_longest

from bench.contract.errors import UsageError
from bench.contract.targets import Target
from bench.plan.scenarios.outside import outside
from bench.plan.scenarios.record import INTO_S, MIDDLE_S, Action, Moment, Scenario, When
from core.declaration import Graph, Pipeline

TARGETS = (Target.STEP, Target.RUN, Target.WORKER, Target.SCHEDULER, Target.API, Target.CONTROL_PLANE)
KEY, TITLE = "sweep", "Kill points"
"""In the names of metrics, and for people."""
SUBMIT = "submit"
DOWN_S = 3.0
POINT_S, UNNOTICED_S = 16.0, 54.0
"""Rough seconds of one point, and of one where a run is lost together with what would notice it; the same for every
engine."""
UNNOTICED = (Target.WORKER, Target.CONTROL_PLANE)
SPARES = 2
"""How often another point is struck in the place of one that was not met, such as the start of a step that a fast
engine has begun, and done, before it can be struck."""
SWEEP_STEP_TIMEOUT_S = 15.0
"""Time limit of a step in the sessions of a sweep. No step lasts as long there, and runs that nobody notices as lost
wait for their own limit, a multiple of it."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """From what points are drawn, and how many."""

    points: int = 0
    actions: tuple[Action, ...] = (Action.KILL,)
    targets: tuple[Target, ...] = TARGETS
    at: tuple[str, ...] = ()
    """The points, as words; none is all of them."""


NO_POINTS = Sweep()
Strike = tuple[Action, Target, Moment]


def moments(graph: Graph, ran: Collection[str]) -> tuple[Moment, ...]:
    """Starts and middles of the steps that `ran` in the plain loop, in the graph's order.

    Before a step that comes after no other there is nothing in the journal yet that could tell when.
    """
    steps = [step for step in graph.unrolled(ran) if step.name in ran]
    found = (Moment(when, step.name) for when, step in product((When.BEFORE, When.IN), steps)
             if when is When.IN or step.upstream)  # fmt: skip
    return tuple(found)


def foreseen(pipeline: Pipeline) -> tuple[str, ...]:
    """The steps that a plan may count on before the plain loop has run: of a branch, the arms that are a part.

    Which way a run goes, and how many like steps it has, is not known before.
    """
    graph, parts = pipeline.graph({}), set(pipeline.parts.values())
    arms = [branch.arms for branch in graph if parts.intersection(branch.arms)]
    closed = {arm for each in arms for arm in each if arm not in parts}
    return (*(step.name for step in graph if step.name not in closed), *parts)


def checked(text: str, pipeline: Pipeline) -> tuple[str, str]:
    """When, or nothing for any time, and the declared step that a word names: `heavy`, `before:last`, `submit`.

    UsageError if it names no point of the pipeline.
    """
    if text == SUBMIT:
        return When.SUBMIT, ""
    when, _, place = text.rpartition(":")
    graph, parts = pipeline.graph({}), {str(part): step for part, step in pipeline.parts.items()}
    step = place if graph.declared(place) else parts.get(place, "")
    if not step or when not in ("", When.BEFORE, When.IN):
        known = ", ".join(dict.fromkeys((*parts, *(one.name for one in graph))))
        raise UsageError(f"--at {text}: not a point; write submit, or with {known}: heavy, before:heavy, in:heavy")
    return when, step


def chosen(sweep: Sweep, pipeline: Pipeline, graph: Graph, ran: Collection[str]) -> tuple[Moment, ...]:
    """The points of a pipeline's run from which are drawn; a word for many like steps names each of them."""
    every = moments(graph, ran)
    if not sweep.at:
        return every
    wanted = [checked(text, pipeline) for text in sweep.at]
    submitting = (Moment(When.SUBMIT),) if (When.SUBMIT, "") in wanted else ()
    found = (*submitting, *(one for one in every if any(_is(one, when, step, graph) for when, step in wanted)))
    if not found:
        raise UsageError(f"--at {', '.join(sweep.at)}: no such step ran in the plain loop")
    return found


def _is(moment: Moment, when: str, step: str, graph: Graph) -> bool:
    declared = graph.declared(moment.step)
    return when in ("", moment.when) and (step == moment.step or (declared is not None and step == declared.name))


def draw(
    sweep: Sweep, points: Sequence[Moment], absent: Collection[Target], of_step: Collection[Target], seed: int
) -> tuple[Scenario, ...]:
    """So many different strikes at these points as are asked for, the targets in turn; of a seed always the same.

    First the starts and middles of steps, then any instants within steps; fewer points only if no step is struck
    within. Without targets that the engine does not have; those `of_step`, which are found from a running step, only
    within one.
    """
    targets = [target for target in sweep.targets if target not in absent]
    # each target draws for itself, so that the points of one engine are mostly those of the others too
    own = [_of_target(sweep, target, points, seed, within=target in of_step) for target in targets]
    within = [moment for moment in points if moment.when is When.IN]
    instants = _instants(sweep.actions, targets, within, seed) if targets and within else iter(())
    in_turn = (one for turn in zip_longest(*own) for one in turn if one)
    one_after_the_other = (one for part in (in_turn, instants) for one in part)
    return tuple(point(*one) for one in islice(_different(one_after_the_other), sweep.points))


def _of_target(sweep: Sweep, target: Target, points: Sequence[Moment], seed: int, *, within: bool) -> list[Strike]:
    moments_ = [one for one in points if one.when is When.IN or not within]
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
    actions: Sequence[Action], targets: Sequence[Target], within: Sequence[Moment], seed: int | str
) -> Iterator[Strike]:
    """Without end: targets in turn, each at a random instant of a random step."""
    drawn = random.Random(f"instants {seed}")  # noqa: S311 - as above
    while True:
        for target in targets:
            into_s = round(drawn.uniform(0, MIDDLE_S), 3)
            yield drawn.choice(actions), target, replace(drawn.choice(within), into_s=into_s)


def spares(missed: Scenario, points: Sequence[Moment], seed: int) -> tuple[Scenario, ...]:
    """What is struck instead where a point is not met: the same target, at random instants within steps.

    There each step lasts long enough to be met. None where no step is struck within.
    """
    within = [moment for moment in points if moment.when is When.IN]
    if missed.nemesis is None or not within:
        return ()
    one = missed.nemesis
    instants = _instants((one.action,), (one.target,), within, f"{seed} {missed.key}")
    return tuple(point(*each) for each in islice(instants, SPARES))


def point(action: Action, target: Target, at: Moment) -> Scenario:
    """One point, named after what it is: `kill-scheduler-in-train`, or `kill-api-in-train-0.731-s`."""
    instant = "" if at.into_s == INTO_S else f"-{at.into_s}-s"
    key = f"{action}-{target}-{at}{instant}".replace(" ", "-")
    return outside(key, key, action, target, at, down_s=DOWN_S, seconds=_seconds(target))


def _seconds(target: Target) -> float:
    return UNNOTICED_S if target in UNNOTICED else POINT_S


def points_s(sweep: Sweep) -> float:
    """Rough seconds of all its points, of an engine that has every target."""
    return sweep.points * sum(map(_seconds, sweep.targets)) / len(sweep.targets)

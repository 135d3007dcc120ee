"""One point of the kill-point sweep: what became of the run, and whether its effect happened exactly once."""

from __future__ import annotations

from collections.abc import Iterable

import httpx

from bench.contract.endpoint import ApiError
from bench.contract.errors import EngineError
from bench.judge.aftermath import correct
from bench.judge.missed import met
from bench.judge.outcome import WHOLE, effects_once
from bench.plan.scenarios.record import Action, Aimed, Scenario
from bench.plan.sweep import KEY
from bench.questions.recovery import left_behind as aftermath
from bench.questions.recovery.broken import Broken, conduct, missed
from bench.questions.recovery.left_behind import SessionLostError
from bench.questions.recovery.unattended import aim
from bench.run.conductor import Conductor
from bench.run.faults.manager import managed
from bench.session.bring_up import Session


def strike(conductor: Conductor, session: Session, points: Iterable[Scenario], prober: Conductor) -> None:
    """Conduct the run that is struck at the first of the points; where it is not met, at the next one.

    What came out of each is stored. Raises SessionLostError, after that, if a run of the probe does not complete any
    more.
    """
    for point in points:
        if _struck(conductor, session, point, prober):
            return


def _struck(conductor: Conductor, session: Session, point: Scenario, prober: Conductor) -> bool:
    aimed = aim(conductor, point)
    with managed(session) as manager:
        broken = conduct(conductor, session, aimed, manager)
        _store(conductor, broken, aimed)
        nemesis = broken.armed
        if nemesis and nemesis.strikes and nemesis.problem:
            raise SessionLostError(f"after {point.key}: {nemesis.problem}")
        if manager.restarted or broken.seen.run.outcome not in WHOLE:
            _check(prober, session, point)
    return not missed(broken)


def _store(conductor: Conductor, broken: Broken, point: Aimed) -> None:
    if point.nemesis is None:
        raise ValueError(f"{point.key} is no point of a sweep")
    seen = broken.seen
    struck = broken.armed.strikes[:1] if broken.armed else ()
    at = next((met(point.nemesis.at, seen.journal, one) for one in struck), str(point.nemesis.at))
    where = {"target": str(point.nemesis.target), "at": at}
    if point.nemesis.action is not Action.KILL:
        where["action"] = str(point.nemesis.action)
    conductor.tidy(seen.run)
    if reason := missed(broken):
        conductor.sample(seen, f"recovery.{KEY}.outcome", "text", None, f"not struck: {reason}", params=where)
        return
    conductor.sample(seen, f"recovery.{KEY}.outcome", "text", seen.run.outcome, params=where)
    found = {
        "completed": seen.run.outcome in WHOLE,
        "correct": correct(seen.journal, conductor.oracle),
        "effect_once": effects_once(seen.journal, conductor.oracle),
    }
    for leaf, holds in found.items():
        conductor.sample(seen, f"recovery.{KEY}.{leaf}", "proportion", float(holds), point.key)


def _check(prober: Conductor, session: Session, point: Scenario) -> None:
    try:
        aftermath.probe(prober, session)
    except (EngineError, ApiError, httpx.HTTPError) as error:  # the point is stored, and must not be struck again
        raise SessionLostError(f"after {point.key}: {error}") from error

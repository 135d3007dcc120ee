"""One point of the kill-point sweep: what became of the run, and whether its effect happened exactly once."""

from __future__ import annotations

from bench import judge
from bench.faults.manager import managed
from bench.faults.targets import roles_of
from bench.measures.aftermath import SessionLostError
from bench.measures.recovery import conduct
from bench.runs import Conductor
from bench.scenarios import Scenario
from bench.session import Session

EFFECT = "deploy"
BY_ITSELF = ("completed", "completed after recovery")
CHECK_LIMIT_S = 60.0


def strike(conductor: Conductor, session: Session, point: Scenario) -> None:
    """Conduct the run that is struck there, and store what came out of it.

    Raises SessionLostError, after all is stored, if a plain run does not complete any more.
    """
    with managed(session) as manager:
        if point.nemesis:
            manager.hands_off |= set(roles_of(session, point.nemesis.target))
        broken = conduct(conductor, session, point)
    seen, nemesis = broken.seen, broken.armed
    if point.nemesis is None or nemesis is None:
        raise ValueError(f"{point.name} is no point of a sweep")
    where = {"target": str(point.nemesis.target), "at": str(point.nemesis.at)}
    if point.nemesis.action != "kill":
        where["action"] = str(point.nemesis.action)
    conductor.tidy(seen.run)
    if not nemesis.strikes:
        note = f"not struck: {nemesis.problem or 'the run never came to that point'}"
        conductor.sample(seen, "recovery.sweep.outcome", "text", None, note, params=where)
        return
    conductor.sample(seen, "recovery.sweep.outcome", "text", seen.run.outcome, params=where)
    effects = sum(effect.kind == EFFECT for effect in seen.history.effects)
    found = {
        "completed": seen.run.outcome in BY_ITSELF,
        "correct": judge.correct(seen.history, conductor.oracle),
        "effect_once": effects == 1,
    }
    for leaf, holds in found.items():
        conductor.sample(seen, f"recovery.sweep.{leaf}", "proportion", float(holds), point.name)
    if nemesis.problem:
        raise SessionLostError(f"after {point.name}: {nemesis.problem}")
    if seen.run.outcome not in BY_ITSELF:
        _check(conductor, session, point)


def _check(conductor: Conductor, session: Session, point: Scenario) -> None:
    after = conductor.served(session, "check", within_s=CHECK_LIMIT_S)
    if not after.right:
        raise SessionLostError(f"after {point.name}: a plain run ended as {after.run.outcome}")

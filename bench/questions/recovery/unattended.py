"""What becomes of runs that are broken on purpose and left to their engine."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event

import httpx
import msgspec

from bench.contract.endpoint import ApiError
from bench.contract.errors import EngineError
from bench.judge.findings import Finding, Found
from bench.plan.scenarios import APART_S
from bench.plan.scenarios.record import Action, Aimed, Scenario
from bench.questions.recovery import left_behind as aftermath
from bench.questions.recovery.broken import Broken, conduct
from bench.questions.recovery.followed import followed
from bench.questions.recovery.left_behind import SessionLostError
from bench.questions.recovery.telling import store, tell_absent
from bench.run.conductor import Conductor
from bench.run.faults import disk
from bench.run.faults.manager import ProcessManager, managed
from bench.run.faults.targets import of_step, unstrikable
from bench.run.observation import Observation
from bench.session.bring_up import Session
from core.instrument.config import Fault, FaultKind


def unattended(
    conductor: Conductor, session: Session, scenarios: Sequence[Scenario], prober: Conductor | None = None
) -> list[Observation]:
    """Conduct scenarios in which the engine is left to itself, at once if there are several; store what came out.

    With `prober`, whose workload is the probe, it is also found out what people have to do where a run did not
    complete, and, if something can be left behind, whether the next run has all its slots. Returns the runs of those
    that could be conducted: why the others could not is stored too. Raises SessionLostError, after all is stored, if
    the engine does not come back.
    """
    ready = [one for scenario in scenarios if (one := _ready(conductor, session, scenario))]
    with managed(session) as manager:
        all_broken = _at_once(conductor, session, ready, manager)
        found = [followed(conductor, session, one, manager, helped=prober is not None) for one in all_broken]
        problems = (one.armed.problem for one in all_broken if one.armed and one.armed.strikes)
        lost = next(filter(None, problems), "")
        if prober and any(one.scenario.leaves for one in ready):
            after = _after(prober, session, lost, ready)
            lost = after["session"].note
            found = [one | after for one in found]
    for broken, its in zip(all_broken, found, strict=True):
        store(conductor, broken.seen, broken.scenario.key, its)
        conductor.tidy(broken.seen.run)
    if lost:
        raise SessionLostError(f"after {', '.join(one.key for one in ready)}: {lost}")
    return [one.seen for one in all_broken]


def aim(conductor: Conductor, scenario: Scenario) -> Aimed:
    """A scenario with the steps of the pipeline that is conducted."""
    return scenario.of(conductor.workload.declared, conductor.oracle.steps())


def _ready(conductor: Conductor, session: Session, scenario: Scenario) -> Aimed | None:
    """A scenario as it can be conducted here; None, and why is stored, if it cannot."""
    try:
        if not (reason := unavailable(conductor, session, scenario)):
            aimed = aim(conductor, scenario)
            return replace(aimed, faults=_faults(session, aimed))
    except EngineError as error:
        reason = f"not run: {error}"
    tell_absent(conductor, scenario.key, reason)
    return None


def _at_once(
    conductor: Conductor, session: Session, scenarios: Sequence[Aimed], manager: ProcessManager
) -> list[Broken]:
    """Each in a run and a thread of its own, some seconds apart; a single one in this thread."""
    stop = Event()

    def one_of_many(number: int, scenario: Aimed) -> Broken:
        stop.wait(number * APART_S)
        return conduct(conductor, session, scenario, manager, stop)

    if len(scenarios) < 2:
        return [conduct(conductor, session, one, manager) for one in scenarios]
    with ThreadPoolExecutor(len(scenarios)) as pool:
        try:
            return list(pool.map(one_of_many, range(len(scenarios)), scenarios))
        except BaseException:  # one that cannot be conducted, or Ctrl-C: all are conducted again
            stop.set()
            raise


def _after(prober: Conductor, session: Session, lost: str, scenarios: Sequence[Aimed]) -> Found:
    """Whether the next run has all its slots, and what became of the session, with why it is lost if it is."""
    found: Found = {}
    lost = lost or _probed(prober, session, found)
    slots = found.get("leaked_slots")
    if len(scenarios) > 1 and slots and slots.value:
        among = ", ".join(one.key for one in scenarios)
        found["leaked_slots"] = Finding("count", None, f"{slots.value:.0f} lost, by one of {among}")
    return found | {"session": Finding("text", "replaced" if lost else "healthy", lost)}


def unavailable(conductor: Conductor, session: Session, scenario: Scenario) -> str:
    """Why a scenario cannot be had here; empty if it can."""
    if reason := scenario.absent(conductor.workload.declared):
        return f"not applicable: {reason}"
    if session.workspace.track not in scenario.tracks:
        return f"not applicable: the {session.workspace.track} track keeps its data elsewhere"
    if scenario.nemesis and (reason := unstrikable(session, scenario.nemesis)):
        return f"not applicable: {reason}"
    if (
        scenario.nemesis
        and scenario.nemesis.action is Action.RESTART
        and scenario.nemesis.target in of_step(session.adapter.targets)
    ):
        return f"not applicable: the {scenario.nemesis.target} is no service, which could be restarted by itself"
    offers = session.endpoint.abilities()
    reasons = [getattr(offers[need], "reason", "") for need in scenario.needs]
    return next((f"not supported: {reason}" for reason in reasons if reason), "")


def _faults(session: Session, scenario: Aimed) -> tuple[Fault, ...]:
    """The scenario's faults; one that fills a disk is given a small one."""
    return tuple(
        msgspec.structs.replace(one, path=str(disk.small(session))) if one.kind == FaultKind.DISK_FULL else one
        for one in scenario.faults
    )


def _probed(prober: Conductor, session: Session, found: Found) -> str:
    """Add what the probe finds; return why the session is lost, or nothing."""
    try:
        found |= aftermath.probe(prober, session)
    except (EngineError, ApiError, httpx.HTTPError) as error:
        found["leaked_slots"] = Finding("count", None, f"failed: {error}")
        return str(error)
    return ""

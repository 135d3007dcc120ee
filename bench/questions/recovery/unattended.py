"""What becomes of a run that is broken on purpose and left to its engine: struck, watched, judged, stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

import httpx
import msgspec

from bench.contract.endpoint import ApiError
from bench.contract.errors import EngineError
from bench.contract.records import Run
from bench.contract.words import Status
from bench.judge.aftermath import Aftermath
from bench.judge.findings import HANGING, UNITS, Finding, Found, safe_findings
from bench.judge.outcome import REFUSED, WHOLE
from bench.observe.history import History
from bench.observe.watching import watch
from bench.plan.scenarios import APART_S
from bench.plan.scenarios.record import Action, Aimed, Scenario, When
from bench.questions.recovery import left_behind as aftermath
from bench.questions.recovery.left_behind import SessionLostError
from bench.run.conductor import EFFECTS, Conductor, Observation
from bench.run.faults import disk
from bench.run.faults.manager import ProcessManager, managed
from bench.run.faults.nemesis import Armed, armed
from bench.run.faults.targets import absent, of_step, roles_of
from bench.session.bring_up import Session
from core.declaration import Graph
from core.instrument.config import Fault, FaultKind

LEAVES = UNITS | {
    "orphans": "count", "orphan_s": "s", "leaked_slots": "count", "actions": "text", "session": "text",
}  # fmt: skip
"""What is told of each scenario, and its unit."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A run that was broken, and how."""

    scenario: Aimed
    seen: Observation
    left: Found
    """What was found of processes that outlived the run."""
    armed: Armed | None = None
    resubmitted: bool = False


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
        found = [_followed(conductor, session, one, manager, helped=prober is not None) for one in all_broken]
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


def _followed(
    conductor: Conductor, session: Session, broken: Broken, manager: ProcessManager, *, helped: bool
) -> Found:
    """What is found of a run that was broken; with `helped`, also what people had to do."""
    actions, resumed = _actions(conductor, session, broken, manager) if helped else ("", None)
    found = judged(conductor, session, broken, resumed) | broken.left
    return found | {"actions": Finding("text", actions)} if helped else found


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
    if scenario.nemesis and (reason := absent(session, scenario.nemesis.target)):
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


def conduct(
    conductor: Conductor, session: Session, scenario: Aimed, manager: ProcessManager, stop: Event | None = None
) -> Broken:
    """Submit a run, break it, watch it until it ends or patience does, and wait for what outlives it.

    Only then is the run judged: what outlives it may still have effects. Raises EngineError once `stop` is set.
    """
    run, path = conductor.prepare(session.scratch / EFFECTS, scenario.key, faults=scenario.faults)
    conductor.get_out_of_phase(session)
    with ThreadPoolExecutor(1) as aside:
        outliving: list[Future[Found]] = []

        def ended(t_ns: int) -> None:
            outliving.append(aside.submit(aftermath.orphans, session, path.parent, t_ns))

        with _broken(scenario, run, path.parent, conductor.graph(conductor.oracle), manager) as nemesis:
            run, resubmitted = _submitted(conductor, session, run, path, nemesis)
            patience_s = aftermath.patience_s(conductor, session)
            sightings, timed_out = watch(session, run.engine_run_id, patience_s, stop=stop, on_end=ended)
        if stop and stop.is_set():
            raise EngineError(f"{run.run_id}: interrupted")
        if timed_out:
            run = conductor.given_up(session, run)
        left = outliving[0].result() if outliving else aftermath.never_ended(session, path.parent)
    struck = nemesis.strikes if nemesis else []
    for strike in struck:
        conductor.store.append(strike)
    seen = conductor.conclude(
        run, tuple(sightings), expected=scenario.expected, timed_out=timed_out, faulted=bool(struck), keep=True
    )
    return Broken(scenario, seen, left, nemesis, resubmitted)


@contextmanager
def _broken(scenario: Aimed, run: Run, run_dir: Path, graph: Graph, manager: ProcessManager) -> Iterator[Armed | None]:
    if scenario.nemesis is None:
        yield None
        return
    with armed(manager.session, scenario.nemesis, run.run_id, run_dir, graph) as nemesis:
        if scenario.nemesis.action.starts_again:
            manager.leave(roles_of(manager.session, scenario.nemesis.target), nemesis.healed)
        yield nemesis


def _submitted(conductor: Conductor, session: Session, run: Run, path: Path, nemesis: Armed | None) -> tuple[Run, bool]:
    """Submit; where the API breaks meanwhile, once more as soon as it answers again, as a user would.

    Whether the first submission was heard is then seen from the effects.
    """
    try:
        return conductor.submit(session, run, path), False
    except (httpx.HTTPError, ApiError):
        if nemesis is None or nemesis.nemesis.at.when is not When.SUBMIT:
            raise
        nemesis.healed.wait()
        submitted = conductor.submit(session, run, path)
        return msgspec.structs.replace(submitted, note="submitted again after an error"), True


def judged(conductor: Conductor, session: Session, broken: Broken, resumed: History | None) -> Found:
    """What the judge finds in the history; `resumed`: the same with what came after people had resumed the run."""
    seen, graph = broken.seen, conductor.graph(broken.seen.history)
    step = broken.scenario.step
    found = safe_findings(
        Aftermath(
            history=seen.history, oracle=conductor.oracle, outcome=seen.run.outcome, right=seen.right,
            sightings=seen.sightings, strikes=tuple(broken.armed.strikes if broken.armed else ()),
            verdicts=seen.verdicts, graph=graph, step=step, limit_s=aftermath.patience_s(conductor, session),
            submit_ns=seen.run.submit_ns, resumed=resumed,
            retry_delay_s=graph.step(step).retry.delay_s,
            down_s=_configured_s(session, broken),
        )
    )  # fmt: skip
    if reason := missed(broken):
        return {leaf: Finding(one.unit, None, f"not struck: {reason}") for leaf, one in found.items()}
    return found


def missed(broken: Broken) -> str:
    """Why a fault from outside has not struck at its point; empty if it has, or there is none."""
    if broken.armed is None:
        return ""
    if not broken.armed.strikes:
        return broken.armed.problem or "the run never came to that point"
    submitting = broken.armed.nemesis.at.when is When.SUBMIT and not broken.resubmitted
    late = submitting and broken.armed.strikes[0].t_ns > broken.seen.run.accepted_ns
    return "the submission had been accepted before" if late else ""


def _configured_s(session: Session, broken: Broken) -> float:
    """How long settings of ours make the recovery take: until the heal, or until a hung step's time limit."""
    scenario, armed = broken.scenario, broken.armed
    if scenario.nemesis:
        healed = armed and any(one.healed_ns for one in armed.strikes)
        return scenario.nemesis.down_s if healed and scenario.nemesis.action is not Action.RESTART else 0.0
    hangs = any(fault.kind.startswith(HANGING) for fault in scenario.faults)
    return session.step_timeout_s if hangs else 0.0


def _actions(
    conductor: Conductor, session: Session, broken: Broken, manager: ProcessManager
) -> tuple[str, History | None]:
    """What was done or has to be done by people, or by the process manager that they have set up.

    Also the history of a run that was resumed.
    """
    scenario = broken.scenario
    done = ["submit again"] if broken.resubmitted else []
    if scenario.nemesis and broken.armed and any(one.healed_ns for one in broken.armed.strikes):
        restarted = roles_of(session, scenario.nemesis.target) or (str(scenario.nemesis.target),)
        if scenario.nemesis.action.starts_again:
            done.append(f"restart of {', '.join(restarted)} by the process manager")
    if manager.restarted:
        done.append(
            f"restart of {', '.join(dict.fromkeys(manager.restarted))}, which had ended, by the process manager"
        )
    resumed = None
    if Status.COMPLETED in scenario.expected.states and not _came_to_its_end(broken.seen):
        said, resumed = aftermath.helped(conductor, session, broken.seen)
        done.append(said)
    return "; ".join(done) or "none", resumed


def _came_to_its_end(seen: Observation) -> bool:
    """A doubled run may have failed all the same."""
    completed = seen.state is not None and seen.state.status is Status.COMPLETED
    return completed and seen.run.outcome in (*WHOLE, REFUSED, "duplicated")


def _probed(prober: Conductor, session: Session, found: Found) -> str:
    """Add what the probe finds; return why the session is lost, or nothing."""
    try:
        found |= aftermath.probe(prober, session)
    except (EngineError, ApiError, httpx.HTTPError) as error:
        found["leaked_slots"] = Finding("count", None, f"failed: {error}")
        return str(error)
    return ""


def tell_absent(conductor: Conductor, name: str, reason: str) -> None:
    """Store that a scenario was not conducted, and why."""
    for leaf, unit in LEAVES.items():
        conductor.sample(None, f"recovery.{name}.{leaf}", unit, None, reason)


def store(conductor: Conductor, seen: Observation | None, name: str, found: Found) -> None:
    """Store the values of a scenario, each with why it is absent if it is."""
    for leaf, one in found.items():
        conductor.sample(seen, f"recovery.{name}.{leaf}", one.unit, one.value, one.note)

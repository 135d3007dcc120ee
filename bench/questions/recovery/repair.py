"""What people do after something went wrong, by the engine's own means: resume, run again, cancel, roll back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import psutil

from bench.contract.project import PROJECT
from bench.contract.words import Ability
from bench.judge.findings import Finding
from bench.judge.missed import outside, unmarked
from bench.judge.people import Repaired, RolledBack, Stopped
from bench.observe.journal import read_journal
from bench.observe.watching import last_word, watch
from bench.plan.scenarios.record import ASKED, Moment, Scenario, When
from bench.plan.workloads import Workload
from bench.questions.counting import counted_lines
from bench.questions.recovery.left_behind import SessionLostError, patience_s
from bench.questions.recovery.telling import not_met, people, store, tell_absent
from bench.questions.recovery.unattended import aim
from bench.run.conductor import EFFECTS, Conductor, inline_command, with_asked
from bench.run.observation import Observation
from bench.session.asking import ask
from bench.session.bring_up import Session, wait_until
from core.declaration import Companion
from core.instrument.journal import now_ns

GONE_LIMIT_S = 60.0
INTO_THE_STEP_S = 1.0


def failing(conductor: Conductor, session: Session, scenario: Scenario) -> tuple[Observation, Path]:
    """A run that fails for good at the step that suffers; also the path whose existence counts as the fix."""
    fixed = session.scratch / f"fixed-{now_ns()}"
    faults = tuple(msgspec.structs.replace(fault, until=str(fixed)) for fault in aim(conductor, scenario).faults)
    return conductor.served(session, scenario.key, expected=ASKED, faults=faults), fixed


def not_struck(conductor: Conductor, scenario: Scenario, failed: Observation) -> bool:
    """Whether a run never met what it was to fail at; that is stored then."""
    if reason := unmarked(aim(conductor, scenario).faults, failed.journal):
        tell_absent(conductor, scenario.key, f"not struck: {reason}")
    return bool(reason)


def resumed(conductor: Conductor, session: Session, scenario: Scenario) -> tuple[Observation, str]:
    """Let a run fail, fix the cause and resume it; return the failed run with the log of the step that suffered."""
    failed, fixed = failing(conductor, session, scenario)
    log = session.endpoint.logs(failed.run.engine_run_id, aim(conductor, scenario).step)
    resume(conductor, session, scenario, failed, fixed)
    return failed, log


def resume(
    conductor: Conductor, session: Session, scenario: Scenario, failed: Observation, fixed: Path
) -> Observation | None:
    """Fix the cause and resume with the engine's own means; store what came out. None if it has no means."""
    ability = session.endpoint.abilities()[Ability.RESUME]
    if not callable(ability):
        reason = getattr(ability, "reason", "no means declared")
        tell_absent(conductor, scenario.key, f"not supported: {reason}")
        return None
    if not_struck(conductor, scenario, failed):
        return None
    fixed.touch()
    seen = conductor.resumed(session, failed.run, ability)
    wasted_s = seen.journal.wasted_s(conductor.graph(seen.journal))
    _store_repaired(conductor, scenario, failed, seen, seen.run.asked_ns, wasted_s=wasted_s)
    return seen


def rerun(conductor: Conductor, session: Session, scenario: Scenario) -> None:
    """Fix the cause and run the whole pipeline again."""
    failed, fixed = failing(conductor, session, scenario)
    if not_struck(conductor, scenario, failed):
        return
    fixed.touch()
    begin = now_ns()
    seen = conductor.served(session, scenario.key)
    _store_repaired(conductor, scenario, failed, seen, begin, wasted_s=failed.journal.work_s())


def _store_repaired(
    conductor: Conductor, scenario: Scenario, failed: Observation, seen: Observation, begin_ns: int, *, wasted_s: float
) -> None:
    repaired = Repaired(
        failed=failed.journal, sightings=failed.sightings, journal=seen.journal, oracle=conductor.oracle,
        outcome=seen.run.outcome, right=seen.right, step=aim(conductor, scenario).step,
        begin_ns=begin_ns, wasted_s=wasted_s,
    )  # fmt: skip
    store(conductor, seen, scenario.key, repaired.findings(people(scenario.remedy, seen.run)))


def cancel(conductor: Conductor, session: Session, scenario: Scenario) -> None:
    """Stop a run in the middle of a step; time until the engine says so, and until the step's process is gone."""
    aimed = aim(conductor, scenario)
    run, path = conductor.prepare(session.scratch / EFFECTS, scenario.key, faults=aimed.faults)
    conductor.get_out_of_phase(session)
    run = conductor.submit(session, run, path)
    wait_until(lambda: _under_way(path.parent, aimed.step), f"{aimed.step} under way", patience_s(conductor, session))
    process = psutil.Process(read_journal(path.parent).attempts_of(aimed.step)[-1].pid)
    stop: Any = session.endpoint.abilities()[Ability.CANCEL]
    asked = now_ns()
    with ThreadPoolExecutor(1) as aside:
        gone_s = aside.submit(_gone_s, process, asked)
        _, asking = ask(lambda: stop(run.engine_run_id))
        sightings, timed_out = watch(session, run.engine_run_id, GONE_LIMIT_S)
    run = with_asked(msgspec.structs.replace(run, asked_ns=asked), asking)
    said = last_word(session, run.engine_run_id, sightings)
    seen = conductor.conclude(run, tuple(sightings), expected=aimed.expected, timed_out=timed_out, status=said)
    stopped = Stopped(
        journal=seen.journal, sightings=seen.sightings, outcome=seen.run.outcome, step=aimed.step,
        asked_ns=asked, gone_s=gone_s.result(), limit_s=GONE_LIMIT_S,
    )  # fmt: skip
    found = stopped.findings(people(scenario.remedy, asking))
    if late := outside(Moment(When.IN, aimed.step), seen.journal, asked):
        found = not_met(found, late)
    store(conductor, seen, scenario.key, found)
    if timed_out or stopped.gone_s is None:
        late = f"the run, or its step, was still at work after {GONE_LIMIT_S:.0f} s"
        raise SessionLostError(f"after {scenario.key}: {late}")


def _under_way(run_dir: Path, step: str) -> bool:
    tries = read_journal(run_dir).attempts_of(step)
    return bool(tries) and now_ns() - tries[-1].start_ns > INTO_THE_STEP_S * 1e9


def _gone_s(process: psutil.Process, since_ns: int) -> float | None:
    """Seconds until the process had ended; None if it lives on."""
    _, alive = psutil.wait_procs([process], timeout=GONE_LIMIT_S)
    return None if alive else (now_ns() - since_ns) / 1e9


def roll_back(conductor: Conductor, session: Session, scenario: Scenario) -> None:
    """Deploy a good state, then a bad one, and let the engine's pipeline make the good one current again."""
    effects = session.scratch / "effects-rolled-back"
    good, bad = (_deployed(conductor, session, effects, scenario.key) for _ in range(2))
    if good == bad:
        tell_absent(conductor, scenario.key, "not struck: nothing was deployed")
        return
    own = replace(conductor, workload=Workload(conductor.workload.declared.companions[Companion.ROLL_BACK]))
    run, path = own.prepare(effects, scenario.key)
    run = own.submit(session, run, path)
    sightings, timed_out = watch(session, run.engine_run_id, patience_s(conductor, session))
    done = RolledBack(
        journal=read_journal(path.parent), said=last_word(session, run.engine_run_id, sightings),
        timed_out=timed_out, good=good, bad=bad, current=own.workload.declared.state(effects),
        submit_ns=run.submit_ns,
    )  # fmt: skip
    ended_ns = next((one.t_ns for one in sightings if one.state.status.ended), 0)
    conductor.store.append(msgspec.structs.replace(run, outcome=done.outcome, terminal_ns=ended_ns))
    lines = Finding("lines", extra_lines(session, own.workload.pipeline), "source lines of its pipeline")
    found = done.findings(people(f"submit {own.workload.pipeline}", run))
    store(conductor, None, scenario.key, found | {"extra_lines": lines})


def _deployed(conductor: Conductor, session: Session, effects: Path, name: str) -> str:
    """Deploy a model by a run of the plain loop; return the name of its version."""
    run, path = conductor.prepare(effects, name)
    session.supervisor.run(run.run_id, inline_command(path))
    return conductor.workload.declared.state(effects)


def extra_lines(session: Session, name: str) -> float | None:
    """Source lines of the engine's files for a pipeline that people run beside the one that is measured."""
    folder = PROJECT / f"impl_{session.adapter.name}" / "pipelines" / name
    files = list(folder.rglob("*.py"))
    return float(sum(len(counted_lines(path)) for path in files)) if files else None

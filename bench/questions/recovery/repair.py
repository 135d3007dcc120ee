"""What people do after something went wrong, by the engine's own means: resume, run again, cancel, roll back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import psutil

from bench.contract.project import PROJECT
from bench.contract.words import Ability, Status
from bench.judge import aftermath as judge
from bench.observe.history import History, read_history
from bench.observe.watching import watch
from bench.plan.scenarios import SCENARIOS, Scenario
from bench.plan.workloads import Workload
from bench.questions.counting import counted_lines
from bench.questions.recovery.left_behind import SessionLostError, patience_s
from bench.questions.recovery.unattended import store, tell_absent
from bench.run.conductor import EFFECTS, Conductor, Observation, inline_command
from bench.session.bring_up import Session, wait_until
from core.declaration import Companion
from core.instrument.journal import now_ns

RESUME = SCENARIOS["resume_after_fix"]
RERUN = SCENARIOS["rerun_after_fix"]
GONE_LIMIT_S = 60.0
INTO_THE_STEP_S = 1.0


def failing(conductor: Conductor, session: Session, scenario: Scenario = RESUME) -> tuple[Observation, Path]:
    """A run that fails for good at `train`; also the path whose existence counts as the fix."""
    fixed = session.scratch / f"fixed-{now_ns()}"
    faults = tuple(replace(fault, until=str(fixed)) for fault in scenario.faults)
    return conductor.served(session, scenario.name, expected_failure=True, faults=faults), fixed


def resume(conductor: Conductor, session: Session, failed: Observation, fixed: Path) -> Observation | None:
    """Fix the cause and resume with the engine's own means; store what came out. None if it has no means."""
    ability = session.endpoint.abilities()[Ability.RESUME]
    if not callable(ability):
        tell_absent(conductor, RESUME.name, f"not supported: {getattr(ability, 'reason', 'no means declared')}")
        return None
    fixed.touch()
    seen = conductor.resumed(session, failed.run, ability)
    wasted_s = seen.history.wasted_s(conductor.graph(seen.history))
    _store_repaired(conductor, RESUME, failed, seen, seen.run.asked_ns, wasted_s=wasted_s)
    return seen


def rerun(conductor: Conductor, session: Session) -> None:
    """Fix the cause and run the whole pipeline again."""
    failed, fixed = failing(conductor, session, RERUN)
    fixed.touch()
    begin = now_ns()
    seen = conductor.served(session, RERUN.name)
    _store_repaired(conductor, RERUN, failed, seen, begin, wasted_s=failed.history.work_s())


def _store_repaired(
    conductor: Conductor, scenario: Scenario, failed: Observation, seen: Observation, begin: int, *, wasted_s: float
) -> None:
    end = seen.history.last_end_ns()
    right = seen.right and seen.run.outcome in judge.WHOLE
    detected_s = judge.detection_s(failed.sightings, _last_error_ns(failed.history), final=True)
    tries = [one for history in {id(h): h for h in (failed.history, seen.history)}.values() for one in _of(history)]
    outcome = "completed after recovery" if right else seen.run.outcome
    store(conductor, seen, scenario.name, {
        "outcome": ("text", outcome, ""),
        "correct": ("boolean", float(judge.correct(seen.history, conductor.oracle)), ""),
        "detection_s": ("s", detected_s, "" if detected_s is not None else "not seen in the engine's record"),
        "recovery_s": ("s", (end - begin) / 1e9 if right and end else None, "" if right else f"it ended: {outcome}"),
        "attempts": ("count", float(len(set(tries))), ""),
        "wasted_s": ("s", wasted_s, ""),
        "duplicates": ("count", float(len(seen.history.duplicates())), ""),
        "actions": ("text", f"one API call: {scenario.remedy}", ""),
    })  # fmt: skip


def _of(history: History) -> list[tuple[int, int]]:
    """Attempts of the step that failed, told apart by start and process."""
    return [(one.start_ns, one.pid) for one in history.attempts_of(RESUME.faults[0].step)]


def _last_error_ns(history: History) -> int | None:
    tries = history.attempts_of(RESUME.faults[0].step)
    return max((one.end_ns for one in tries if one.end_ns and one.outcome == "error"), default=None)


def cancel(conductor: Conductor, session: Session) -> None:
    """Stop a run in the middle of a step; time until the engine says so, and until the step's process is gone."""
    scenario = SCENARIOS["cancel"]
    step = scenario.faults[0].step
    run, path = conductor.prepare(session.scratch / EFFECTS, scenario.name, faults=scenario.faults)
    conductor.get_out_of_phase(session)
    run = conductor.submit(session, run, path)
    wait_until(lambda: _under_way(path.parent, step), f"{step} under way", patience_s(session))
    process = psutil.Process(read_history(path.parent).attempts_of(step)[-1].pid)
    stop: Any = session.endpoint.abilities()[Ability.CANCEL]
    asked = now_ns()
    with ThreadPoolExecutor(1) as aside:
        gone_s = aside.submit(_gone_s, process, asked)
        stop(run.engine_run_id)
        sightings, timed_out = watch(session, run.engine_run_id, GONE_LIMIT_S)
    run = msgspec.structs.replace(run, asked_ns=asked)
    seen = conductor.conclude(run, tuple(sightings), expected_failure=True, timed_out=timed_out)
    ended = next((one.t_ns for one in sightings if one.state.status.ended), None)
    late = f"> {GONE_LIMIT_S:.0f} s"
    store(conductor, seen, scenario.name, {
        "outcome": ("text", seen.run.outcome, ""),
        "detection_s": ("s", (ended - asked) / 1e9 if ended else None, "" if ended else late),
        "gone_s": ("s", gone_s.result(), "" if gone_s.result() is not None else late),
        "attempts": ("count", float(len(seen.history.attempts_of(step))), ""),
        "wasted_s": ("s", sum(((one.end_ns or asked) - one.start_ns) / 1e9 for one in seen.history.attempts), ""),
        "duplicates": ("count", float(len(seen.history.duplicates())), ""),
        "actions": ("text", "one API call: cancel", ""),
    })  # fmt: skip
    if timed_out or gone_s.result() is None:
        raise SessionLostError(f"after cancel: the run, or its step, was still at work after {GONE_LIMIT_S:.0f} s")


def _under_way(run_dir: Path, step: str) -> bool:
    tries = read_history(run_dir).attempts_of(step)
    return bool(tries) and now_ns() - tries[-1].start_ns > INTO_THE_STEP_S * 1e9


def _gone_s(process: psutil.Process, since_ns: int) -> float | None:
    """Seconds until the process had ended; None if it lives on."""
    _, alive = psutil.wait_procs([process], timeout=GONE_LIMIT_S)
    return None if alive else (now_ns() - since_ns) / 1e9


def roll_back(conductor: Conductor, session: Session) -> None:
    """Deploy a good model, then a bad one, and let the engine's pipeline make the good one current again."""
    name = "roll_back"
    effects = session.scratch / "effects-rolled-back"
    good, bad = (_deployed(conductor, session, effects, name) for _ in range(2))
    own = replace(conductor, workload=Workload(conductor.workload.declared.companions[Companion.ROLL_BACK]))
    run, path = own.prepare(effects, name)
    run = own.submit(session, run, path)
    sightings, timed_out = watch(session, run.engine_run_id, patience_s(session))
    said = sightings[-1].state.status if sightings else None
    current, history = own.workload.declared.state(effects), read_history(path.parent)
    end = history.last_end_ns()
    right = current == good != bad
    outcome = _rolled_back(right=right, said=said, timed_out=timed_out)
    ended_ns = next((one.t_ns for one in sightings if one.state.status.ended), 0)
    conductor.store.append(msgspec.structs.replace(run, outcome=outcome, terminal_ns=ended_ns))
    store(conductor, None, name, {
        "outcome": ("text", outcome, ""),
        "correct": ("boolean", float(right), f"{current} is current, {good} was the last good one"),
        "recovery_s": ("s", (end - run.submit_ns) / 1e9 if right and end else None, "" if right else outcome),
        "duplicates": ("count", float(len(history.duplicates())), ""),
        "actions": ("text", "one API call: submit roll_back", ""),
        "extra_lines": ("lines", extra_lines(session, own.workload.pipeline), "source lines of its pipeline"),
    })  # fmt: skip


def _rolled_back(*, right: bool, said: Status | None, timed_out: bool) -> str:
    if timed_out or said is None:
        return "stuck" if said else "lost"
    if said is Status.COMPLETED:
        return "completed after recovery" if right else "false success"
    return "false failure" if right else "failed, reported"


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

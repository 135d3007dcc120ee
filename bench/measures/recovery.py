"""What becomes of a run that is hit by a fault, and how soon: the scenarios, and what is read from each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.contract import Ability, Status
from bench.history import History
from bench.runs import Conductor, Observation
from bench.session import Session
from bench.watching import Sighting
from core.config import Fault
from core.journal import now_ns

STEP = "train"
ALARMED = (Status.RETRYING, Status.FAILED)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A fault inside the step `train` of the training pipeline, on its first attempts (0: on all)."""

    name: str
    fault: str
    attempts: int


UNATTENDED = (Scenario("transient_error", "transient", 1), Scenario("step_killed", "kill", 1))
RESUME = Scenario("resume_after_fix", "defect", 0)
METRICS = {
    "outcome": "text",
    "detection_s": "s",
    "recovery_s": "s",
    "attempts": "count",
    "wasted_s": "s",
    "duplicates": "count",
}


def unattended(conductor: Conductor, session: Session, scenario: Scenario) -> Observation:
    """Conduct a scenario in which the engine is left to itself, and store what came out."""
    fault = Fault(STEP, scenario.fault, attempts=scenario.attempts)
    seen = conductor.served(session, scenario.name, faults=(fault,))
    struck = fault_ns(seen.history)
    recovered = seen.run.outcome == "completed after recovery" and seen.right
    end = seen.history.last_end_ns()
    values: dict[str, float | None] = {
        "detection_s": detection_s(seen.sightings, struck),
        "recovery_s": (end - struck) / 1e9 if recovered and struck and end else None,
    }
    notes = {
        "detection_s": "not seen in the engine's record before the run's end",
        "recovery_s": f"not by itself: {seen.run.outcome}",
    }
    _store(conductor, seen, scenario.name, values, notes)
    return seen


def failing(conductor: Conductor, session: Session) -> tuple[Observation, Path]:
    """A run that fails for good at `train`; also the path whose existence counts as the fix."""
    fixed = session.scratch / f"fixed-{now_ns()}"
    fault = Fault(STEP, RESUME.fault, attempts=RESUME.attempts, until=str(fixed))
    return conductor.served(session, RESUME.name, expected_failure=True, faults=(fault,)), fixed


def resume(conductor: Conductor, session: Session, failed: Observation, fixed: Path) -> Observation | None:
    """Fix the cause and resume with the engine's own means; store what came out. None if it has no means."""
    ability = session.adapter.abilities()[Ability.RESUME]
    if not callable(ability):
        reason = getattr(ability, "reason", "no means declared")
        for metric, unit in METRICS.items():
            conductor.sample(failed, f"recovery.{RESUME.name}.{metric}", unit, None, f"not supported: {reason}")
        return None
    fixed.touch()
    begin = now_ns()
    seen = conductor.resumed(session, failed.run, ability(failed.run.engine_run_id))
    end = seen.history.last_end_ns()
    recovered = seen.run.outcome == "completed after recovery" and seen.right
    values = {
        "detection_s": detection_s(failed.sightings, _last_error_ns(failed.history), final=True),
        "recovery_s": (end - begin) / 1e9 if recovered and end else None,
    }
    _store(conductor, seen, RESUME.name, values, {"recovery_s": f"resumed run: {seen.run.outcome}"})
    return seen


def fault_ns(history: History) -> int | None:
    """When the first fault struck; None if none did."""
    return min((mark.t_ns for mark in history.faults), default=None)


def detection_s(sightings: tuple[Sighting, ...], since_ns: int | None, *, final: bool = False) -> float | None:
    """Seconds from an instant until the engine's own record showed trouble (`final`: showed the run as failed)."""
    if since_ns is None:
        return None
    for sighting in sightings:
        step = sighting.state.steps.get(STEP)
        alarmed = sighting.state.status is Status.FAILED or (
            not final and step is not None and (step.status in ALARMED or step.attempts > 1)
        )
        if sighting.t_ns >= since_ns and alarmed:
            return (sighting.t_ns - since_ns) / 1e9
    return None


def _last_error_ns(history: History) -> int | None:
    return max((a.end_ns for a in history.attempts_of(STEP) if a.end_ns and a.outcome == "error"), default=None)


def _store(
    conductor: Conductor, seen: Observation, name: str, values: dict[str, float | None], notes: dict[str, str]
) -> None:
    history = seen.history
    found: dict[str, float | str | None] = {
        "outcome": seen.run.outcome,
        **values,
        "attempts": float(len(history.attempts_of(STEP))),
        "wasted_s": history.wasted_s(),
        "duplicates": float(len(history.duplicates())),
    }
    for metric, unit in METRICS.items():
        value = found[metric]
        conductor.sample(seen, f"recovery.{name}.{metric}", unit, value, notes.get(metric, "") if value is None else "")

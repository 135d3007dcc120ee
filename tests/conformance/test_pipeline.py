"""What every adapter must do with a pipeline on a served, tuned engine."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest

from bench.contract.words import Ability, Feature, Status
from bench.observe.journal import Journal
from bench.plan.scenarios.record import ASKED
from bench.run.conductor import EFFECTS, Conductor
from bench.run.observation import Observation
from bench.session.bring_up import Session
from core.declaration import Kind, Part, Step, pipeline
from core.instrument.config import Fault


@pytest.fixture(scope="module")
def heavy(measured: str) -> Step:
    declared = pipeline(measured)
    return declared.graph({}).step(declared.part(Part.HEAVY))


@pytest.fixture(scope="module")
def success(conductor: Conductor, session: Session) -> Observation:
    return conductor.served(session)


@pytest.fixture(scope="module")
def defect(
    conductor: Conductor, session: Session, heavy: Step, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Observation, Path]:
    """A run whose heavy step fails until the returned file exists."""
    fixed = tmp_path_factory.mktemp("cause") / "fixed"
    fault = Fault(heavy.name, "defect", attempts=0, until=str(fixed))
    return conductor.served(session, "defect", expected=ASKED, faults=(fault,)), fixed


def test_success_path_equals_inline(success: Observation) -> None:
    assert success.run.outcome == "completed"
    bad = [f"{v.checker}: {v.verdict}: {v.reason}" for v in success.verdicts if v.verdict != "pass"]
    assert not bad


def test_figures_of_merit_are_inlines(success: Observation, conductor: Conductor, oracle: Journal) -> None:
    merit = conductor.workload.declared.merit
    assert success.journal.digests() == oracle.digests()
    if merit:
        assert json.loads((conductor.store.folder / "runs" / success.run.run_id / merit).read_text())


def test_what_steps_log_reaches_the_user(success: Observation, session: Session, heavy: Step) -> None:
    log = session.endpoint.logs(success.run.engine_run_id, heavy.name)
    assert f"run={success.run.run_id} step={heavy.name} attempt=1 memory_available_bytes=" in log


def test_engine_lists_every_step_that_ran(success: Observation) -> None:
    assert success.state
    listed = {name for name, step in success.state.steps.items() if step.status is Status.COMPLETED}
    assert listed == set(success.journal.steps())


def test_empty_data_fails_and_has_no_effect(conductor: Conductor, session: Session, tmp_path: Path) -> None:
    declared = conductor.workload.declared
    where = declared.data_source()
    if where is None:
        pytest.skip(f"{declared.name} has no source data")
    before = declared.state(session.scratch / EFFECTS)
    changes = where.empty(conductor.source.data, tmp_path)
    seen = conductor.served(session, "empty", expected=ASKED, **changes)
    assert seen.run.outcome == "failed as expected"
    assert declared.state(session.scratch / EFFECTS) == before
    assert not seen.journal.effects
    (failed,) = (one for one in seen.journal.attempts if one.outcome == "error")
    assert len(seen.journal.attempts_of(failed.step)) == 1, "an error that no retry mends is retried"
    assert "DataError" in session.endpoint.logs(seen.run.engine_run_id, failed.step)


def test_transient_error_is_retried(conductor: Conductor, session: Session, heavy: Step) -> None:
    fault = Fault(heavy.name, "transient", attempts=heavy.retry.retries)
    seen = conductor.served(session, "transient", faults=(fault,))
    assert seen.run.outcome == "completed after recovery"
    assert len(seen.journal.attempts_of(heavy.name)) == heavy.retry.retries + 1


def test_retries_are_no_more_and_no_sooner_than_configured(defect: tuple[Observation, Path], heavy: Step) -> None:
    attempts = defect[0].journal.attempts_of(heavy.name)
    assert len(attempts) == heavy.retry.retries + 1
    pauses = [(b.start_ns - (a.end_ns or 0)) / 1e9 for a, b in pairwise(attempts)]
    assert all(pause >= heavy.retry.delay_s * 0.95 for pause in pauses), pauses


def test_failed_step_reports_its_exception(defect: tuple[Observation, Path], session: Session, heavy: Step) -> None:
    seen, _ = defect
    assert seen.state
    assert seen.state.status is Status.FAILED
    log = session.endpoint.logs(seen.run.engine_run_id, heavy.name)
    assert "KeyError" in log
    assert "faults.py" in log


def test_what_always_runs_does_so_after_a_failure(
    defect: tuple[Observation, Path], session: Session, conductor: Conductor
) -> None:
    ability = session.endpoint.abilities()[Ability.CLEANUP_AFTER_FAILURE]
    always = [one.name for one in conductor.workload.graph if one.kind is Kind.ALWAYS]
    ran = [name for name in always if defect[0].journal.attempts_of(name)]
    assert ran == (always if isinstance(ability, Feature) else [])


def test_resume_keeps_finished_steps(defect: tuple[Observation, Path], session: Session, conductor: Conductor) -> None:
    seen, fixed = defect
    resume = session.endpoint.abilities()[Ability.RESUME]
    if not callable(resume):
        pytest.skip(f"resume is declared absent: {resume}")
    fixed.touch()
    after = conductor.resumed(session, seen.run, resume)
    assert after.run.outcome == "completed after recovery"
    assert after.right
    early = conductor.workload.declared.part(Part.EARLY)
    assert len(after.journal.attempts_of(early)) == 1


def test_every_ability_is_answered(session: Session) -> None:
    table = session.endpoint.abilities()
    assert set(table) == set(Ability)


def test_tuned_settings_are_documented(session: Session) -> None:
    undocumented = [s.name for s in session.adapter.settings() if not s.source.startswith(("https://", "required"))]
    assert not undocumented

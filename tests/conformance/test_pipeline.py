"""What every adapter must do with the training pipeline on a served, tuned engine."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from bench.contract.words import Ability, Feature, Status
from bench.observe.history import History
from bench.run.conductor import Conductor, Observation
from bench.session.bring_up import Session
from core.instrument.config import Fault
from core.pipelines.models import read
from core.pipelines.training.pipeline import GRAPH as TRAINING

BELOW_ANY_MODEL = 1.1
TRAIN = TRAINING.step("train")


@pytest.fixture(scope="module")
def success(conductor: Conductor, session: Session) -> Observation:
    return conductor.served(session)


@pytest.fixture(scope="module")
def defect(
    conductor: Conductor, session: Session, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Observation, Path]:
    """A run whose train step fails until the returned file exists."""
    fixed = tmp_path_factory.mktemp("cause") / "fixed"
    fault = Fault("train", "defect", attempts=0, until=str(fixed))
    return conductor.served(session, "defect", expected_failure=True, faults=(fault,)), fixed


def test_success_path_equals_inline(success: Observation) -> None:
    assert success.run.outcome == "completed"
    bad = [f"{v.checker}: {v.verdict}: {v.reason}" for v in success.verdicts if v.verdict != "pass"]
    assert not bad


def test_metrics_equal_inline(success: Observation, conductor: Conductor, oracle: History) -> None:
    assert success.history.digests()["evaluate"] == oracle.digests()["evaluate"]
    metrics = json.loads((conductor.store.folder / "runs" / success.run.run_id / "metrics.json").read_text())
    assert metrics["roc_auc"] > 0.7


def test_what_steps_log_reaches_the_user(success: Observation, session: Session) -> None:
    log = session.endpoint.logs(success.run.engine_run_id, "train")
    assert f"run={success.run.run_id} step=train attempt=1 memory_available_bytes=" in log


def test_engine_lists_every_step_that_ran(success: Observation) -> None:
    assert success.state
    listed = {name for name, step in success.state.steps.items() if step.status is Status.COMPLETED}
    assert listed == set(success.history.steps())


def test_notify_path(conductor: Conductor, session: Session, notify_oracle: History) -> None:
    judge = replace(conductor, oracle=notify_oracle, label=f"{conductor.label}-notify")
    seen = judge.served(session, threshold=BELOW_ANY_MODEL)
    assert seen.run.outcome == "completed"
    assert "notify" in seen.history.steps()
    assert "deploy" not in seen.history.steps()
    assert seen.right


def test_empty_data_fails_and_deploys_nothing(conductor: Conductor, session: Session, tmp_path: Path) -> None:
    empty = tmp_path / "empty.csv"
    empty.write_text(",".join(conductor.source.columns) + "\n")
    before = read(session.scratch / "effects")
    seen = conductor.served(session, "empty", expected_failure=True, data=empty)
    assert seen.run.outcome == "failed as expected"
    assert read(session.scratch / "effects") == before
    assert not seen.history.effects
    assert len(seen.history.attempts_of("validate")) == 1, "an error that no retry mends is retried"
    log = session.endpoint.logs(seen.run.engine_run_id, "validate")
    assert "empty.csv" in log
    assert "rule" in log
    assert "DataError" in log
    assert "validate.py" in log


def test_transient_error_is_retried(conductor: Conductor, session: Session) -> None:
    fault = Fault("train", "transient", attempts=TRAIN.retry.retries)
    seen = conductor.served(session, "transient", faults=(fault,))
    assert seen.run.outcome == "completed after recovery"
    assert len(seen.history.attempts_of("train")) == TRAIN.retry.retries + 1


def test_retries_are_no_more_and_no_sooner_than_configured(defect: tuple[Observation, Path]) -> None:
    attempts = defect[0].history.attempts_of("train")
    assert len(attempts) == TRAIN.retry.retries + 1
    pauses = [(b.start_ns - (a.end_ns or 0)) / 1e9 for a, b in pairwise(attempts)]
    assert all(pause >= TRAIN.retry.delay_s * 0.95 for pause in pauses), pauses


def test_failed_step_reports_its_exception(defect: tuple[Observation, Path], session: Session) -> None:
    seen, _ = defect
    assert seen.state
    assert seen.state.status is Status.FAILED
    log = session.endpoint.logs(seen.run.engine_run_id, "train")
    assert "KeyError" in log
    assert "faults.py" in log


def test_cleanup_runs_after_failure(defect: tuple[Observation, Path], session: Session) -> None:
    ability = session.endpoint.abilities()[Ability.CLEANUP_AFTER_FAILURE]
    ran = bool(defect[0].history.attempts_of("cleanup"))
    assert ran == isinstance(ability, Feature)


def test_resume_keeps_finished_steps(defect: tuple[Observation, Path], session: Session, conductor: Conductor) -> None:
    seen, fixed = defect
    resume = session.endpoint.abilities()[Ability.RESUME]
    assert callable(resume), f"resume is declared absent: {resume}"
    fixed.touch()
    after = conductor.resumed(session, seen.run, resume)
    assert after.run.outcome == "completed after recovery"
    assert after.right
    assert len(after.history.attempts_of("features")) == 1


def test_every_ability_is_answered(session: Session) -> None:
    table = session.endpoint.abilities()
    assert set(table) == set(Ability)


def test_tuned_settings_are_documented(session: Session) -> None:
    undocumented = [s.name for s in session.adapter.settings() if not s.source.startswith(("https://", "required"))]
    assert not undocumented


def test_local_mode_equals_inline(conductor: Conductor, session: Session) -> None:
    for number, command in enumerate(session.adapter.local_initialise(), 1):
        session.supervisor.run(f"local-initialise-{number}", command)
    local = replace(
        conductor, arm=msgspec.structs.replace(conductor.arm, mode="local"), label=f"{conductor.label}-local"
    )
    run, config = local.prepare(session.scratch / "local-registry")
    seen = local.process(session.supervisor, session.adapter.local("training", config), run)
    assert seen.run.outcome == "completed"
    assert seen.right

"""When an engine noticed, how long a run took to recover, and what is said when it did not."""

from __future__ import annotations

import pytest
from doubles import RETRIES, BringUp, Unable

from bench.contract import RunState, Status, StepState
from bench.history import parse
from bench.measures import recovery
from bench.measures.recovery import METRICS, RESUME, UNATTENDED, Scenario
from bench.results import Run, Sample
from bench.runs import Conductor, Observation
from bench.store import load
from bench.watching import Sighting

TRANSIENT, KILLED = UNATTENDED


def sighting(at_s: float, run: Status, step: Status | None = None, attempts: int = 1) -> Sighting:
    steps = {"train": StepState(step, attempts)} if step else {}
    return Sighting(round(at_s * 1e9), RunState(run, steps))


SEEN = {
    "the run failed": ([sighting(1, Status.RUNNING), sighting(3, Status.FAILED)], 1.0, 1.0),
    "the step is retried": (
        [sighting(1, Status.RUNNING, Status.RUNNING), sighting(2.5, Status.RUNNING, Status.RETRYING)], 0.5, None,
    ),
    "the step failed, later the run": (
        [sighting(2.25, Status.RUNNING, Status.FAILED), sighting(6, Status.FAILED, Status.FAILED)], 0.25, 4.0,
    ),
    "a second attempt": ([sighting(4, Status.RUNNING, Status.RUNNING, attempts=2)], 2.0, None),
    "at the very instant": ([sighting(2, Status.FAILED)], 0.0, 0.0),
    "only before the fault": ([sighting(1, Status.FAILED), sighting(3, Status.RUNNING)], None, None),
    "never": ([sighting(3, Status.RUNNING, Status.RUNNING), sighting(4, Status.COMPLETED)], None, None),
    "nothing": ([], None, None),
}  # fmt: skip


@pytest.mark.parametrize(("sightings", "first_s", "final_s"), SEEN.values(), ids=SEEN)
def test_detection(sightings: list[Sighting], first_s: float | None, final_s: float | None) -> None:
    assert recovery.detection_s(tuple(sightings), 2_000_000_000) == first_s
    assert recovery.detection_s(tuple(sightings), 2_000_000_000, final=True) == final_s


def test_no_detection_without_a_fault() -> None:
    assert recovery.detection_s((sighting(3, Status.FAILED),), None) is None


def test_another_steps_trouble_is_not_the_faults() -> None:
    state = RunState(Status.RUNNING, {"deploy": StepState(Status.RETRYING, 2)})
    assert recovery.detection_s((Sighting(3_000_000_000, state),), 2_000_000_000) is None


def test_first_fault_counts() -> None:
    common = {"run": "r", "step": "train", "event": "fault", "kind": "kill"}
    records = [{"t_ns": t, "attempt": n, **common} for n, t in ((2, 9), (1, 5))]
    assert recovery.fault_ns(parse(records)) == 5
    assert recovery.fault_ns(parse([])) is None


def stored(conductor: Conductor, name: str) -> dict[str, Sample]:
    prefix = f"recovery.{name}."
    found = [s for s in load(conductor.store.folder, Sample) if s.metric.startswith(prefix)]
    assert [s.metric.removeprefix(prefix) for s in found] == list(METRICS)
    assert {s.metric.removeprefix(prefix): s.unit for s in found} == METRICS
    return {s.metric.removeprefix(prefix): s for s in found}


@pytest.mark.parametrize("scenario", UNATTENDED, ids=lambda scenario: scenario.name)
def test_engine_that_retries_recovers_by_itself(bring_up: BringUp, scenario: Scenario) -> None:
    session, conductor = bring_up()
    seen = recovery.unattended(conductor, session, scenario)
    assert [mark.kind for mark in seen.history.faults] == [scenario.fault]
    found = stored(conductor, scenario.name)
    assert found["outcome"].value == "completed after recovery"
    assert found["attempts"].value == 2
    assert found["duplicates"].value == 0
    struck, end = recovery.fault_ns(seen.history), seen.history.last_end_ns()
    assert struck
    assert end
    assert found["recovery_s"].value == pytest.approx((end - struck) / 1e9)
    assert isinstance(found["detection_s"].value, float)
    kept = seen.history.counted()["features"]
    again = [a for a in seen.history.attempts_of("features") if a is not kept]
    assert again  # the double starts from the beginning
    assert isinstance(found["wasted_s"].value, float)
    assert found["wasted_s"].value >= sum(a.time_s for a in again) > 0


def test_run_that_does_not_recover_has_no_recovery_time(bring_up: BringUp) -> None:
    session, conductor = bring_up()
    seen = recovery.unattended(conductor, session, Scenario("hopeless", "transient", 0))
    assert seen.run.outcome == "failed, reported"
    found = stored(conductor, "hopeless")
    assert found["recovery_s"].value is None
    assert found["recovery_s"].note == "not by itself: failed, reported"
    assert found["attempts"].value == RETRIES + 1
    assert isinstance(found["detection_s"].value, float)


def test_resume_after_the_fix(bring_up: BringUp) -> None:
    session, conductor = bring_up()
    failed, fixed = recovery.failing(conductor, session)
    assert failed.run.outcome == "failed as expected"
    assert not fixed.exists()
    seen = recovery.resume(conductor, session, failed, fixed)
    assert seen
    found = stored(conductor, RESUME.name)
    assert found["outcome"].value == "completed after recovery"
    assert isinstance(found["recovery_s"].value, float)
    assert found["recovery_s"].value > 0
    assert isinstance(found["detection_s"].value, float)
    assert [run.note for run in load(conductor.store.folder, Run)] == ["", "resumed"]
    assert {run.run_id for run in load(conductor.store.folder, Run)} == {failed.run.run_id}
    assert seen.run.isolation == failed.run.isolation


def test_engine_without_resume_is_reported_with_its_reason(bring_up: BringUp) -> None:
    session, conductor = bring_up(Unable)
    run = Run(run_id="r1", engine="double", track="stock", mode="served")
    failed = Observation(run, parse([]))
    fixed = session.scratch / "fixed"
    assert recovery.resume(conductor, session, failed, fixed) is None
    found = stored(conductor, RESUME.name)
    assert {sample.value for sample in found.values()} == {None}
    assert {sample.note for sample in found.values()} == {"not supported: a double has none"}
    assert not fixed.exists()

"""When an engine noticed, how long a run took to recover, and what is said when it did not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import httpx
import psutil
import pytest
from doubles import RETRIES, BringUp, Unable
from waiting import wait_for

from bench.contract.endpoint import RunState, StepState
from bench.contract.errors import EngineError
from bench.contract.processes import Command
from bench.contract.records import Run, Sample, Strike
from bench.contract.targets import Target
from bench.contract.words import Ability, Feature, Status, Unsupported
from bench.judge import aftermath as judge
from bench.judge.findings import Finding
from bench.observe.journal import parse, read_journal
from bench.observe.reading import load
from bench.observe.watching import Sighting
from bench.plan.scenarios import SCENARIOS
from bench.plan.scenarios.outside import outside
from bench.plan.scenarios.record import Action, Moment, Scenario, When
from bench.plan.workloads import Workload
from bench.questions.recovery import followed, repair
from bench.questions.recovery import left_behind as aftermath
from bench.questions.recovery import unattended as recovery
from bench.questions.recovery.left_behind import SessionLostError
from bench.questions.recovery.telling import LEAVES
from bench.questions.recovery.unattended import aim
from bench.run.conductor import Conductor
from bench.run.faults.manager import managed
from bench.run.observation import Observation
from bench.session.workspace import PARALLELISM
from core.declaration import pipeline
from core.instrument import journal as written
from core.instrument.journal import now_ns

RESUME = SCENARIOS["resume_after_fix"]
UNATTENDED = (SCENARIOS["transient_error"], SCENARIOS["step_killed"])


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
    "a third attempt": ([sighting(4, Status.RUNNING, Status.RUNNING, attempts=3)], 2.0, None),
    "no attempt yet": ([sighting(4, Status.RUNNING, Status.PENDING, attempts=0)], None, None),
    "a second attempt": ([sighting(4, Status.RUNNING, Status.RUNNING, attempts=2)], 2.0, None),
    "at the very instant": ([sighting(2, Status.FAILED)], 0.0, 0.0),
    "only before the fault": ([sighting(1, Status.FAILED), sighting(3, Status.RUNNING)], None, None),
    "never": ([sighting(3, Status.RUNNING, Status.RUNNING), sighting(4, Status.COMPLETED)], None, None),
    "nothing": ([], None, None),
}  # fmt: skip


@pytest.mark.parametrize(("sightings", "first_s", "final_s"), SEEN.values(), ids=SEEN)
def test_detection(sightings: list[Sighting], first_s: float | None, final_s: float | None) -> None:
    assert judge.detection_s(tuple(sightings), 2_000_000_000) == first_s
    assert judge.detection_s(tuple(sightings), 2_000_000_000, final=True) == final_s


def test_no_detection_without_a_fault() -> None:
    assert judge.detection_s((sighting(3, Status.FAILED),), None) is None


def test_first_fault_counts() -> None:
    common = {"run": "r", "step": "train", "event": "fault", "kind": "kill"}
    records = [{"t_ns": t, "attempt": n, **common} for n, t in ((2, 9), (1, 5))]
    assert judge.struck_ns(parse(records)) == 5
    assert judge.struck_ns(parse([])) is None


def stored(conductor: Conductor, name: str) -> dict[str, Sample]:
    prefix = f"recovery.{name}."
    found = [s for s in load(conductor.store.folder, Sample) if s.metric.startswith(prefix)]
    told = {s.metric.removeprefix(prefix): s for s in found}
    assert len(told) == len(found)
    assert {leaf: one.unit for leaf, one in told.items()}.items() <= LEAVES.items()
    return told


@pytest.mark.parametrize("scenario", UNATTENDED, ids=lambda scenario: scenario.key)
def test_engine_that_retries_recovers_by_itself(bring_up: BringUp, scenario: Scenario) -> None:
    session, conductor = bring_up()
    (seen,) = recovery.unattended(conductor, session, [scenario])
    assert [mark.kind for mark in seen.journal.faults] == [scenario.faults[0].kind]
    found = stored(conductor, scenario.key)
    assert found["outcome"].value == "completed after recovery"
    assert found["attempts"].value == 2
    assert found["duplicates"].value == 0
    struck, end = judge.struck_ns(seen.journal), seen.journal.last_end_ns()
    assert struck
    assert end
    assert found["recovery_s"].value == pytest.approx((end - struck) / 1e9, abs=0.05)
    assert isinstance(found["detection_s"].value, float)
    kept = seen.journal.counted()["features"]
    again = [a for a in seen.journal.attempts_of("features") if a is not kept]
    assert again  # the double starts from the beginning
    assert isinstance(found["wasted_s"].value, float)
    assert found["wasted_s"].value >= sum(a.time_s for a in again) > 0


def test_scenarios_at_once_are_judged_each_by_its_own_run(bring_up: BringUp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "APART_S", 0.2)
    session, conductor = bring_up()
    names = ("step_killed", "permanent_error", "scheduler_killed")
    seen = recovery.unattended(conductor, session, [SCENARIOS[name] for name in names])
    assert [one.run.scenario for one in seen] == ["step_killed", "permanent_error"]
    killed, failed = ([mark.kind for mark in one.journal.faults] for one in seen)
    assert (killed, failed) == (["kill"], ["defect"] * (RETRIES + 1))
    assert max(one.journal.first_start_ns() or 0 for one in seen) < min(one.run.terminal_ns for one in seen)
    outcomes = [stored(conductor, name)["outcome"].value for name in names]
    assert outcomes == ["completed after recovery", "failed, reported", None]


def test_scenario_that_is_interrupted_is_not_judged(bring_up: BringUp) -> None:
    session, conductor = bring_up()
    stop = Event()
    stop.set()
    with managed(session) as manager, pytest.raises(EngineError, match="slow_step: interrupted"):
        recovery.conduct(conductor, session, aim(conductor, SCENARIOS["slow_step"]), manager, stop)
    assert load(conductor.store.folder, Run) == []


def test_probe_ends_as_soon_as_all_its_steps_run(tmp_path: Path) -> None:
    full = tmp_path / "full"
    with aftermath._let_go_when_full(tmp_path, full):
        for number in (*range(1, PARALLELISM), 1):  # a second try is no other step
            written.JournalWriter(tmp_path, "r1", f"work_{number:04d}").write("start")
        assert aftermath._under_way(read_journal(tmp_path)) == PARALLELISM - 1
        assert not full.exists()
        written.JournalWriter(tmp_path, "r1", f"work_{PARALLELISM:04d}").write("start")
        wait_for(full.exists, "the probe lets go")


def test_probe_of_which_not_all_steps_run_ends_with_its_run(tmp_path: Path) -> None:
    with aftermath._let_go_when_full(tmp_path, tmp_path / "full"):
        written.JournalWriter(tmp_path, "r1", "work_0001").write("start")
    assert not (tmp_path / "full").exists()


@pytest.mark.parametrize(
    ("shared", "starts", "found"),
    [
        (PARALLELISM, PARALLELISM, Finding("count", 0.0)),
        (PARALLELISM, PARALLELISM - 1, Finding("count", 1.0)),
        (None, 1, "not applicable: no limit that runs share is set, and each brings its own slots"),
        (16, 1, "not applicable: one run fills 4 of the 16 slots that runs share, and cannot tell"),
    ],
)
def test_only_slots_that_runs_share_can_be_lost(shared: int | None, starts: int, found: Finding | str) -> None:
    common = {"run": "r", "attempt": 1}
    events = [("start", n) for n in range(starts)] + [("end", n) for n in range(starts)]
    journal = parse({"t_ns": t, "event": e, "step": f"work_{n}", **common} for t, (e, n) in enumerate(events))
    absent = Finding("count", None, found) if isinstance(found, str) else found
    assert aftermath._leaked(shared, journal) == absent


def test_slot_that_one_of_several_has_lost_is_blamed_on_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aftermath, "probe", lambda *_: {"leaked_slots": Finding("count", 1.0)})
    one, other = (SCENARIOS[key].of(pipeline("training")) for key in ("hung_step", "hung_in_c"))
    both, alone = (recovery._after(None, None, "", of) for of in ([one, other], [one]))  # type: ignore[arg-type]
    assert both["leaked_slots"] == Finding("count", None, "1 lost, by one of hung_step, hung_in_c")
    assert alone["leaked_slots"] == Finding("count", 1.0)
    assert both["session"] == alone["session"] == Finding("text", "healthy")


def test_run_that_does_not_recover_has_no_recovery_time(bring_up: BringUp) -> None:
    session, conductor = bring_up()
    (seen,) = recovery.unattended(conductor, session, [SCENARIOS["permanent_error"]])
    assert seen.run.outcome == "failed, reported"
    found = stored(conductor, "permanent_error")
    assert found["recovery_s"].value is None
    assert found["recovery_s"].note == "it ended: failed, reported"
    assert found["attempts"].value == RETRIES + 1
    assert isinstance(found["detection_s"].value, float)


def test_run_that_is_called_completed_after_all_is_not_resumed(bring_up: BringUp) -> None:
    session, conductor = bring_up()
    seen = conductor.served(session, "plain")
    earlier = replace(seen, sightings=(sighting(1, Status.FAILED),))
    said = aftermath.helped(conductor, session, earlier)
    assert said == ("by then the engine called the run completed after all", None)
    # a false success: nothing can be resumed
    assert aftermath.helped(conductor, session, seen) == ("run the whole pipeline again", None)


def test_resume_after_the_fix(bring_up: BringUp) -> None:
    session, conductor = bring_up()
    failed, fixed = repair.failing(conductor, session, RESUME)
    assert failed.run.outcome == "failed as expected"
    assert not fixed.exists()
    seen = repair.resume(conductor, session, RESUME, failed, fixed)
    assert seen
    found = stored(conductor, RESUME.key)
    assert found["outcome"].value == "completed after recovery"
    assert isinstance(found["recovery_s"].value, float)
    assert found["recovery_s"].value > 0
    assert isinstance(found["detection_s"].value, float)
    assert [run.note for run in load(conductor.store.folder, Run)] == ["", "resumed"]
    assert {run.run_id for run in load(conductor.store.folder, Run)} == {failed.run.run_id}
    assert seen.run.isolation == failed.run.isolation
    folder = conductor.store.folder / "runs" / failed.run.run_id
    told = [json.loads((folder / name).read_text())[-1]["status"] for name in ("engine.json", "engine-2.json")]
    assert told == ["failed", "completed"]  # what the engine said before is kept


def test_engine_without_resume_is_reported_with_its_reason(bring_up: BringUp) -> None:
    session, conductor = bring_up(Unable)
    run = Run(run_id="r1", engine="double", pipeline="training", track="stock", mode="served")
    failed = Observation(run, parse([]))
    fixed = session.scratch / "fixed"
    assert repair.resume(conductor, session, RESUME, failed, fixed) is None
    found = stored(conductor, RESUME.key)
    assert {sample.value for sample in found.values()} == {None}
    assert {sample.note for sample in found.values()} == {"not supported: a double has none"}
    assert not fixed.exists()


def test_killed_process_of_a_run(bring_up: BringUp) -> None:
    """The double starts the whole file again: it recovers, and finished work is done twice."""
    session, conductor = bring_up()
    recovery.unattended(conductor, session, [SCENARIOS["run_killed"]])
    found = stored(conductor, "run_killed")
    assert found["outcome"].value == "completed after recovery"
    assert found["attempts"].value == 2
    assert found["orphans"].value == 0
    total = found["recovery_s"].value
    parts = [found[f"recovery_{name}_s"].value for name in ("work", "delay", "rest")]
    assert total == pytest.approx(sum(part for part in parts if isinstance(part, float)))
    (strike,) = load(conductor.store.folder, Strike)
    assert (strike.action, strike.target, strike.moment) == ("kill", "run", "in train")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run is given up after some seconds."""
    monkeypatch.setattr(aftermath, "patience_s", lambda *_: 10.0)


@pytest.mark.usefixtures("impatient")
def test_lost_service_with_a_running_step_is_healed_and_the_run_judged(bring_up: BringUp) -> None:
    """The double keeps runs in memory: killed, it knows nothing of the run."""
    session, conductor = bring_up()
    recovery.unattended(conductor, session, [outside("forgets", "It forgets", Action.KILL, Target.API, down_s=0.2)])
    found = stored(conductor, "forgets")
    assert found["outcome"].value in ("stuck", "lost")
    assert found["recovery_s"].value is None
    (strike,) = load(conductor.store.folder, Strike)
    assert strike.healed_ns > strike.t_ns


@pytest.mark.usefixtures("impatient")
def test_engine_that_does_not_come_back_is_told_and_lost(bring_up: BringUp, monkeypatch: pytest.MonkeyPatch) -> None:
    session, conductor = bring_up()
    monkeypatch.setattr(session, "restart", lambda _: (_ for _ in ()).throw(EngineError("server: ended")))
    with pytest.raises(SessionLostError, match="after gone: server: ended"):
        recovery.unattended(conductor, session, [outside("gone", "Gone", Action.KILL, Target.API, down_s=0.1)])
    assert stored(conductor, "gone")["outcome"].value in ("stuck", "lost")


def test_run_that_was_submitted_again_did_not_come_right_by_itself(
    bring_up: BringUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, conductor = bring_up()
    submit, server = session.submit, session.processes["server"]

    def broken_off(*arguments: Any) -> str:
        if not server.ended.is_set():
            assert server.ended.wait(60)
            raise httpx.ReadError("the server has gone")
        return submit(*arguments)

    monkeypatch.setattr(session, "submit", broken_off)
    submitting = outside("again", "Again", Action.KILL, Target.API, Moment(When.SUBMIT), down_s=0.2)
    (seen,) = recovery.unattended(conductor, session, [submitting])
    found = stored(conductor, "again")
    assert found["outcome"].value == seen.run.outcome == "completed with help"
    assert (found["recovery_s"].value, found["recovery_s"].note) == (None, "it ended: completed with help")
    assert found["struck"].value == "the service server: 1 process"
    assert seen.run.note == "submitted again after an error"


@pytest.mark.parametrize(
    ("scenario", "of_step", "limit"),
    [
        ("hung_step", Feature("it stops the step"), judge.Limit("step", 15.0)),
        ("hung_in_c", Unsupported("only runs have one"), judge.Limit("run", 45.0)),
        ("slow_step", Feature("it stops the step"), None),
        ("run_killed", Feature("it stops the step"), None),
    ],
)
def test_limit_that_ends_a_hang_is_the_one_that_the_engine_has(
    scenario: str, of_step: Feature | Unsupported, limit: judge.Limit | None
) -> None:
    session: Any = SimpleNamespace(
        step_timeout_s=15.0, endpoint=SimpleNamespace(abilities=lambda: {Ability.STEP_TIMEOUT: of_step})
    )
    conductor: Any = SimpleNamespace(workload=Workload("training"))
    broken: Any = SimpleNamespace(scenario=SCENARIOS[scenario].of(pipeline("training")))
    assert followed._limit(conductor, session, broken) == limit
    assert pipeline("training").timeout_factor == 3.0


def test_what_an_engine_does_not_have_is_not_applicable(bring_up: BringUp) -> None:
    session, conductor = bring_up()
    assert recovery.unattended(conductor, session, [SCENARIOS["scheduler_killed"]]) == []
    found = stored(conductor, "scheduler_killed")
    assert set(found) == set(LEAVES)
    assert {one.note for one in found.values()} == {"not applicable: the server does it"}


@pytest.mark.usefixtures("impatient")
def test_what_is_left_of_a_run_that_never_ended_is_ended(bring_up: BringUp) -> None:
    """A step hangs in a subprocess; its run is killed, and the subprocess lives on, with the double waiting for it."""
    session, conductor = bring_up()
    hung = Scenario(
        key="left", title="Left", faults=SCENARIOS["hung_subprocess"].faults, nemesis=SCENARIOS["run_killed"].nemesis
    )
    (seen,) = recovery.unattended(conductor, session, [hung])
    records = written.read(conductor.store.folder / "runs" / seen.run.run_id)
    (left,) = (pid for record in records for pid in record.get("children", ()))
    assert not psutil.pid_exists(left) or psutil.Process(left).status() == psutil.STATUS_ZOMBIE
    found = stored(conductor, "left")
    assert {found[leaf].note for leaf in ("orphans", "orphan_s")} == {"the run never ended"}


def test_process_that_outlives_its_run_is_counted_and_ended(bring_up: BringUp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aftermath, "ORPHAN_LIMIT_S", aftermath.GRACE_S + 1)
    session, conductor = bring_up()
    left = session.supervisor.start("left", Command(("/bin/sleep", "60")))
    run_dir = conductor.store.folder / "runs" / "r1"
    run_dir.mkdir(parents=True)
    written.JournalWriter(run_dir, "r1", "train").write("fault", kind="hang_in_subprocess", children=[left.pid])
    found = aftermath.orphans(session, run_dir, now_ns())
    assert found["orphans"].value == 1
    assert found["orphan_s"] == Finding("s", None, "> 3 s")
    assert left.ended.wait(5)

"""A fault that did not meet what it was meant for is not struck, whatever became of the run."""

from __future__ import annotations

from dataclasses import replace

import pytest
from doubles import BringUp
from hypothesis import given
from hypothesis import strategies as st
from journals import ORDER, STEP_S, Script, good, strike
from waiting import wait_for

from bench.contract.processes import Command
from bench.contract.records import Sample, Strike
from bench.contract.targets import Target
from bench.judge.missed import NEVER_CAME, met, missed, outside, unmarked
from bench.observe.journal import Journal, read_journal
from bench.observe.reading import load
from bench.plan import sweep
from bench.plan.scenarios import SCENARIOS
from bench.plan.scenarios.outside import outside as from_outside
from bench.plan.scenarios.record import Action, Aimed, Moment, Scenario, When
from bench.questions.recovery import kill_points, repair, unattended
from bench.run.conductor import Conductor
from core.declaration import pipeline
from core.instrument.config import Fault

TRAINING = pipeline("training")
START_S = {step: next(a.start_ns for a in good().attempts if a.step == step) / 1e9 for step in ORDER}
TRAIN_ENDS_S = START_S["train"] + STEP_S["train"]
IN_TRAIN, BEFORE_TRAIN = Moment(When.IN, "train"), Moment(When.BEFORE, "train")


def point(at: Moment) -> Aimed:
    return sweep.point(Action.KILL, Target.SCHEDULER, at).of(TRAINING)


def told(at: Moment, at_s: float, journal: Journal | None = None, **more: int) -> str:
    return missed(point(at), journal or good(), [strike(at_s, pid=7)], **more)


@pytest.mark.parametrize(
    ("at", "at_s", "why"),
    [
        pytest.param(IN_TRAIN, START_S["train"], "", id="at its very start"),
        pytest.param(IN_TRAIN, TRAIN_ENDS_S - 0.001, "", id="just before its end"),
        pytest.param(IN_TRAIN, TRAIN_ENDS_S, "train had ended before", id="at its very end"),
        pytest.param(IN_TRAIN, 60.0, "train had ended before", id="after the run"),
        pytest.param(IN_TRAIN, START_S["train"] - 0.001, "train had not begun", id="too soon"),
        pytest.param(BEFORE_TRAIN, START_S["train"] - 0.001, "", id="between two steps"),
        pytest.param(BEFORE_TRAIN, START_S["train"] + 1, "", id="it had begun meanwhile, and was struck"),
        pytest.param(BEFORE_TRAIN, TRAIN_ENDS_S, "train had ended before", id="a step of a moment was done"),
    ],
)
def test_a_strike_counts_only_while_its_step_is_there_to_be_struck(at: Moment, at_s: float, why: str) -> None:
    assert told(at, at_s) == why


@given(st.floats(0.1, 60.0), st.sampled_from(ORDER), st.sampled_from([When.IN, When.BEFORE]))
def test_no_strike_after_its_step_or_the_run_is_ever_a_pass(at_s: float, step: str, when: When) -> None:
    late = at_s * 1e9 >= (good().counted()[step].end_ns or 0)
    assert bool(told(Moment(when, step), at_s)) == (late or (when is When.IN and at_s < START_S[step]))


def test_a_step_that_runs_again_can_be_struck_again() -> None:
    script = Script().steps(*ORDER[:4])
    again_s = script.now_s
    script.step("train", 2)
    assert not told(IN_TRAIN, again_s + 1, script.journal())


def test_a_process_that_was_killed_and_ended_its_step_all_the_same_was_not_hit() -> None:
    ended_meanwhile = [strike(TRAIN_ENDS_S - 0.001)]
    assert missed(point(IN_TRAIN), good(), ended_meanwhile) == "train had ended before"
    paused = [strike(TRAIN_ENDS_S - 0.001, action="pause")]
    assert not missed(point(IN_TRAIN), good(), paused)
    lost = Script().steps(*ORDER[:3])
    lost.step("train", end="lost")
    assert not missed(point(IN_TRAIN), lost.journal(), [strike(START_S["train"] + 1)])


def test_what_never_struck_says_why() -> None:
    assert missed(point(IN_TRAIN), good(), ()) == NEVER_CAME
    assert missed(point(IN_TRAIN), good(), (), problem="no such process") == "no such process"


def test_a_submission_is_struck_until_it_is_accepted() -> None:
    submitting = Moment(When.SUBMIT)
    assert told(submitting, 5.0, accepted_ns=4_000_000_000) == "the submission had been accepted before"
    assert not told(submitting, 5.0, accepted_ns=5_000_000_000)
    assert not told(submitting, 5.0)  # it broke off, and was made again


def test_a_point_before_a_step_that_had_begun_is_told_as_one_within_it() -> None:
    assert met(BEFORE_TRAIN, good(), strike(START_S["train"] - 0.001)) == "before train"
    assert met(BEFORE_TRAIN, good(), strike(START_S["train"] + 1)) == "in train"
    assert met(IN_TRAIN, good(), strike(START_S["train"] + 1)) == "in train"


@pytest.mark.parametrize(
    ("steps", "kind", "why"),
    [
        (ORDER[:3], "kill", "train never ran"),
        (ORDER, "kill", "train ran without it"),
        (ORDER, "defect", "train ran without it"),
    ],
)
def test_a_fault_inside_a_step_that_the_journal_does_not_know_was_not_struck(
    steps: tuple[str, ...], kind: str, why: str
) -> None:
    script = Script().steps(*steps)
    script.write("fault", "validate", kind=kind)
    assert unmarked((Fault("train", kind),), script.journal()) == why
    killed = SCENARIOS["step_killed"].of(TRAINING)
    assert missed(replace(killed, faults=(Fault("train", kind),)), script.journal(), ()) == why
    script.write("fault", "train", kind=kind)
    assert not unmarked((Fault("train", kind),), script.journal())


def test_a_fault_that_gives_one_from_outside_time_need_not_have_come() -> None:
    """It strikes after the step's work; the process may be killed before."""
    run_killed = SCENARIOS["run_killed"].of(TRAINING)
    assert [fault.kind for fault in run_killed.faults] == ["slow_after"]
    assert not missed(run_killed, good(), [strike(START_S["train"] + 1, pid=7)])
    both = replace(run_killed, faults=(*run_killed.faults, Fault("train", "hang")))
    assert missed(both, good(), [strike(START_S["train"] + 1, pid=7)]) == "train ran without it"


def test_what_people_do_after_a_step_has_ended_meets_nothing() -> None:
    assert outside(IN_TRAIN, good(), round(TRAIN_ENDS_S * 1e9)) == "train had ended before"
    assert not outside(IN_TRAIN, good(), round((START_S["train"] + 1) * 1e9))


def samples(conductor: Conductor, prefix: str) -> list[Sample]:
    return [s for s in load(conductor.store.folder, Sample) if s.metric.startswith(f"recovery.{prefix}.")]


def test_a_step_that_a_run_never_comes_to_is_no_scenario_of_it(bring_up: BringUp) -> None:
    session, conductor = bring_up()
    elsewhere = replace(SCENARIOS["step_killed"], suffers="notify")
    unattended.unattended(conductor, session, [elsewhere])
    found = samples(conductor, "step_killed")
    assert found
    assert {(one.value, one.note) for one in found} == {(None, "not struck: notify never ran")}


def test_a_run_that_never_fails_is_not_resumed(bring_up: BringUp) -> None:
    session, conductor = bring_up()
    elsewhere = replace(SCENARIOS["resume_after_fix"], suffers="notify")
    failed, fixed = repair.failing(conductor, session, elsewhere)
    assert repair.resume(conductor, session, elsewhere, failed, fixed) is None
    repair.rerun(conductor, session, replace(elsewhere, key="rerun_after_fix"))
    for key in ("resume_after_fix", "rerun_after_fix"):
        assert {one.note for one in samples(conductor, key)} == {"not struck: notify never ran"}


def never(key: str) -> Scenario:
    """A point to which no run comes: the model is good enough."""
    return replace(from_outside(key, key, Action.KILL, Target.RUN, Moment(When.IN, "notify")), faults=())


def test_another_point_is_struck_in_the_place_of_one_that_was_not_met(bring_up: BringUp) -> None:
    session, conductor = bring_up()
    there = sweep.point(Action.KILL, Target.RUN, IN_TRAIN)
    kill_points.strike(conductor, session, [never("one"), there, never("other")], conductor)
    found = [(one.value, one.params["at"]) for one in samples(conductor, "sweep") if one.metric.endswith("outcome")]
    assert found == [(None, "in notify"), ("completed after recovery", "in train")]
    held = {one.metric.rpartition(".")[2]: one.value for one in samples(conductor, "sweep") if one.unit == "proportion"}
    assert held == {"completed": 1.0, "correct": 1.0, "effect_once": 1.0}


def test_a_strike_that_came_too_late_is_no_survival(bring_up: BringUp, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that is to be killed is looked for until the run has ended."""
    session, conductor = bring_up()
    idle = session.supervisor.start("idle", Command(("/bin/sleep", "60")))

    def found_late(*_: object, **__: object) -> list[int]:
        (run_dir,) = (conductor.store.folder / "runs").iterdir()
        wait_for(lambda: "deploy" in read_journal(run_dir).counted(), "the effect has happened")
        return [idle.pid]

    monkeypatch.setattr("bench.run.faults.nemesis.resolve", found_late)
    kill_points.strike(conductor, session, [sweep.point(Action.KILL, Target.RUN, BEFORE_TRAIN)], conductor)
    (found,) = samples(conductor, "sweep")
    assert (found.value, found.note) == (None, "not struck: train had ended before")
    assert [one.pids for one in load(conductor.store.folder, Strike)] == [(idle.pid,)]

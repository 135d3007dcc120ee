"""The judge of broken runs, on hand-written histories and on engines that lie."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from doubles import BringUp, misbehaving
from journals import ORDER, STEP_S, Script, case, good, strike

from bench.contract.endpoint import RunState, StepState
from bench.contract.records import Verdict
from bench.contract.words import Status
from bench.judge import aftermath as judge
from bench.judge import findings
from bench.judge.recovery_time import RECOVERY
from bench.judge.struck import what
from bench.observe.journal import Journal, parse, utc_ns
from bench.observe.watching import Sighting
from bench.plan.scenarios import SCENARIOS
from bench.questions.recovery.unattended import aim
from core.declaration import Graph, Step

BROKEN_TRAIN = ORDER[: ORDER.index("train")]
AFTER_TRAIN = ORDER[ORDER.index("train") + 1 :]


def retried(after_s: float = 2.5) -> Script:
    """`train` is struck by a fault at its start and lost; later it is tried again."""
    script = Script().steps(*BROKEN_TRAIN)
    script.write("start", "train", 1)
    script.write("fault", "train", 1, kind="kill")
    script.now_s += after_s
    script.step("train", 2)
    return script.steps(*AFTER_TRAIN)


STRUCK_S = retried().journal().faults[0].t_ns / 1e9


def test_recovery_is_work_and_configured_delay_and_the_rest() -> None:
    found = findings.findings(case(retried().journal()))
    work = STEP_S["train"] + sum(STEP_S[name] for name in AFTER_TRAIN)
    assert found["recovery_work_s"].value == pytest.approx(work)
    assert found["recovery_delay_s"].value == 2.0
    gaps = 0.5 + 0.1 * (len(AFTER_TRAIN))
    assert found["recovery_rest_s"].value == pytest.approx(gaps)
    assert found["recovery_s"].value == pytest.approx(work + 2.0 + gaps)
    assert found["attempts"].value == 2
    assert found["overlaps"].value == 0


@pytest.mark.parametrize(
    ("after_s", "down_s", "healed_s", "delay_s"),
    [
        pytest.param(2.5, 0.3, None, 2.3, id="a setting let the fault last"),
        pytest.param(0.2, 0.0, None, 0.2, id="the engine did not wait as long as configured"),
        pytest.param(7.5, 5.0, 5.5, 7.0, id="kept down, then the delay"),
        pytest.param(5.5, 5.0, 5.2, 5.5, id="at the same time, counted once"),
        pytest.param(7.5, 5.0, 0.0, 2.0, id="nobody healed it: nobody kept it down"),
        pytest.param(7.5, 5.0, 1.0, 3.0, id="healed sooner"),
    ],
)
def test_configured_delay_is_what_was_waited_for(
    after_s: float, down_s: float, healed_s: float | None, delay_s: float
) -> None:
    """`healed_s` after the strike; None: nothing struck from outside."""
    healed = STRUCK_S + healed_s if healed_s else 0.0
    strikes = () if healed_s is None else (strike(STRUCK_S, healed_s=healed),)
    limit = None if strikes else judge.Limit("step", down_s)
    found = findings.findings(case(retried(after_s).journal(), down_s=down_s, strikes=strikes, limit=limit))
    assert found["recovery_delay_s"].value == pytest.approx(delay_s)


def test_restart_begins_at_once() -> None:
    one = strike(STRUCK_S, pid=7, action="restart", healed_s=STRUCK_S + 4)
    found = findings.findings(case(retried(8).journal(), strikes=(one,), down_s=5.0))
    assert found["recovery_delay_s"].value == 2.0


def test_retry_at_once_and_work_that_is_only_done_again_wait_for_nothing() -> None:
    """`train` fails late and is tried again at once; then the engine begins with the first step once more."""
    script = Script().steps(*BROKEN_TRAIN)
    script.write("fault", "train", 1, kind="transient")
    script.step("train", 1, end="error")
    script.step("train", 2)
    script.now_s += 3
    script.step("extract", 2)
    found = findings.findings(case(script.steps(*AFTER_TRAIN).journal()))
    assert found["recovery_delay_s"].value == pytest.approx(0.1)


def test_what_is_kept_down_when_the_run_has_ended_is_no_part_of_it() -> None:
    end_s = (good().last_end_ns() or 0) / 1e9
    one = strike(end_s - 0.15, pid=7, healed_s=end_s + 5)  # between the last two steps
    found = findings.findings(case(good(), strikes=(one,), down_s=5.0))
    assert [found[name].value for name in RECOVERY] == pytest.approx([0.15, 0.1, 0.05, 0.0])


def test_work_that_goes_on_meanwhile_is_work() -> None:
    """The API is down while `train` runs on, and nothing is retried."""
    one = strike(STRUCK_S, pid=7, healed_s=STRUCK_S + 3)
    found = findings.findings(case(good(), strikes=(one,), down_s=3.0))
    assert found["recovery_delay_s"].value == 0.0
    assert found["recovery_work_s"].value == pytest.approx(STEP_S["train"] + sum(STEP_S[name] for name in AFTER_TRAIN))


def test_run_goes_on_with_the_first_attempt_that_ended() -> None:
    """A worker was killed; its step lived on, was tried again meanwhile, and ended last."""
    script = retried()
    end_s = script.now_s
    script.now_s += 5
    script.write("end", "train", 1, result={"digest": "digest-train"})
    found = findings.findings(case(script.journal(), strikes=(strike(5.0, pid=7),)))
    total = found["recovery_s"].value
    assert isinstance(total, float)
    assert total < end_s
    assert found["recovery_delay_s"].value == 2.0  # though the first attempt worked on meanwhile
    assert found["overlaps"].value == 1


@pytest.mark.parametrize(
    ("outcome", "note"),
    [
        ("stuck", "> 120 s"),
        ("completed", "it completed as if nothing had been"),
        ("failed, reported", "it ended: failed, reported"),
        ("false success", "it ended: false success"),
        ("duplicated", "it ended: duplicated"),
    ],
)
def test_no_recovery_time_where_nothing_recovered(outcome: str, note: str) -> None:
    found = findings.findings(case(retried().journal(), outcome))
    assert {found[name].value for name in RECOVERY} == {None}
    assert {found[name].note for name in RECOVERY} == {note}


def test_wrong_artifacts_are_no_recovery() -> None:
    found = findings.findings(case(retried().journal(), right=False))
    assert found["recovery_s"].value is None
    assert found["recovery_s"].note.endswith("with other steps, artifacts or order than inline")


def test_duplicated_and_broken_off_is_no_recovery_though_nothing_spoke_against_it() -> None:
    for steps in (ORDER[:-1], ORDER[: ORDER.index("evaluate")]):
        found = findings.findings(case(Script().steps(*steps).journal(), "duplicated", strikes=(strike(2.0),)))
        assert found["recovery_s"].value is None


def test_run_that_never_ended_has_no_recovery_time_whatever_it_did() -> None:
    seen = (Sighting(1_000_000_000, RunState(Status.RUNNING)),)
    assert findings.findings(case(retried().journal(), "duplicated", sightings=seen))["recovery_s"].note == "> 120 s"


def test_struck_after_the_work_was_done() -> None:
    found = findings.findings(case(good(), strikes=(strike(50.0),)))
    assert (found["recovery_s"].value, found["recovery_s"].note) == (None, "every step had ended before")


def test_correct_is_what_the_artifacts_say_not_the_outcome() -> None:
    assert findings.findings(case(good(), "false failure"))["correct"].value == 1.0
    short = Script().steps(*BROKEN_TRAIN).journal()
    assert findings.findings(case(short, "completed"))["correct"].value == 0.0
    without_cleanup = Script().steps(*ORDER[:-1]).journal()  # which makes no artifact
    assert findings.findings(case(without_cleanup, "failed, reported"))["correct"].value == 1.0


def test_without_an_inline_run_nothing_is_correct() -> None:
    found = findings.findings(case(Journal(), oracle=Journal()))["correct"]
    assert (found.value, found.note) == (None, "no inline run to compare with")
    assert not judge.correct(Journal(), Journal())


def test_a_fault_that_only_lengthens_a_step_is_not_what_struck() -> None:
    script = Script().steps(*BROKEN_TRAIN)
    script.write("start", "train")
    script.write("fault", "train", kind="slow")
    journal = script.journal()
    alone = judge.struck_ns(journal)
    assert alone == journal.faults[0].t_ns
    assert judge.struck_ns(journal, (strike(40.0),)) == 40_000_000_000
    assert judge.struck_ns(Journal()) is None


@pytest.mark.parametrize("name", ["deploy", "train"])
def test_trouble_of_any_step_is_detection(name: str) -> None:
    state = RunState(Status.RUNNING, {name: StepState(Status.RETRYING, 2)})
    assert judge.detection_s((Sighting(3_000_000_000, state),), 2_000_000_000) == 1.0
    assert judge.detection_s((Sighting(3_000_000_000, state),), 2_000_000_000, final=True) is None


def test_a_run_that_waits_to_be_tried_again_is_detection_whatever_its_steps_say() -> None:
    steps = {"train": StepState(Status.COMPLETED, 1), "deploy": StepState(Status.PENDING)}
    seen = tuple(
        Sighting(second * 1_000_000_000, RunState(status, steps))
        for second, status in enumerate(
            (Status.RUNNING, Status.RUNNING, Status.RUNNING, Status.RETRYING, Status.RUNNING)
        )
    )
    assert judge.detection_s(seen, 1_000_000_000) == 2.0
    assert judge.detection_s(seen, 1_000_000_000, final=True) is None


AHEAD_NS = utc_ns("2026-11-26T12:00:00Z")
"""UTC when the monotonic clock began."""


@pytest.mark.parametrize(
    ("status", "step", "final", "found_s"),
    [
        (Status.RUNNING, StepState(Status.RETRYING, 1, None, "2026-11-26T12:00:02.250000+00:00"), False, 0.25),
        (Status.RUNNING, StepState(Status.RUNNING, 2, "2026-11-26T12:00:02.5Z", None), False, 0.5),
        (Status.FAILED, StepState(Status.FAILED, 1, None, "2026-11-26T12:00:02.25Z"), True, 0.75),
        (Status.FAILED, StepState(Status.FAILED, 1, None, None), False, 0.75),  # the run's own end
        (Status.RUNNING, StepState(Status.RETRYING, 1, None, None), False, 1.0),
        (Status.RUNNING, StepState(Status.RETRYING, 1, None, "2026-11-26T12:00:01Z"), False, 1.0),  # before the fault
        (Status.RUNNING, StepState(Status.RETRYING, 1, None, "2026-11-26T12:00:04Z"), False, 1.0),  # after it was seen
    ],
)
def test_detection_is_by_the_engines_own_time_where_that_can_be(
    status: Status, step: StepState, *, final: bool, found_s: float
) -> None:
    ended = "2026-11-26T12:00:02.75Z" if status is Status.FAILED else None
    seen = (Sighting(3_000_000_000, RunState(status, {"train": step}, ended_utc=ended)),)
    assert judge.detection_s(seen, 2_000_000_000, final=final, ahead_ns=AHEAD_NS) == pytest.approx(found_s)
    assert judge.detection_s(seen, 2_000_000_000, final=final) == 1.0


def test_the_journal_tells_how_the_clocks_stand() -> None:
    start = {"event": "start", "step": "train", "attempt": 1, "t_ns": 5_000_000_000}
    assert parse([start]).ahead_ns() is None
    assert parse([start | {"utc": "2026-11-26T12:00:05+00:00"}]).ahead_ns() == AHEAD_NS


def test_killed_attempt_lives_until_the_strike_that_hit_it() -> None:
    script = Script()
    script.write("start", "train", 1)
    script.now_s += 1
    script.write("start", "train", 2)
    script.now_s += 1
    script.write("end", "train", 2, result=None)
    journal = script.journal()
    assert judge.overlaps(journal) == 0  # all that is known of the first is its start
    assert judge.overlaps(journal, (strike(2.5),)) == 1
    assert judge.overlaps(journal, (strike(2.5, pid=7),)) == 0
    assert judge.overlaps(journal, (strike(2.5, action="pause"),)) == 0


def test_attempt_that_is_lost_at_once_beside_another_ran_at_the_same_time() -> None:
    script = Script()
    script.write("start", "train", 1)
    script.now_s += 1
    script.write("start", "train", 2)
    script.now_s += 1
    script.write("end", "train", 1, result=None)
    assert judge.overlaps(script.journal()) == 1


def test_lost_work_lasts_until_the_strike() -> None:
    journal = retried().journal()
    assert findings.findings(case(journal))["wasted_s"].value == 0.0
    struck = strike(STRUCK_S + 1.5, action="pause")
    assert findings.findings(case(journal, strikes=(struck,)))["wasted_s"].value == pytest.approx(1.5)


def test_work_that_a_resume_does_again_was_lost() -> None:
    script = Script().steps(*BROKEN_TRAIN, "train")
    failed = script.journal()
    script.step("train", 2)
    found = findings.findings(case(failed, "failed, reported", resumed=script.journal()))
    assert found["wasted_s"].value == pytest.approx(failed.counted()["train"].time_s)
    assert findings.findings(case(failed, "failed, reported", resumed=failed))["wasted_s"].value == 0


def test_what_a_resume_does_twice_is_done_twice() -> None:
    """Killed between its effect and the word of it, the step has its effect again when people resume the run."""
    script = Script().steps(*ORDER[: ORDER.index("deploy")])
    script.step("deploy", 1, end="lost")
    failed = script.journal()
    script.step("deploy", 2)
    found = findings.findings(case(failed, "failed, reported", resumed=script.journal()))
    assert (found["duplicates"].value, found["duplicates"].note) == (1.0, findings.BY_RESUMING)
    assert findings.findings(case(failed, "failed, reported"))["duplicates"] == findings.Finding("count", 0.0)


def test_end_that_the_engine_did_not_hear_of_is_not_what_the_run_went_on_with() -> None:
    """The API is away while `train` ends; `train` is tried again, and what comes after it waits for that."""
    script = Script().steps(*BROKEN_TRAIN)
    struck_s = script.now_s + 1.0
    script.step("train", 1)
    script.now_s += 11.9
    script.step("train", 2)
    journal = script.steps(*AFTER_TRAIN).journal()
    found = findings.findings(case(journal, strikes=(strike(struck_s, pid=7, healed_s=struck_s + 5),), down_s=5.0))
    assert found["wasted_s"].value == pytest.approx(STEP_S["train"])
    work = sum(STEP_S[name] for name in ("train", *AFTER_TRAIN))
    assert found["recovery_work_s"].value == pytest.approx(work)
    assert found["recovery_delay_s"].value == pytest.approx(5.0 + 2.0)


def test_only_the_steps_after_one_tell_with_which_attempt_the_run_went_on() -> None:
    """Two steps stand beside each other; what one is tried again for does not wait for the other."""
    graph = Graph((Step("extract"), Step("features"), Step("train", ("extract", "features"))))
    script = Script()
    script.step("extract", 1)
    script.step("features")
    script.step("extract", 2)
    journal = script.steps("train").journal()
    assert [(one.step, one.attempt) for one in journal.effective(graph)] == [
        ("features", 1), ("extract", 2), ("train", 1),
    ]  # fmt: skip


def test_last_step_that_is_tried_again_ends_the_run_with_its_last_attempt() -> None:
    script = Script().steps(*ORDER)
    script.now_s += 5
    script.step("cleanup", 2)
    found = findings.findings(case(script.journal(), strikes=(strike(STRUCK_S, pid=7),)))
    end_ns = script.journal().last_end_ns()
    assert end_ns
    assert found["recovery_s"].value == pytest.approx(end_ns / 1e9 - STRUCK_S)


def test_time_for_which_a_lost_attempt_stood_still_was_not_worked() -> None:
    script = retried()
    first = script.journal().attempts_of("train")[0]
    script.write("end", "train", 1, result=None)  # woken at last
    journal = script.journal()
    end_ns = journal.attempts_of("train")[0].end_ns
    assert end_ns
    pause = strike(first.start_ns / 1e9 + 0.5, pid=first.pid, action="pause", healed_s=end_ns / 1e9 - 0.1)
    found = findings.findings(case(journal, strikes=(pause,), down_s=3.0))
    assert found["wasted_s"].value == pytest.approx((end_ns - first.start_ns) / 1e9 - 3.0)


def test_time_in_which_a_step_was_paused_is_no_work() -> None:
    journal = good()
    train = journal.counted()["train"]
    assert train.end_ns
    pause = strike(train.start_ns / 1e9 + 1.0, pid=train.pid, action="pause", healed_s=train.start_ns / 1e9 + 3.5)
    found = findings.findings(case(journal, strikes=(pause,), down_s=2.0))
    assert found["recovery_delay_s"].value == pytest.approx(2.0)
    work = STEP_S["train"] - 3.0 + sum(STEP_S[name] for name in AFTER_TRAIN)
    assert found["recovery_work_s"].value == pytest.approx(work)
    beside = findings.findings(case(journal, strikes=(msgspec.structs.replace(pause, pids=(7,)),), down_s=2.0))
    assert beside["recovery_delay_s"].value == 0.0


def test_a_stuck_run_was_waited_for_since_its_submission() -> None:
    stuck = case(retried().journal(), "stuck", limit_s=120.0, submit_ns=round((STRUCK_S - 12) * 1e9))
    found = findings.findings(stuck)
    assert {found[leaf].note for leaf in ("recovery_s", "detection_s")} == {"> 108 s"}


def hung(limit: judge.Limit | None, noticed_s: float) -> findings.Found:
    """`train` hangs at its start, is noticed after so many seconds, and tried again 2 s later."""
    script = Script().steps(*BROKEN_TRAIN)
    script.write("start", "train", 1)
    script.write("fault", "train", 1, kind="hang")
    begun_s = script.now_s
    script.now_s += noticed_s
    script.write("error", "train", 1, error="TimeoutError")
    script.now_s += 2.0
    script.step("train", 2)
    journal = script.steps(*AFTER_TRAIN).journal()
    state = RunState(Status.RUNNING, {"train": StepState(Status.RETRYING)})
    noticed = Sighting(round((begun_s + noticed_s) * 1e9), state)
    done = Sighting(round(script.now_s * 1e9), RunState(Status.COMPLETED))
    return findings.findings(case(journal, sightings=(noticed, done), limit=limit))


BEGUN_S = Script().steps(*BROKEN_TRAIN).now_s - 1.0
"""From the run's first step to the start of `train`."""


@pytest.mark.parametrize(
    ("limit", "noticed_s", "delay_s", "note"),
    [
        pytest.param(judge.Limit("step", 30.0), 30.5, 30.0, "after the step's limit that you set, 30 s", id="step"),
        pytest.param(
            judge.Limit("run", 90.0), 95.0, 90.0 - BEGUN_S, "after the run's limit that you set, 90 s", id="run"
        ),
        pytest.param(judge.Limit("run", 90.0), 20.0, 0.0, "", id="noticed by itself, before"),
        pytest.param(judge.Limit("run", 1.0), 20.0, 0.0, "", id="the limit had come before the fault"),
        pytest.param(None, 20.0, 0.0, "", id="no limit"),
    ],
)
def test_what_waited_for_a_limit_of_ours_is_told_from_what_the_engine_took(
    limit: judge.Limit | None, noticed_s: float, delay_s: float, note: str
) -> None:
    found = hung(limit, noticed_s)
    assert (found["detection_s"].value, found["detection_s"].note) == (pytest.approx(noticed_s), note)
    assert found["detection_delay_s"].value == pytest.approx(delay_s)
    assert found["detection_rest_s"].value == pytest.approx(noticed_s - delay_s)
    assert found["recovery_delay_s"].value == pytest.approx(delay_s + 2.0)
    assert found["recovery_rest_s"].value == pytest.approx(noticed_s - delay_s + 0.1 * len(AFTER_TRAIN))


def test_what_was_really_struck_is_told() -> None:
    apart, together = Script().steps(*BROKEN_TRAIN), Script().steps(*BROKEN_TRAIN)
    apart.pid = 7
    for script in (apart, together):
        script.write("start", "train")
        script.write("fault", "train", kind="kill")
    assert what(apart.journal(), ()) == "train, in a process of its own"
    assert what(together.journal(), ()) == "train, in a process in which 3 other steps of the run ran too"
    first = Script().steps("extract")
    first.write("start", "validate")
    first.write("fault", "validate", kind="kill")
    assert what(first.journal(), ()) == "validate, in a process in which 1 other step of the run ran too"
    one = msgspec.structs.replace(strike(2.0), note="the service worker: 3 processes")
    assert what(apart.journal(), (one,)) == "the service worker: 3 processes"
    assert what(apart.journal(), (strike(2.0),)) == "worker: 1 process"  # of an earlier result
    assert what(good(), ()) is None


def test_of_a_fault_and_one_that_gave_it_time_the_fault_is_told() -> None:
    script = Script().steps("extract")
    script.write("start", "validate")
    script.write("fault", "validate", kind="slow")
    script.pid = 7
    script.write("start", "features")
    script.write("fault", "features", kind="kill")
    assert what(script.journal(), ()) == "features, in a process of its own"


def test_hung_work_lasts_until_it_is_noticed() -> None:
    script = Script().steps(*BROKEN_TRAIN)
    script.write("start", "train", 1)
    script.write("fault", "train", 1, kind="hang_in_c")
    journal = script.journal()
    noticed = Sighting(journal.faults[0].t_ns + 90 * 10**9, RunState(Status.FAILED))
    hung = case(journal, "failed, reported", sightings=(noticed,))
    assert findings.findings(hung)["wasted_s"].value == pytest.approx(90)


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        ("pass", "agrees"),
        ("fail", "train: the engine says failed"),
        ("unknown", "unknown: train: the engine says failed"),
    ],
)
def test_record(verdict: Any, said: str) -> None:
    one = Verdict(
        run_id="r", engine="e", checker="engine_record", verdict=verdict, reason="train: the engine says failed"
    )
    assert judge.record([one]) == said
    assert judge.record([]) == "not judged"


def test_a_judge_that_breaks_says_so_and_nothing_else() -> None:
    broken = replace(case(good()), graph=None, journal=None)  # type: ignore[arg-type]
    found = findings.safe_findings(broken)
    assert found.pop("outcome").value == "indeterminate"
    assert {one.value for one in found.values()} == {None}
    (note,) = {one.note for one in found.values()}
    assert note.startswith("the judge crashed: AttributeError")


def test_a_judge_that_does_not_break_is_safe_too() -> None:
    one = case(retried().journal())
    assert findings.safe_findings(one) == findings.findings(one)
    assert list(findings.findings(one)) == list(findings.UNITS)


# --- Engines that lie, on a real server


@pytest.mark.parametrize(
    ("lie", "scenario", "outcome"),
    [
        ("does nothing", "step_killed", "lost"),
        ("hides failures", "permanent_error", "false success"),
        ("denies success", "slow_step", "false failure"),
        ("does not learn of success", "slow_step", "duplicated"),
    ],
)
def test_an_engine_that_lies_is_caught(bring_up: BringUp, lie: str, scenario: str, outcome: str) -> None:
    session, conductor = bring_up(misbehaving(lie))
    faults = aim(conductor, SCENARIOS[scenario]).faults
    faults = tuple(msgspec.structs.replace(fault, seconds=0.1) for fault in faults)
    seen = conductor.served(session, scenario, faults=faults)
    found = findings.findings(
        case(
            seen.journal, seen.run.outcome, oracle=conductor.oracle, right=seen.right,
            sightings=seen.sightings, verdicts=seen.verdicts,
        )
    )  # fmt: skip
    worked = outcome in ("false failure", "duplicated")
    assert found["outcome"].value == outcome
    assert found["correct"].value == float(worked)
    assert found["duplicates"].value == float(outcome == "duplicated")
    assert found["recovery_s"].value is None
    assert (found["record"].value == "agrees") == (outcome == "duplicated")

"""What people did after something went wrong, and whether it has put it right: on hand-written histories."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from journals import ORDER, STEP_S, Script, again, good

from bench.contract.endpoint import RunState
from bench.contract.words import Status
from bench.judge.findings import Finding
from bench.judge.people import Filed, Repaired, RolledBack, Stopped
from bench.observe.journal import Journal
from bench.observe.watching import Sighting

BEFORE_TRAIN = ORDER[: ORDER.index("train")]


def seen(at_s: float, status: Status) -> Sighting:
    return Sighting(round(at_s * 1e9), RunState(status))


def failing() -> Script:
    """`train` fails twice."""
    script = Script().steps(*BEFORE_TRAIN)
    script.step("train", 1, end="error")
    script.step("train", 2, end="error")
    return script


def repaired(**changes: Any) -> Repaired:
    """Resumed 10 s after it had failed for good, at 30 s."""
    script = failing()
    failed, error_s = script.journal(), script.now_s - 0.1
    script.now_s = 40.0
    script.step("train", 3)
    journal = script.steps(*ORDER[ORDER.index("train") + 1 :]).journal()
    known: dict[str, Any] = {
        "failed": failed, "sightings": (seen(error_s - 1, Status.RUNNING), seen(error_s + 0.5, Status.FAILED)),
        "journal": journal, "oracle": good("oracle"), "outcome": "completed", "right": True, "step": "train",
        "begin_ns": 30 * 10**9, "wasted_s": 8.0,
    }  # fmt: skip
    return Repaired(**known | changes)


def test_a_run_that_people_put_right_has_recovered_since_they_began() -> None:
    found = repaired().findings("one API call: resume")
    end_s = (repaired().journal.last_end_ns() or 0) / 1e9
    assert found["outcome"].value == "completed after recovery"
    assert found["correct"].value == 1.0
    assert found["recovery_s"].value == pytest.approx(end_s - 30.0)
    assert found["detection_s"].value == pytest.approx(0.5)  # from its last error
    assert found["attempts"].value == 3  # those of the failed run are in the journal of the resumed one too
    assert (found["wasted_s"].value, found["duplicates"].value) == (8.0, 0.0)
    assert found["actions"].value == "one API call: resume"


def test_a_run_of_its_own_adds_its_attempts() -> None:
    script = Script(run="r2", now_s=40.0).steps(*ORDER)
    assert repaired(journal=script.journal()).findings("")["attempts"].value == 3


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"right": False}, "completed"),
        ({"outcome": "failed, reported"}, "failed, reported"),
        ({"outcome": "completed with help"}, "completed with help"),
    ],
)
def test_what_did_not_come_right_has_no_recovery_time(changes: dict[str, Any], outcome: str) -> None:
    found = repaired(**changes).findings("")
    assert found["outcome"].value == outcome
    assert found["recovery_s"] == Finding("s", None, f"it ended: {outcome}")


def test_what_is_repaired_is_held_against_the_plain_loop() -> None:
    found = repaired(journal=again("deploy")).findings("")
    assert (found["correct"].value, found["duplicates"].value) == (1.0, 1.0)
    assert repaired(journal=Script().steps(*BEFORE_TRAIN).journal()).findings("")["correct"].value == 0.0


def test_a_failure_that_nobody_saw_is_not_timed() -> None:
    found = repaired(sightings=(seen(1.0, Status.RUNNING),)).findings("")
    assert found["detection_s"] == Finding("s", None, "not seen in the engine's record")
    never = repaired(failed=Script().steps(*BEFORE_TRAIN).journal()).findings("")
    assert never["detection_s"].value is None


def cancelled(**changes: Any) -> Stopped:
    """Asked at 10 s, in the middle of `train`; at an end at 12 s."""
    script = Script().steps(*BEFORE_TRAIN)
    script.write("start", "train")
    known: dict[str, Any] = {
        "journal": script.journal(), "sightings": (seen(9, Status.RUNNING), seen(12, Status.FAILED)),
        "outcome": "failed as expected", "step": "train", "asked_ns": 10 * 10**9, "gone_s": 1.5, "limit_s": 60.0,
    }  # fmt: skip
    return Stopped(**known | changes)


def test_a_stopped_run_is_timed_from_the_request() -> None:
    found = cancelled().findings("one API call: cancel")
    assert (found["detection_s"].value, found["gone_s"]) == (2.0, Finding("s", 1.5))
    worked = (
        sum(STEP_S[step] for step in BEFORE_TRAIN) + 10.0 - cancelled().journal.attempts_of("train")[0].start_ns / 1e9
    )
    assert found["wasted_s"].value == pytest.approx(worked)
    assert (found["attempts"].value, found["duplicates"].value) == (1.0, 0.0)


def test_a_process_that_lives_on_and_an_end_that_nobody_sees_are_told() -> None:
    found = cancelled(gone_s=None, sightings=(seen(9, Status.RUNNING),)).findings("")
    assert found["gone_s"] == found["detection_s"] == Finding("s", None, "> 60 s")


def test_a_run_that_went_on_to_its_end_was_not_stopped() -> None:
    """Its process is gone too, and the engine calls it ended: that is no stopping."""
    found = cancelled(outcome="cancel ignored", journal=good(), sightings=(seen(20, Status.COMPLETED),)).findings("")
    assert found["outcome"].value == "cancel ignored"
    assert found["gone_s"] == found["detection_s"] == Finding("s", None, "it ended: cancel ignored")


def rolled_back(**changes: Any) -> RolledBack:
    script = Script(now_s=5.0)
    script.write("start", "roll_back")
    script.now_s = 6.0
    script.write("end", "roll_back", result=None)
    known: dict[str, Any] = {
        "journal": script.journal(), "said": Status.COMPLETED, "timed_out": False, "good": "v1", "bad": "v2",
        "current": "v1", "submit_ns": 4 * 10**9,
    }  # fmt: skip
    return RolledBack(**known | changes)


@pytest.mark.parametrize(
    ("changes", "outcome", "right"),
    [
        ({}, "completed after recovery", True),
        ({"current": "v2"}, "false success", False),
        ({"said": Status.FAILED}, "false failure", True),
        ({"said": Status.FAILED, "current": "v2"}, "failed, reported", False),
        ({"said": None}, "lost", True),
        ({"said": None, "timed_out": True}, "lost", True),
        ({"said": Status.RUNNING, "timed_out": True}, "stuck", True),
        ({"said": Status.PENDING, "timed_out": True}, "stuck", True),  # the API was silent
        ({"good": "v2"}, "false success", False),
        ({"good": "None", "bad": "None", "current": "None"}, "false success", False),
    ],
)
def test_a_roll_back_is_right_if_the_good_state_is_current_and_was_not_before(
    changes: dict[str, Any], outcome: str, right: bool
) -> None:
    found = rolled_back(**changes).findings("")
    assert (found["outcome"].value, found["correct"].value) == (outcome, float(right))
    assert (found["recovery_s"].value == 2.0) == right
    assert right or found["recovery_s"].note == outcome


def days(*steps: str, twice: str = "", unfinished: str = "") -> Journal:
    script = Script()
    for step in steps:
        script.write("start", step)
        script.write("effect", step, key=f"filed:{step}")
        if step == twice:
            script.write("effect", step, key=f"filed:{step}")
        script.now_s += 1
        if step != unfinished:
            script.write("end", step, result=None)
    return script.journal()


DAYS = {"monday": "day_1", "tuesday": "day_2"}


@pytest.mark.parametrize(
    ("journal", "said", "outcome", "missing", "twice"),
    [
        (days("day_1", "day_2"), Status.COMPLETED, "completed after recovery", 0, 0),
        (days("day_1", "day_2"), Status.FAILED, "false failure", 0, 0),
        (days("day_1"), Status.COMPLETED, "lost", 1, 0),
        (days("day_1"), Status.FAILED, "lost", 1, 0),
        (days("day_1", "day_2", unfinished="day_2"), Status.COMPLETED, "lost", 1, 0),
        (days("day_1", "day_2", twice="day_1"), Status.COMPLETED, "duplicated", 0, 1),
        (days("day_1", twice="day_1"), Status.COMPLETED, "duplicated", 1, 1),
        (days("day_1", "day_2"), Status.RUNNING, "stuck", 0, 0),
    ],
)
def test_a_backfill_files_each_day_once(journal: Journal, said: Status, outcome: str, missing: int, twice: int) -> None:
    found = Filed.of(journal, DAYS).findings(said, 10**9, ("run the missing days", "restart"))
    assert found["outcome"].value == outcome
    assert (found["missing"].value, found["twice"].value, found["duplicates"].value) == (missing, twice, twice)
    assert found["missing"].note == ("tuesday" if missing else "")
    assert found["twice"].note == ("monday" if twice else "")
    assert found["correct"].value == float(not missing)
    assert found["actions"].value == "run the missing days; restart"
    recovered = outcome == "completed after recovery"
    assert found["recovery_s"] == (Finding("s", 2.0) if recovered else Finding("s", None, f"it ended: {outcome}"))
    agrees = (said is Status.COMPLETED) == (not missing)
    assert found["record"].value == ("agrees" if agrees else f"the engine says {said}")


def test_of_a_backfill_that_needed_nobody_nothing_was_done() -> None:
    assert Filed.of(days("day_1", "day_2"), DAYS).findings(Status.COMPLETED, 0, ())["actions"].value == "none"
    assert replace(Filed.of(Journal(), DAYS), end_ns=None).missing == ("monday", "tuesday")

"""The judge of broken runs: hand-written histories, and invented ones that must never pass for right."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from histories import ORDER, STEP_S, Script, good
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import checkers, judge
from bench.contract import RunState, Status, StepState
from bench.history import History
from bench.judge import RECOVERY, Aftermath
from bench.results import Strike, Verdict
from bench.watching import Sighting
from core.pipelines import TRAINING

ORACLE = good("oracle")
GOOD = ("completed", "completed after recovery")
BROKEN_TRAIN = ORDER[: ORDER.index("train")]
AFTER_TRAIN = ORDER[ORDER.index("train") + 1 :]


def case(history: History, outcome: str = "completed after recovery", **more: Any) -> Aftermath:
    known: dict[str, Any] = {
        "history": history, "oracle": ORACLE, "outcome": outcome, "right": True, "pipeline": TRAINING,
        "step": "train", "limit_s": 120.0, "retry_delay_s": 2.0,
    }  # fmt: skip
    return Aftermath(**known | more)


def strike(at_s: float, pid: int = 100, action: str = "kill") -> Strike:
    return Strike(run_id="r1", action=action, target="worker", moment="in train", pids=(pid,), t_ns=round(at_s * 1e9))


def retried() -> Script:
    """`train` is struck by a fault at its start and lost; 2 s and half a second later it is tried again."""
    script = Script().steps(*BROKEN_TRAIN)
    script.write("start", "train", 1)
    script.write("fault", "train", 1, kind="kill")
    script.now_s += 2.5
    script.step("train", 2)
    return script.steps(*AFTER_TRAIN)


def test_recovery_is_work_and_configured_delay_and_the_rest() -> None:
    found = judge.findings(case(retried().history()))
    work = STEP_S["train"] + sum(STEP_S[name] for name in AFTER_TRAIN)
    assert found["recovery_work_s"].value == pytest.approx(work)
    assert found["recovery_delay_s"].value == 2.0
    gaps = 0.5 + 0.1 * (len(AFTER_TRAIN))
    assert found["recovery_rest_s"].value == pytest.approx(gaps)
    assert found["recovery_s"].value == pytest.approx(work + 2.0 + gaps)
    assert found["attempts"].value == 2
    assert found["overlaps"].value == 0


def test_time_that_was_kept_down_on_purpose_is_configured_delay() -> None:
    found = judge.findings(case(retried().history(), down_s=0.3))
    assert found["recovery_delay_s"].value == pytest.approx(2.3)


def test_run_goes_on_with_the_first_attempt_that_ended() -> None:
    """A worker was killed; its step lived on, was tried again meanwhile, and ended last."""
    script = retried()
    end_s = script.now_s
    script.now_s += 5
    script.write("end", "train", 1, result={"digest": "digest-train"})
    found = judge.findings(case(script.history(), strikes=(strike(5.0, pid=7),)))
    total = found["recovery_s"].value
    assert isinstance(total, float)
    assert total < end_s
    assert found["overlaps"].value == 1


@pytest.mark.parametrize(
    ("outcome", "note"),
    [
        ("stuck", "> 120 s"),
        ("completed", "it completed as if nothing had been"),
        ("failed, reported", "it ended: failed, reported"),
        ("false success", "it ended: false success"),
    ],
)
def test_no_recovery_time_where_nothing_recovered(outcome: str, note: str) -> None:
    found = judge.findings(case(retried().history(), outcome))
    assert {found[name].value for name in RECOVERY} == {None}
    assert {found[name].note for name in RECOVERY} == {note}


def test_wrong_artifacts_are_no_recovery() -> None:
    found = judge.findings(case(retried().history(), right=False))
    assert found["recovery_s"].value is None


def test_correct_is_what_the_artifacts_say_not_the_outcome() -> None:
    assert judge.findings(case(good(), "false failure"))["correct"].value == 1.0
    short = Script().steps(*BROKEN_TRAIN).history()
    assert judge.findings(case(short, "completed"))["correct"].value == 0.0


def test_a_fault_that_only_lengthens_a_step_is_not_what_struck() -> None:
    script = Script().steps(*BROKEN_TRAIN)
    script.write("start", "train")
    script.write("fault", "train", kind="slow")
    history = script.history()
    alone = judge.struck_ns(history)
    assert alone == history.faults[0].t_ns
    assert judge.struck_ns(history, (strike(40.0),)) == 40_000_000_000
    assert judge.struck_ns(History()) is None


@pytest.mark.parametrize("name", ["deploy", "train"])
def test_trouble_of_any_step_is_detection(name: str) -> None:
    state = RunState(Status.RUNNING, {name: StepState(Status.RETRYING, 2)})
    assert judge.detection_s((Sighting(3_000_000_000, state),), 2_000_000_000) == 1.0
    assert judge.detection_s((Sighting(3_000_000_000, state),), 2_000_000_000, final=True) is None


def test_killed_attempt_lives_until_the_strike_that_hit_it() -> None:
    script = Script()
    script.write("start", "train", 1)
    script.now_s += 1
    script.write("start", "train", 2)
    script.now_s += 1
    script.write("end", "train", 2, result=None)
    history = script.history()
    assert judge.overlaps(history) == 0  # all that is known of the first is its start
    assert judge.overlaps(history, (strike(2.5),)) == 1


@pytest.mark.parametrize(
    ("verdict", "said"), [("pass", "agrees"), ("fail", "train: the engine says failed"), ("unknown", "agrees")]
)
def test_record(verdict: Any, said: str) -> None:
    one = Verdict(
        run_id="r", engine="e", checker="engine_record", verdict=verdict, reason="train: the engine says failed"
    )
    assert judge.record([one]) == said
    assert judge.record([]) == "not judged"


def test_a_judge_that_breaks_says_so_and_nothing_else() -> None:
    broken = replace(case(good()), pipeline=None, history=None)  # type: ignore[arg-type]
    found = judge.safe_findings(broken)
    assert set(found) == {"outcome"}
    assert found["outcome"].value == "indeterminate"
    assert found["outcome"].note.startswith("the judge crashed: AttributeError")


# --- Invented histories


@st.composite
def invented(draw: st.DrawFn) -> Script:
    """Steps in any order, each tried and ended in any way, on any process, with gaps and overlaps in time."""
    script = Script()
    for _ in range(draw(st.integers(0, 14))):
        name = draw(st.sampled_from(ORDER))
        script.pid = draw(st.integers(100, 103))
        number = 1 + sum(r["step"] == name and r["event"] == "start" for r in script.records)
        end = draw(st.sampled_from(["end", "end", "error", "lost"]))
        script.step(name, number, end=end, effect=draw(st.booleans()))
        script.now_s = max(0.5, script.now_s + draw(st.floats(-3, 3)))
    return script


statuses = st.sampled_from([*Status, None])


@settings(max_examples=300)
@given(invented(), statuses, st.booleans(), st.booleans())
def test_no_invented_history_with_something_lost_or_doubled_passes(
    script: Script, status: Status | None, timed_out: bool, faulted: bool
) -> None:
    history = script.history()
    outcome = checkers.outcome(history, status, timed_out=timed_out, oracle=ORACLE, faulted=faulted)
    effects = [effect.key for effect in history.effects]
    whole = history.digests() == ORACLE.digests() and sorted(e.kind for e in history.effects) == ["deploy"]
    if not whole or len(set(effects)) != len(effects):
        assert outcome not in GOOD
        verdict = next(
            v for v in checkers.check(history, ORACLE, None, TRAINING, run_id="r", engine="e") if v.checker == "effects"
        )
        assert effects == ["deploy:r1"] or verdict.verdict != "pass"
    if status is not Status.COMPLETED or timed_out:
        assert outcome not in GOOD


@settings(max_examples=300)
@given(invented(), st.sampled_from([*GOOD, "duplicated", "stuck", "lost"]), st.floats(0, 60), st.floats(0, 20))
def test_the_judge_never_breaks_and_its_parts_add_up(script: Script, outcome: str, at_s: float, down_s: float) -> None:
    found = judge.findings(case(script.history(), outcome, strikes=(strike(at_s),), down_s=down_s))
    total, *parts = (found[name].value for name in RECOVERY)
    if total is None:
        assert parts == [None] * 3
    else:
        assert sum(part for part in parts if isinstance(part, float)) == pytest.approx(total, abs=1e-6)
        assert all(isinstance(part, float) and part >= 0 for part in parts)
    assert 0 <= float(found["overlaps"].value or 0) <= len(ORDER)

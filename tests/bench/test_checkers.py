"""Every verdict and every outcome, on histories made up for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from histories import ORDER, Script, good, usual
from hypothesis import given
from hypothesis import strategies as st

from bench.contract.endpoint import RunState, StepState
from bench.contract.words import Status
from bench.judge import checkers
from bench.observe.history import Attempt, History
from core.declaration import Kind
from core.pipelines.training.pipeline import GRAPH as TRAINING

DONE = RunState(status=Status.COMPLETED)


def verdicts(history: History, state: RunState | None = DONE, **given: Any) -> dict[str, tuple[str, str]]:
    given = {"oracle": good("inline"), "makespan_s": 60.0} | given
    found = checkers.check(history, given.pop("oracle"), state, TRAINING, run_id="r1", engine="x", **given)
    return {v.checker: (v.verdict, v.reason) for v in found}


def lost_end(step: str, *, effect: bool = True) -> Script:
    """All steps up to `step`, whose attempt is lost."""
    script = Script().steps(*ORDER[: ORDER.index(step)])
    script.step(step, end="lost", effect=effect)
    return script


def test_a_good_run_passes_every_check() -> None:
    steps = {
        a.step: StepState(Status.COMPLETED, 1, a.start_utc, a.end_utc) for a in good().attempts
    } | {"notify": StepState(Status.SKIPPED)}  # fmt: skip
    found = verdicts(good(), RunState(Status.COMPLETED, steps), metrics={"accuracy": 1}, oracle_metrics={"accuracy": 1})
    assert {word for word, _ in found.values()} == {"pass"}
    assert set(checkers.GATE) <= found.keys()


def test_artifacts_fail_on_a_digest_a_missing_step_a_branch_and_a_metric() -> None:
    script = Script().steps("extract", "validate")
    script.step("features", result=usual("features") | {"digest": "other"})
    script.step("branch", result="notify")
    word, reason = verdicts(script.history(), metrics={"accuracy": 0.5}, oracle_metrics={"accuracy": 0.9})["artifacts"]
    assert word == "fail"
    for part in ("features: other instead of", "train: missing", "branch: notify instead", "metric accuracy: 0.5"):
        assert part in reason


def test_order_fails_when_a_step_overtakes_its_upstream() -> None:
    script = Script().steps("extract", "validate")
    script.write("start", "features")
    script.write("start", "train")
    script.now_s += 1
    script.write("end", "features", result=usual("features"))
    script.write("end", "train", result=usual("train"))
    assert verdicts(script.history())["order"] == ("fail", "train, attempt 1: started before features had ended")


def test_order_fails_when_the_branch_did_not_choose_the_step() -> None:
    script = Script().steps("extract", "validate", "features", "train", "evaluate")
    script.step("branch", result="notify")
    script.step("deploy")
    assert "ran though branch had not chosen it" in verdicts(script.history())["order"][1]


def test_order_fails_when_cleanup_does_not_wait_for_the_branch() -> None:
    script = Script().steps(*ORDER[:-2])
    script.write("start", "cleanup")
    script.now_s += 1
    script.write("end", "cleanup", result=None)
    assert verdicts(script.steps("deploy").history())["order"][0] == "fail"


def test_order_allows_cleanup_after_a_failure_and_again_after_the_resumed_run() -> None:
    script = Script().steps(*ORDER[:-2])
    script.step("deploy", 1, end="error")
    script.step("cleanup", 1)
    script.step("deploy", 2)
    script.step("cleanup", 2)
    assert verdicts(script.history())["order"] == ("pass", "")


def test_order_accepts_a_retry_and_knows_only_the_pipelines_steps() -> None:
    script = Script().steps("extract")
    script.step("validate", 1, end="error")
    script.step("validate", 2)
    assert verdicts(script.history())["order"][0] == "pass"
    strange = replace(good(), attempts=(replace(good().attempts[0], step="strange"),))
    assert verdicts(strange)["order"] == ("fail", "strange: not a step of training")


def test_effects_fail_when_doubled_or_missing() -> None:
    twice = Script().steps(*ORDER)
    twice.step("deploy", 2)
    assert verdicts(twice.history())["effects"] == ("fail", "deploy:r1: happened 2 times")
    assert verdicts(again("deploy", key="deploy:r2"))["effects"] == ("fail", "deploy: happened 2 times, inline 1")
    never = Script().steps(*ORDER[:-2])
    never.step("deploy", effect=False)
    assert verdicts(never.history())["effects"] == ("fail", "deploy: never happened")


@pytest.mark.parametrize(
    ("history", "status", "word"),
    [
        (good(), Status.COMPLETED, "pass"),
        (good(), Status.FAILED, "fail"),
        (lost_end("train").history(), Status.FAILED, "pass"),
        (lost_end("train").history(), Status.COMPLETED, "fail"),
    ],
)
def test_engines_record_is_compared_with_the_journal(history: History, status: Status, word: str) -> None:
    assert verdicts(history, RunState(status))["engine_record"][0] == word


def test_engines_record_of_a_step_is_compared_too() -> None:
    state = RunState(Status.FAILED, {"extract": StepState(Status.COMPLETED), "train": StepState(Status.COMPLETED)})
    word, reason = verdicts(lost_end("train").history(), state)["engine_record"]
    assert (word, reason) == ("fail", "train: the engine says completed, the journal no end")


@pytest.mark.parametrize(("shift_s", "word"), [(0.9, "pass"), (1.5, "pass"), (-0.9, "pass"), (-1.5, "fail")])
def test_an_engine_may_start_a_step_earlier_but_not_a_second_later_than_it_did(shift_s: float, word: str) -> None:
    state = RunState(Status.COMPLETED, {"extract": StepState(Status.COMPLETED, 1, "2026-01-01T00:00:03Z")})
    shifted = Script(now_s=3 + shift_s).steps(*ORDER).history()
    assert verdicts(shifted, state)["engine_times"][0] == word


@pytest.mark.parametrize(("end", "word"), [("00:00:09", "pass"), ("00:00:03", "pass"), ("00:00:01", "fail")])
def test_an_engine_may_end_a_step_later_but_not_a_second_earlier_than_it_did(end: str, word: str) -> None:
    state = RunState(Status.COMPLETED, {"extract": StepState(Status.COMPLETED, 1, None, f"2026-01-01T{end}Z")})
    history = Script(now_s=3).steps(*ORDER).history()
    assert verdicts(history, state)["engine_times"][0] == word


def test_makespan_below_its_own_bound_fails() -> None:
    assert verdicts(good(), makespan_s=8.0)["bound"][0] == "fail"
    assert verdicts(good(), makespan_s=9.8)["bound"][0] == "pass"


def test_what_cannot_be_judged_is_unknown_never_pass() -> None:
    found = verdicts(History(), None, oracle=None, makespan_s=None)
    assert {word for word, _ in found.values()} == {"unknown"}
    assert all(reason for _, reason in found.values())


def test_a_checker_that_crashes_says_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(History, "digests", lambda _: 1 / 0)
    word, reason = verdicts(good())["artifacts"]
    assert word == "unknown"
    assert "ZeroDivisionError" in reason
    broken = RunState(Status.COMPLETED, {"extract": StepState(Status.COMPLETED, 1, "yesterday")})
    assert verdicts(good(), broken)["engine_times"][0] == "unknown"


def recovered() -> Script:
    script = lost_end("train")
    script.step("train", 2)
    return script.steps("evaluate", "branch", "deploy", "cleanup")


def wrong_digest() -> History:
    script = Script().steps(*ORDER[:3])
    script.step("train", result=usual("train") | {"digest": "spoilt"})
    return script.steps(*ORDER[4:]).history()


def deployed_twice() -> History:
    script = lost_end("deploy")
    script.step("deploy", 2)
    return script.steps("cleanup").history()


def again(step: str, *, key: str = "deploy:r1") -> History:
    """The engine did not learn of the step's end, and ran it once more."""
    script = Script().steps(*ORDER)
    script.step(step, 2, effect=False)
    if step == "deploy":
        script.write("effect", step, 2, key=key)
    return script.history()


def without(*steps: str) -> History:
    return Script().steps(*(step for step in ORDER if step not in steps)).history()


OK, BAD = Status.COMPLETED, Status.FAILED
NOT_CHOSEN = Attempt(step="notify", attempt=1, start_ns=1)
OUTCOMES = [
    ("completed", good(), OK, {}),
    ("completed after recovery", recovered().history(), OK, {}),
    ("completed after recovery", good(), OK, {"faulted": True}),
    ("completed after recovery", again("train"), OK, {}),
    ("failed, reported", lost_end("train").history(), BAD, {}),
    ("failed, reported", lost_end("train").history(), BAD, {"faulted": True}),
    ("failed, reported", lost_end("train").history(), BAD, {"oracle": None}),
    ("failed, reported", History(), BAD, {}),
    ("failed as expected", lost_end("train").history(), BAD, {"expected_failure": True}),
    ("failed as expected", History(), BAD, {"expected_failure": True, "oracle": None}),
    ("duplicated", deployed_twice(), OK, {}),
    ("duplicated", deployed_twice(), BAD, {"expected_failure": True}),
    ("duplicated", deployed_twice(), None, {"timed_out": True}),
    ("duplicated", again("deploy"), OK, {"faulted": True, "oracle": None}),
    ("duplicated", again("deploy", key="deploy:r2"), OK, {}),
    ("duplicated", again("deploy"), Status.RUNNING, {"timed_out": True}),
    ("lost", good(), None, {}),
    ("lost", History(), None, {"timed_out": True}),
    ("lost", History(), OK, {}),
    ("lost", without("deploy"), OK, {}),
    ("stuck", lost_end("train").history(), Status.RUNNING, {"timed_out": True}),
    ("stuck", good(), Status.RUNNING, {"timed_out": True}),
    ("stuck", recovered().history(), Status.RETRYING, {"timed_out": True, "faulted": True}),
    ("false success", wrong_digest(), OK, {}),
    ("false success", lost_end("train").history(), OK, {}),
    ("false success", lost_end("train").history(), OK, {"expected_failure": True}),
    ("false success", good(), OK, {"expected_failure": True, "oracle": None}),
    ("false success", replace(good(), attempts=(*good().attempts, NOT_CHOSEN)), OK, {}),
    ("false failure", good(), BAD, {}),
    ("false failure", recovered().history(), BAD, {"faulted": True}),
    ("false failure", good(), BAD, {"expected_failure": True}),  # it was cancelled, and ran on to its end
    ("false failure", Script().steps(*ORDER[:-1]).history(), BAD, {"expected_failure": True}),  # and had its effect
    ("failed, reported", Script().steps(*ORDER[:-1]).history(), BAD, {}),
    ("indeterminate", good(), OK, {"oracle": None}),
    ("indeterminate", good(), OK, {"oracle": History()}),
    ("indeterminate", good(), BAD, {"oracle": None}),
    ("indeterminate", good(), Status.RUNNING, {}),
    ("indeterminate", good(), OK, {"expected_failure": True}),
]


@pytest.mark.parametrize(("word", "history", "status", "given"), OUTCOMES)
def test_outcome(word: str, history: History, status: Status | None, given: dict[str, Any]) -> None:
    assert checkers.outcome(history, status, **{"oracle": good("inline")} | given) == word


def test_every_outcome_word_has_an_example() -> None:
    assert {word for word, *_ in OUTCOMES} == set(checkers.Outcome.__args__)


@st.composite
def spoilt(draw: st.DrawFn) -> History:
    """A run with attempts lost or failed before they count, whose effects are lost or doubled."""
    script = Script()
    for step in ORDER:
        number = 1
        if step != "deploy":
            for end in draw(st.lists(st.sampled_from(["lost", "error"]), max_size=2)):
                script.step(step, number, end=end)
                number += 1
            script.step(step, number)
            continue
        tries = draw(st.lists(st.tuples(st.sampled_from(["lost", "error", "end"]), st.booleans()), max_size=4))
        for end, effect in tries:
            script.step(step, number, end=end, effect=effect)
            number += 1
    return script.history()


@given(
    history=spoilt(),
    status=st.none() | st.sampled_from(Status),
    expected_failure=st.booleans(),
    timed_out=st.booleans(),
    faulted=st.booleans(),
)
def test_completed_only_with_each_effect_once_and_all_ended(
    history: History, status: Status | None, expected_failure: bool, timed_out: bool, faulted: bool
) -> None:
    word = checkers.outcome(
        history, status, expected_failure=expected_failure, timed_out=timed_out, faulted=faulted, oracle=good("inline")
    )
    effects = [effect.kind for effect in history.effects]
    if len(effects) > 1:
        assert word == "duplicated"
    if effects != ["deploy"] or "deploy" not in history.counted():
        assert not word.startswith("completed")
    if word.startswith("completed"):
        assert status is Status.COMPLETED
        assert not timed_out
    if word == "completed":
        assert len(history.attempts) == len(ORDER)


@given(st.permutations(ORDER), st.sets(st.sampled_from(ORDER), max_size=3))
def test_order_passes_only_orders_that_respect_the_pipeline(order: list[str], absent: set[str]) -> None:
    ran = [step for step in order if step not in absent]
    history = Script().steps(*ran).history()
    if not ran:
        return
    allowed = all(
        (name in ran[: ran.index(step.name)]) or (step.kind is Kind.ALWAYS and name not in ran)
        for step in TRAINING.steps
        if step.name in ran
        for name in step.upstream
    )
    assert (verdicts(history)["order"][0] == "pass") == allowed

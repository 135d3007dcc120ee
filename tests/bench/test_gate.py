"""Every verdict, on histories made up for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from journals import ORDER, Script, again, good, lost_end, usual

from bench.contract.endpoint import RunState, StepState
from bench.contract.words import Status
from bench.judge import gate
from bench.observe.journal import Journal, parse
from bench.plan.scenarios.record import ASKED, SHOWN, Expected, Extent
from core.declaration import Graph, Kind, Step
from core.pipelines.training.pipeline import GRAPH as TRAINING

DONE = RunState(status=Status.COMPLETED)


def known(journal: Journal, state: RunState | None = DONE, graph: Graph = TRAINING, **given: Any) -> gate.Known:
    more = {"oracle": good("inline"), "makespan_s": 60.0} | given
    return gate.Known(run_id="r1", engine="x", journal=journal, state=state, graph=graph, **more)


def verdicts(journal: Journal, state: RunState | None = DONE, **given: Any) -> dict[str, tuple[str, str]]:
    return {v.checker: (v.verdict, v.reason) for v in gate.check(known(journal, state, **given))}


def test_a_good_run_passes_every_check() -> None:
    steps = {
        a.step: StepState(Status.COMPLETED, 1, a.start_utc, a.end_utc) for a in good().attempts
    } | {"notify": StepState(Status.SKIPPED)}  # fmt: skip
    found = verdicts(good(), RunState(Status.COMPLETED, steps), merits={"accuracy": 1}, oracle_merits={"accuracy": 1})
    assert {word for word, _ in found.values()} == {"pass"}
    assert set(gate.GATE) <= found.keys()


def test_artifacts_fail_on_a_digest_a_missing_step_a_branch_and_a_metric() -> None:
    script = Script().steps("extract", "validate")
    script.step("features", result=usual("features") | {"digest": "other"})
    script.step("branch", result="notify")
    word, reason = verdicts(script.journal(), merits={"accuracy": 0.5}, oracle_merits={"accuracy": 0.9})["artifacts"]
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
    assert verdicts(script.journal())["order"] == ("fail", "train, attempt 1: started before features had ended")


def test_order_fails_when_the_branch_did_not_choose_the_step() -> None:
    script = Script().steps("extract", "validate", "features", "train", "evaluate")
    script.step("branch", result="notify")
    script.step("deploy")
    assert "ran though branch had not chosen it" in verdicts(script.journal())["order"][1]


def test_order_fails_when_cleanup_does_not_wait_for_the_branch() -> None:
    script = Script().steps(*ORDER[:-2])
    script.write("start", "cleanup")
    script.now_s += 1
    script.write("end", "cleanup", result=None)
    assert verdicts(script.steps("deploy").journal())["order"][0] == "fail"


def test_order_allows_cleanup_after_a_failure_and_again_after_the_resumed_run() -> None:
    script = Script().steps(*ORDER[:-2])
    script.step("deploy", 1, end="error")
    script.step("cleanup", 1)
    script.step("deploy", 2)
    script.step("cleanup", 2)
    assert verdicts(script.journal())["order"] == ("pass", "")


def test_order_accepts_a_retry_and_knows_only_the_pipelines_steps() -> None:
    script = Script().steps("extract")
    script.step("validate", 1, end="error")
    script.step("validate", 2)
    assert verdicts(script.journal())["order"][0] == "pass"
    strange = replace(good(), attempts=(replace(good().attempts[0], step="strange"),))
    assert verdicts(strange)["order"] == ("fail", "strange: not a step of the pipeline")


def test_effects_fail_when_doubled_or_missing() -> None:
    twice = Script().steps(*ORDER)
    twice.step("deploy", 2)
    assert verdicts(twice.journal())["effects"] == ("fail", "deploy:r1: happened 2 times")
    assert verdicts(again("deploy", key="deploy:r2"))["effects"] == ("fail", "deploy: happened 2 times, inline 1")
    never = Script().steps(*ORDER[:-2])
    never.step("deploy", effect=False)
    assert verdicts(never.journal())["effects"] == ("fail", "deploy: never happened")


@pytest.mark.parametrize(
    ("journal", "status", "word"),
    [
        (good(), Status.COMPLETED, "pass"),
        (good(), Status.FAILED, "fail"),
        (lost_end("train").journal(), Status.FAILED, "pass"),
        (lost_end("train").journal(), Status.COMPLETED, "fail"),
    ],
)
def test_engines_record_is_compared_with_the_journal(journal: Journal, status: Status, word: str) -> None:
    assert verdicts(journal, RunState(status))["engine_record"][0] == word


def test_engines_record_of_a_step_is_compared_too() -> None:
    state = RunState(Status.FAILED, {"extract": StepState(Status.COMPLETED), "train": StepState(Status.COMPLETED)})
    word, reason = verdicts(lost_end("train").journal(), state)["engine_record"]
    assert (word, reason) == ("fail", "train: the engine says completed, the journal no end")


@pytest.mark.parametrize(("shift_s", "word"), [(0.9, "pass"), (1.5, "pass"), (-0.9, "pass"), (-1.5, "fail")])
def test_an_engine_may_start_a_step_earlier_but_not_a_second_later_than_it_did(shift_s: float, word: str) -> None:
    state = RunState(Status.COMPLETED, {"extract": StepState(Status.COMPLETED, 1, "2026-01-01T00:00:03Z")})
    shifted = Script(now_s=3 + shift_s).steps(*ORDER).journal()
    assert verdicts(shifted, state)["engine_times"][0] == word


@pytest.mark.parametrize(("end", "word"), [("00:00:09", "pass"), ("00:00:03", "pass"), ("00:00:01", "fail")])
def test_an_engine_may_end_a_step_later_but_not_a_second_earlier_than_it_did(end: str, word: str) -> None:
    state = RunState(Status.COMPLETED, {"extract": StepState(Status.COMPLETED, 1, None, f"2026-01-01T{end}Z")})
    journal = Script(now_s=3).steps(*ORDER).journal()
    assert verdicts(journal, state)["engine_times"][0] == word


def test_makespan_below_its_own_bound_fails() -> None:
    assert verdicts(good(), makespan_s=8.0)["bound"][0] == "fail"
    assert verdicts(good(), makespan_s=9.8)["bound"][0] == "pass"


def test_what_cannot_be_judged_is_unknown_never_pass() -> None:
    found = verdicts(Journal(), None, oracle=None, makespan_s=None)
    assert {word for word, _ in found.values()} == {"unknown"}
    assert all(reason for _, reason in found.values())


def test_a_checker_that_crashes_says_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Journal, "digests", lambda _: 1 / 0)
    word, reason = verdicts(good())["artifacts"]
    assert word == "unknown"
    assert "ZeroDivisionError" in reason
    broken = RunState(Status.COMPLETED, {"extract": StepState(Status.COMPLETED, 1, "yesterday")})
    assert verdicts(good(), broken)["engine_times"][0] == "unknown"


@given(st.permutations(ORDER), st.sets(st.sampled_from(ORDER), max_size=3))
def test_order_passes_only_orders_that_respect_the_pipeline(order: list[str], absent: set[str]) -> None:
    ran = [step for step in order if step not in absent]
    journal = Script().steps(*ran).journal()
    if not ran:
        return
    allowed = all(
        (name in ran[: ran.index(step.name)]) or (step.kind is Kind.ALWAYS and name not in ran)
        for step in TRAINING.steps
        if step.name in ran
        for name in step.upstream
    )
    assert (verdicts(journal)["order"][0] == "pass") == allowed


# --- graphs that are no line


ARMS = Graph((
    Step("look"),
    Step("choose", ("look",), Kind.BRANCH, arms=("left", "middle", "right")),
    Step("left", ("choose",)),
    Step("middle", ("choose",)),
    Step("right", ("choose",)),
    Step("after_left", ("left",)),
    Step("join", ("after_left", "middle", "right"), Kind.JOIN),
    Step("report", ("join",)),
    Step("tidy", ("report",), Kind.ALWAYS),
))  # fmt: skip
MAPPED = Graph((
    Step("list"),
    Step("each", ("list",), Kind.MAP, over="list"),
    Step("sum", ("each",)),
))  # fmt: skip


def ran(*steps: str, **results: str) -> Journal:
    """Steps one after the other; `a+b` are at work at the same time, and `a!` begins and never ends."""
    records: list[dict[str, Any]] = []

    def write(event: str, step: str, **more: Any) -> None:
        records.append({"event": event, "step": step, "attempt": 1, "t_ns": len(records) + 1, "pid": 1} | more)

    for turn in steps:
        for event in ("start", "end"):
            for step in turn.split("+"):
                if event == "start" or not step.endswith("!"):
                    write(event, step.rstrip("!"), result=results.get(step))
    return parse(records)


LEFT = ("look", "choose", "left", "after_left", "join", "report", "tidy")
ORDERS = {
    "one arm, and what it leads to": (ran(*LEFT, choose="left"), ""),
    "another arm": (ran("look", "choose", "middle", "join", "report", "tidy", choose="middle"), ""),
    "an arm that was not chosen": (
        ran("look", "choose", "left", "right", "after_left", "join", choose="left"),
        "right, attempt 1: ran though choose",
    ),
    "the join does not wait for the arm that runs": (
        ran("look", "choose", "left", "join", "after_left", choose="left"), "join, attempt 1: started before after_left"
    ),
    "the join does not wait for the chosen arm's end": (
        ran("look", "choose", "middle+join", choose="middle"), "join, attempt 1: started before middle"
    ),
    "what comes after an arm that did not run": (
        ran("look", "choose", "middle", "after_left", choose="middle"), "after_left, attempt 1: started before left"
    ),
    "nothing was chosen, and the join ran": (
        ran("look", "choose", "join", choose="none"), "join, attempt 1: ran though nothing before it had"
    ),
    "what runs always after a failure": (ran("look", "choose!", "tidy"), ""),
    "what runs always beside what comes before it": (
        ran(*LEFT[:-2], "report+tidy", choose="left"), "tidy, attempt 1: started before report"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("journal", "said"), ORDERS.values(), ids=ORDERS)
def test_order_of_three_arms_and_a_join(journal: Journal, said: str) -> None:
    word, reason = verdicts(journal, graph=ARMS)["order"]
    assert (word == "pass") == (not said)
    assert reason.startswith(said)


MAPS = {
    "all at once": (ran("list", "each_1+each_2+each_3", "sum"), ""),
    "none, for the list was empty": (ran("list", "sum"), ""),
    "one before the list is known": (ran("each_1", "list", "sum"), "each_1, attempt 1: started before list"),
    "one has not ended": (ran("list", "each_1", "each_2!", "sum"), "sum, attempt 1: started before each_2"),
    "no step of the pipeline": (ran("list", "every_1"), "every_1: not a step of the pipeline"),
}


@pytest.mark.parametrize(("journal", "said"), MAPS.values(), ids=MAPS)
def test_order_of_a_map(journal: Journal, said: str) -> None:
    word, reason = verdicts(journal, graph=MAPPED.unrolled(journal.steps()))["order"]
    assert (word == "pass") == (not said)
    assert reason.startswith(said)


def test_an_instance_that_the_plain_loop_had_is_missed() -> None:
    whole, short = ran("list", "each_1+each_2", "sum"), ran("list", "each_1", "sum")
    graph = MAPPED.unrolled((*whole.steps(), *short.steps()))
    found = verdicts(short, oracle=whole, graph=graph)
    assert found["artifacts"] == ("fail", "each_2: missing")
    assert found["order"] == ("fail", "sum, attempt 1: started before each_2 had ended")


def test_an_arm_of_many_like_steps() -> None:
    graph = Graph((
        Step("list", kind=Kind.BRANCH, arms=("each", "sum")),
        Step("each", ("list",), Kind.MAP, over="list"),
        Step("sum", ("list",)),
    ))  # fmt: skip
    chosen, other = ran("list", "each_1+each_2", list="each"), ran("list", "each_1", list="sum")
    assert verdicts(chosen, graph=graph.unrolled(chosen.steps()))["order"] == ("pass", "")
    assert "ran though list had not chosen it" in verdicts(other, graph=graph.unrolled(other.steps()))["order"][1]


# --- which verdicts mean something


SPARED = Expected(required=Extent.NONE, artifacts=Extent.NONE, forbidden=("deploy",))


@pytest.mark.parametrize(
    ("state", "expected", "checkers"),
    [
        (DONE, Expected(), set(gate.CHECKERS)),
        (DONE, SHOWN, set(gate.CHECKERS)),
        (RunState(Status.FAILED), Expected(), set(gate.WITHOUT_OUTPUT)),
        (DONE, SPARED, set(gate.WITHOUT_OUTPUT)),
        (None, Expected(), {"artifacts", "order", "effects", "bound"}),
        (DONE, ASKED, set()),
    ],
)
def test_a_run_is_judged_by_what_it_owes(state: RunState | None, expected: Expected, checkers: set[str]) -> None:
    found = gate.judged(known(good(), state), expected)
    assert {one.checker for one in found} == checkers
    assert gate.passed(found) == ("artifacts" in checkers)


def test_a_time_without_a_zone_is_utc() -> None:
    """One engine's API leaves the zone out, another's does not: both are held against the journal's."""
    steps = {
        a.step: StepState(Status.COMPLETED, 1, a.start_utc.removesuffix("+00:00"), a.end_utc.removesuffix("+00:00"))
        for a in good().attempts
    } | {"notify": StepState(Status.SKIPPED)}  # fmt: skip
    assert verdicts(good(), RunState(Status.COMPLETED, steps))["engine_times"][0] == "pass"

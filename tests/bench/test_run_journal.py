"""The journal as typed records, and the numbers drawn from it."""

from __future__ import annotations

from pathlib import Path

import pytest
from journals import ORDER, STEP_S, Script, good, usual

from bench.observe.journal import Journal, read_journal
from core.declaration import Graph, Kind, Step
from core.instrument.journal import JournalWriter
from core.pipelines.training.pipeline import GRAPH as TRAINING


def test_empty_journal_is_an_empty_history(tmp_path: Path) -> None:
    journal = read_journal(tmp_path)
    assert journal == Journal()
    assert (journal.first_start_ns(), journal.last_end_ns(), journal.isolation()) == (None, None, "none")


def test_reads_what_the_journal_writes(tmp_path: Path) -> None:
    one = JournalWriter(tmp_path, "r1", "deploy")
    one.write("start", cpu_ns=1)
    one.write("fault", kind="kill")
    one.write("effect", key="deploy:r1")
    two = JournalWriter(tmp_path, "r1", "deploy")
    two.write("start", cpu_ns=1)
    two.write("error", error="ValueError", message="no")
    journal = read_journal(tmp_path)
    assert [(a.attempt, a.outcome, a.reached_effect, a.error) for a in journal.attempts] == [
        (1, "lost", True, ""),
        (2, "error", False, "ValueError"),
    ]
    assert [(e.key, e.kind, e.attempt) for e in journal.effects] == [("deploy:r1", "deploy", 1)]
    assert [(f.kind, f.step) for f in journal.faults] == [("kill", "deploy")]
    assert journal.attempts[0].start_utc


def test_span_work_and_digests_of_a_plain_run() -> None:
    journal = good()
    assert journal.first_start_ns() == 1_000_000_000
    assert journal.last_end_ns() == pytest.approx((1 + sum(STEP_S.values()) + 0.7) * 1e9)
    assert journal.work_s() == pytest.approx(sum(STEP_S.values()))
    assert (journal.wasted_s(TRAINING), journal.duplicates(), journal.retried()) == (0, (), False)
    assert journal.digests()["train"] == "digest-train"
    assert journal.digests()["branch"] == "deploy"
    assert journal.digests()["cleanup"] == ""


def test_wasted_time_counts_errors_repeats_and_what_is_known_of_lost_attempts() -> None:
    script = Script()
    script.step("extract", 1, end="error")  # 1.0 s
    script.step("extract", 2)  # 1.0 s, repeated below
    script.step("extract", 3)
    script.step("deploy", 1, end="lost")  # its effect is known, 0.3 s after the start
    script.step("deploy", 2)
    journal = script.journal()
    assert journal.wasted_s(TRAINING) == pytest.approx(1.0 + 1.0 + 0.3)
    assert journal.work_s() == pytest.approx(2.0 + 0.3)
    assert journal.duplicates() == ("deploy:r1",)
    assert journal.effect_kinds() == {"deploy": 2}
    assert [a.attempt for a in journal.attempts_of("extract")] == [1, 2, 3]


def test_wasted_is_the_attempt_with_which_the_run_did_not_go_on() -> None:
    script = Script()
    script.write("start", "train", 1)  # called lost, and tried again beside it
    script.now_s += 10
    script.step("train", 2)
    script.now_s += 5
    script.write("end", "train", 1, result=None)
    journal = script.journal()
    first, second = journal.attempts_of("train")
    assert journal.wasted_s(TRAINING) == pytest.approx(first.time_s)
    assert first.time_s > 15 > second.time_s


def test_a_kill_from_outside_says_how_long_the_lost_attempt_lived() -> None:
    script = Script()
    script.step("train", 1, end="lost")
    started_ns = script.records[0]["t_ns"]
    script.step("train", 2)
    assert script.journal().wasted_s(TRAINING) == 0
    assert script.journal().wasted_s(TRAINING, killed_ns=started_ns + 2_500_000_000) == pytest.approx(2.5)


def test_transitions_are_from_the_last_upstream_to_the_first_start() -> None:
    script = Script().steps("extract")
    script.now_s += 1.9
    script.step("validate", 1, end="error")
    script.now_s += 5
    script.step("validate", 2)
    script.steps("features", "train")
    transitions = script.journal().transitions(TRAINING)
    assert transitions["validate"] == pytest.approx(2.0)
    assert transitions["features"] == pytest.approx(0.1)
    assert "extract" not in transitions


def test_a_step_whose_upstream_never_ran_has_no_transition_though_others_did() -> None:
    """Of several upstreams those that ran count; a step that did not run has none, whatever its upstreams did."""
    first, absent = Step("extract"), Step("validate")
    joined, alone, late = (Step("features", ("extract", "validate")), Step("train", ("validate",)),
                           Step("evaluate", ("extract",)))  # fmt: skip
    ran = Script().steps("extract", "features", "train").journal()
    assert ran.transitions(Graph((first, absent, joined, alone, late))).keys() == {"features"}


def test_what_begins_beside_a_step_does_not_say_with_which_attempt_the_run_went_on() -> None:
    """Only a step after it does: `validate` comes after nothing, and begins between the two ends of `extract`."""
    graph = Graph((Step("extract"), Step("validate"), Step("features", ("extract",))))
    script = Script()
    for step, attempt in (("extract", 1), ("validate", 1), ("extract", 2), ("features", 1)):
        script.step(step, attempt)
    kept = {(one.step, one.attempt) for one in script.journal().effective(graph)}
    assert kept == {("extract", 2), ("validate", 1), ("features", 1)}


def test_where_all_attempts_ended_after_the_next_step_began_the_run_went_on_with_the_first_that_ended() -> None:
    script, graph = Script(), Graph((Step("extract"), Step("validate", ("extract",))))
    for attempt in (1, 2):
        script.write("start", "extract", attempt)
        script.now_s += 1
    script.step("validate")
    for attempt in (1, 2):
        script.write("end", "extract", attempt, result=usual("extract"))
        script.now_s += 1
    kept = {(one.step, one.attempt) for one in script.journal().effective(graph)}
    assert kept == {("extract", 1), ("validate", 1)}


def test_transition_of_a_join_is_from_the_branch_that_ran() -> None:
    assert good().transitions(TRAINING)["cleanup"] == pytest.approx(0.1)


def test_overhead_is_what_exceeds_inlines_critical_path() -> None:
    journal = good()
    total = sum(STEP_S.values())
    assert journal.overhead_s(total + 3, STEP_S, 4, TRAINING) == pytest.approx(3)
    halved = {step: seconds / 2 for step, seconds in STEP_S.items()}
    assert journal.overhead_s(total, halved, 4, TRAINING) == pytest.approx(total / 2)
    assert journal.step_slowdown(halved) == pytest.approx(2)


@pytest.mark.parametrize(("parallelism", "bound_s"), [(1, 6), (2, 3), (3, 3), (100, 3)])
def test_bound_is_the_longer_of_path_and_shared_work(parallelism: int, bound_s: float) -> None:
    first, last = Step("extract"), Step("cleanup", ("validate", "features", "train", "evaluate"), Kind.ALWAYS)
    middle = [Step(name, ("extract",)) for name in last.upstream]
    wide = Graph((first, *middle, last))
    journal = Script().steps(*(step.name for step in wide.steps)).journal()
    assert journal.bound_s(dict.fromkeys(ORDER, 1.0), parallelism, wide) == pytest.approx(bound_s)
    assert good().bound_s(dict.fromkeys(ORDER, 1.0), parallelism, TRAINING) == len(ORDER)  # a chain


def test_no_overhead_with_retries_or_unknown_steps() -> None:
    script = Script()
    script.step("extract", 1, end="error")
    script.step("extract", 2)
    assert script.journal().overhead_s(10, STEP_S, 1, TRAINING) is None
    assert good().overhead_s(10, {"extract": 1.0}, 1, TRAINING) is None
    assert Journal().overhead_s(10, STEP_S, 1, TRAINING) is None
    assert good().step_slowdown({}) is None


@pytest.mark.parametrize(
    ("pids", "threads", "isolation"),
    [
        pytest.param((1, 2, 3), (1, 2, 3), "process per step", id="processes"),
        pytest.param((1, 1, 1), (1, 2, 1), "threads", id="threads"),
        pytest.param((1, 1, 1), (1, 1, 1), "in-process", id="in-process"),
        pytest.param((1, 1, 2), (1, 1, 2), "in-process", id="in-process, restarted"),
        pytest.param((1,), (1,), "none", id="one step tells nothing"),
    ],
)
def test_isolation_is_measured(pids: tuple[int, ...], threads: tuple[int, ...], isolation: str) -> None:
    script = Script()
    for step, script.pid, script.thread in zip(ORDER, pids, threads, strict=False):
        script.step(step)
    assert script.journal().isolation() == isolation

"""Invented histories, which must never pass for right, and in which the judge's numbers must hold together."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journals import ORDER, Script, case, good, strike

from bench.contract.records import Strike
from bench.contract.words import Status
from bench.judge import aftermath as judge
from bench.judge import findings, gate
from bench.judge.outcome import OUTCOMES, outcome
from bench.judge.recovery_time import RECOVERY
from bench.observe.journal import Attempt, Journal, parse
from core.pipelines.training.pipeline import GRAPH as TRAINING

ORACLE = good("oracle")
GOOD = ("completed", "completed after recovery")


@st.composite
def invented(draw: st.DrawFn) -> Script:
    """Steps in any order, each tried and ended in any way, on any process, with gaps and overlaps in time."""
    script = Script()
    for _ in range(draw(st.integers(0, 14))):
        name = draw(st.sampled_from(ORDER))
        script.pid = draw(st.integers(100, 103))
        number = 1 + sum(r["step"] == name and r["event"] == "start" for r in script.records)
        if draw(st.integers(0, 4)) == 0:
            script.write("fault", name, number, kind=draw(st.sampled_from(["kill", "slow"])))
        end = draw(st.sampled_from(["end", "end", "error", "lost"]))
        script.step(name, number, end=end, effect=draw(st.booleans()))
        script.now_s = max(0.5, script.now_s + draw(st.floats(-3, 3)))
    return script


@st.composite
def recovering(draw: st.DrawFn) -> Script:
    """A run that came right: of each step any number of attempts are lost, fail, or live beside the next one."""
    script = Script()
    for name in ORDER:
        script.pid = draw(st.integers(100, 103))
        for number in range(1, draw(st.integers(1, 3)) + 1):
            end = draw(st.sampled_from(["error", "lost", "end"]))
            script.step(name, number, end=end, effect=False)
            script.now_s = max(0.5, script.now_s + draw(st.floats(-2, 5)))
        script.step(name, 9)
        script.now_s += draw(st.floats(0, 5))
    return script


@st.composite
def strikes(draw: st.DrawFn) -> tuple[Strike, ...]:
    """Any faults from outside, healed or not."""
    return tuple(
        strike(at_s, draw(st.integers(100, 103)), draw(st.sampled_from(["kill", "crash", "pause", "restart"])), healed)
        for at_s in draw(st.lists(st.floats(0.1, 60), max_size=2))
        for healed in [draw(st.sampled_from([0.0, at_s + 1, at_s + 20]))]
    )


statuses = st.sampled_from([*Status, None])


def effects_verdict(journal: Journal) -> str:
    found = gate.check(gate.Known(journal=journal, oracle=ORACLE, state=None, graph=TRAINING, run_id="r", engine="e"))
    return next(one.verdict for one in found if one.checker == "effects")


@settings(max_examples=100)
@given(invented(), statuses, st.booleans(), st.booleans())
def test_no_invented_history_with_something_lost_or_doubled_passes(
    script: Script, status: Status | None, timed_out: bool, faulted: bool
) -> None:
    journal = script.journal()
    word = outcome(journal, status, timed_out=timed_out, oracle=ORACLE, faulted=faulted)
    kinds = [effect.kind for effect in journal.effects]
    if journal.digests() != ORACLE.digests() or kinds != ["deploy"] or status is not Status.COMPLETED or timed_out:
        assert word not in GOOD
    if kinds != ["deploy"]:
        assert effects_verdict(journal) == "fail"


@settings(max_examples=100)
@given(st.data(), recovering() | st.builds(lambda: Script().steps(*ORDER)), st.booleans())
def test_no_single_loss_or_doubling_escapes(data: st.DataObject, script: Script, faulted: bool) -> None:
    """A right run, from whose journal one end or effect is taken, or in which one effect is doubled."""

    def told(records: list[dict[str, Any]]) -> tuple[str, str]:
        journal = parse(records)
        return outcome(journal, Status.COMPLETED, oracle=ORACLE, faulted=faulted), effects_verdict(journal)

    whole = script.records
    assert told(whole) in [(word, "pass") for word in GOOD]
    effect = next(record for record in whole if record["event"] == "effect")
    lost = [record for record in whole if record is not effect]
    doubled = [*whole, effect | data.draw(st.sampled_from([{}, {"attempt": 8}, {"key": "deploy:another"}]))]
    assert told(lost)[0] not in GOOD
    assert told(lost)[1] == "fail"
    assert told(doubled) == ("duplicated", "fail")
    step = data.draw(st.sampled_from(ORDER))
    endless = [record for record in whole if (record["event"], record["step"]) != ("end", step)]
    assert told(endless)[0] not in GOOD


@settings(max_examples=100)
@given(invented() | recovering(), st.sampled_from(OUTCOMES), strikes(), st.floats(0, 20), st.booleans())
def test_the_judge_never_breaks_and_its_parts_add_up(
    script: Script, word: str, struck: tuple[Strike, ...], down_s: float, right: bool
) -> None:
    journal = script.journal()
    found = findings.findings(case(journal, word, strikes=struck, down_s=down_s, right=right))
    values = [found[name].value for name in RECOVERY]
    if None in values:
        assert values == [None] * len(RECOVERY)
        assert all(found[name].note for name in RECOVERY)
    else:
        assert word in ("completed after recovery", "duplicated")
        assert right
        assert judge.correct(journal, ORACLE)
        total, *parts = (float(value or 0) for value in values)
        assert sum(parts) == pytest.approx(total, abs=1e-6)
        assert min(parts) >= 0
        assert total > 0


def last_s(one: Attempt, struck: tuple[Strike, ...]) -> int:
    kills = [each.t_ns for each in struck if each.action in ("kill", "crash") and one.pid in each.pids]
    return one.end_ns if one.end_ns is not None else max([one.last_ns, *kills])


@settings(max_examples=100)
@given(invented() | recovering(), strikes(), st.permutations(range(1, 10)))
def test_overlaps_are_the_same_whichever_attempt_is_called_the_first(
    script: Script, struck: tuple[Strike, ...], numbers: list[int]
) -> None:
    journal = script.journal()
    found = judge.overlaps(journal, struck)
    assert found == judge.overlaps(journal, tuple(reversed(struck)))
    other = [r | {"attempt": numbers[r["attempt"] - 1] if r["attempt"] < 10 else r["attempt"]} for r in script.records]
    assert found == judge.overlaps(parse(other), struck)
    shared = {
        one.step
        for one, two in combinations(journal.attempts, 2)
        if one.step == two.step and max(one.start_ns, two.start_ns) < min(last_s(one, struck), last_s(two, struck))
    }
    assert len(shared) <= found <= len(journal.steps())

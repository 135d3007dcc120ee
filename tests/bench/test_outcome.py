"""Every outcome, on histories made up for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from journals import ORDER, Script, again, good, lost_end, usual

from bench.contract.words import Status
from bench.judge.outcome import OUTCOMES, RANK, effects_once, outcome, rank, right
from bench.observe.journal import Attempt, Journal
from bench.plan.scenarios.record import ASKED, RIGHT, SHOWN, STOPPED, Expected, Extent


def recovered() -> Script:
    script = lost_end("train")
    script.step("train", 2)
    return script.steps("evaluate", "branch", "deploy", "cleanup")


def wrong_digest() -> Journal:
    script = Script().steps(*ORDER[:3])
    script.step("train", result=usual("train") | {"digest": "spoilt"})
    return script.steps(*ORDER[4:]).journal()


def deployed_twice() -> Journal:
    script = lost_end("deploy")
    script.step("deploy", 2)
    return script.steps("cleanup").journal()


def without(*steps: str) -> Journal:
    return Script().steps(*(step for step in ORDER if step not in steps)).journal()


def not_deployed() -> Journal:
    """All ran, and the step with the effect had none."""
    script = Script().steps(*ORDER[: ORDER.index("deploy")])
    script.step("deploy", effect=False)
    return script.steps("cleanup").journal()


OK, BAD = Status.COMPLETED, Status.FAILED
NONE = Extent.NONE
REFUSES = Expected((BAD,), NONE, NONE, forbidden=("deploy",))
"""Data that must be refused."""
HELD_BACK = Expected((OK,), NONE, NONE, forbidden=("deploy",))
"""A model that must not be promoted."""
ELSE_ALIKE = Expected((OK,), forbidden=("deploy",))
NOT_CHOSEN = Attempt(step="notify", attempt=1, start_ns=1)
EXAMPLES = [
    ("completed", good(), OK, {}),
    ("completed after recovery", recovered().journal(), OK, {}),
    ("completed after recovery", good(), OK, {"faulted": True}),
    ("completed after recovery", again("train"), OK, {}),
    ("completed with help", good(), OK, {"faulted": True, "helped": True}),
    ("completed with help", recovered().journal(), OK, {"helped": True}),
    ("duplicated", again("deploy"), OK, {"helped": True}),  # both submissions were heard
    ("failed, reported", lost_end("train").journal(), BAD, {"helped": True}),
    ("failed, reported", lost_end("train").journal(), BAD, {}),
    ("failed, reported", lost_end("train").journal(), BAD, {"faulted": True}),
    ("failed, reported", lost_end("train").journal(), BAD, {"oracle": None}),
    ("failed, reported", Journal(), BAD, {}),
    ("failed as expected", lost_end("train").journal(), BAD, {"expected": ASKED}),
    ("failed as expected", Journal(), BAD, {"expected": ASKED, "oracle": None}),
    ("duplicated", deployed_twice(), OK, {}),
    ("duplicated", deployed_twice(), BAD, {"expected": ASKED}),
    ("duplicated", deployed_twice(), None, {"timed_out": True}),
    ("duplicated", again("deploy"), OK, {"faulted": True, "oracle": None}),
    ("duplicated", again("deploy", key="deploy:r2"), OK, {}),
    ("duplicated", again("deploy"), Status.RUNNING, {"timed_out": True}),
    ("lost", good(), None, {}),
    ("lost", Journal(), None, {"timed_out": True}),
    ("lost", Journal(), OK, {}),
    ("lost", without("deploy"), OK, {}),
    ("stuck", lost_end("train").journal(), Status.RUNNING, {"timed_out": True}),
    ("stuck", good(), Status.RUNNING, {"timed_out": True}),
    ("stuck", recovered().journal(), Status.RETRYING, {"timed_out": True, "faulted": True}),
    ("false success", wrong_digest(), OK, {}),
    ("false success", lost_end("train").journal(), OK, {}),
    ("false success", lost_end("train").journal(), OK, {"expected": ASKED}),
    ("false success", good(), OK, {"expected": ASKED, "oracle": None}),
    ("false success", replace(good(), attempts=(*good().attempts, NOT_CHOSEN)), OK, {}),
    ("false failure", good(), BAD, {}),
    ("false failure", recovered().journal(), BAD, {"faulted": True}),
    ("false failure", good(), BAD, {"expected": ASKED}),  # it was cancelled, and ran on to its end
    ("false failure", Script().steps(*ORDER[:-1]).journal(), BAD, {"expected": ASKED}),  # and had its effect
    ("failed, reported", Script().steps(*ORDER[:-1]).journal(), BAD, {}),
    ("indeterminate", good(), OK, {"oracle": None}),
    ("indeterminate", good(), OK, {"oracle": Journal()}),
    ("indeterminate", good(), BAD, {"oracle": None}),
    ("indeterminate", good(), Status.RUNNING, {}),
    ("indeterminate", good(), OK, {"expected": ASKED}),
    ("cancel ignored", good(), OK, {"expected": STOPPED}),
    ("cancel ignored", recovered().journal(), OK, {"expected": STOPPED}),
    ("false success", lost_end("train").journal(), OK, {"expected": STOPPED}),
    ("failed as expected", lost_end("train").journal(), BAD, {"expected": STOPPED}),
    ("failed, reported", lost_end("train").journal(), BAD, {"expected": SHOWN}),
    ("completed", good(), OK, {"expected": SHOWN}),
    ("refused as expected", lost_end("features").journal(), BAD, {"expected": REFUSES}),
    ("refused as expected", Journal(), BAD, {"expected": REFUSES, "oracle": None}),
    ("false failure", Script().steps(*ORDER[:-1]).journal(), BAD, {"expected": REFUSES}),  # it was deployed
    ("false success", without("deploy"), OK, {"expected": REFUSES}),  # as if the data had been good
    ("stuck", lost_end("train").journal(), Status.RUNNING, {"expected": REFUSES, "timed_out": True}),
    ("duplicated", deployed_twice(), BAD, {"expected": REFUSES}),
    ("refused as expected", not_deployed(), OK, {"expected": HELD_BACK}),
    ("false success", good(), OK, {"expected": HELD_BACK}),
    ("failed, reported", lost_end("train").journal(), BAD, {"expected": HELD_BACK}),
    ("refused as expected", not_deployed(), OK, {"expected": ELSE_ALIKE}),
    ("false success", wrong_digest(), OK, {"expected": ELSE_ALIKE}),
    ("indeterminate", not_deployed(), OK, {"expected": ELSE_ALIKE, "oracle": None}),
]


@pytest.mark.parametrize(("word", "journal", "status", "given"), EXAMPLES)
def test_outcome(word: str, journal: Journal, status: Status | None, given: dict[str, Any]) -> None:
    assert outcome(journal, status, **{"oracle": good("inline")} | given) == word


def test_every_outcome_word_has_an_example() -> None:
    assert {word for word, *_ in EXAMPLES} == set(OUTCOMES)


@st.composite
def spoilt(draw: st.DrawFn) -> Journal:
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
    return script.journal()


@given(
    journal=spoilt(),
    status=st.none() | st.sampled_from(Status),
    expected=st.sampled_from([RIGHT, SHOWN, ASKED]),
    timed_out=st.booleans(),
    faulted=st.booleans(),
)
def test_completed_only_with_each_effect_once_and_all_ended(
    journal: Journal, status: Status | None, expected: Expected, timed_out: bool, faulted: bool
) -> None:
    word = outcome(journal, status, expected, timed_out=timed_out, faulted=faulted, oracle=good("inline"))
    effects = [effect.kind for effect in journal.effects]
    if len(effects) > 1:
        assert word == "duplicated"
    if effects != ["deploy"] or "deploy" not in journal.counted():
        assert not word.startswith("completed")
    if word.startswith("completed"):
        assert status is Status.COMPLETED
        assert not timed_out
    if word == "completed":
        assert len(journal.attempts) == len(ORDER)


@pytest.mark.parametrize(
    ("word", "expected", "told"),
    [
        ("completed", RIGHT, True),
        ("completed after recovery", RIGHT, True),
        ("failed, reported", RIGHT, False),
        ("failed, reported", SHOWN, True),
        ("completed", SHOWN, False),
        ("failed as expected", ASKED, True),
        ("refused as expected", REFUSES, True),
        ("failed, reported", HELD_BACK, False),
        ("duplicated", SHOWN, False),
        ("indeterminate", RIGHT, False),
        ("completed with help", RIGHT, False),
        ("cancel ignored", ASKED, False),
    ],
)
def test_what_is_right_depends_on_what_is_expected(word: str, expected: Expected, told: bool) -> None:
    assert right(word, expected) == told


def test_outcomes_have_ranks() -> None:
    assert rank("completed") == rank("refused as expected") > rank("completed with help") > rank("failed, reported")
    assert rank("failed, reported") == rank("failed as expected") > rank("not supported") > rank("indeterminate")
    assert rank("stuck") == rank("cancel ignored") < min(RANK.values())


def test_effects_happen_once_if_as_often_as_in_the_plain_loop() -> None:
    assert effects_once(good(), good("inline"))
    assert not effects_once(deployed_twice(), good("inline"))
    assert not effects_once(not_deployed(), good("inline"))


def test_one_kind_of_effect_too_often_is_enough_to_be_duplicated() -> None:
    """Also where another kind happened as often as in the plain loop, and under a key of its own."""
    expected, journal = Script().steps(*ORDER[:-1]), Script().steps(*ORDER[:-1])
    for script, keys in ((expected, ("mail:1", "bill:1")), (journal, ("mail:1", "bill:1", "bill:2"))):
        for key in keys:
            script.write("effect", "cleanup", key=key)
    assert outcome(journal.journal(), Status.COMPLETED, oracle=expected.journal()) == "duplicated"

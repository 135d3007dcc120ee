"""The exact paired test over families of faults: published figures, and what counts as a pair."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.analyse.families import FAMILIES, contests, first_runs, holm, mcnemar_p
from bench.analyse.outcomes import came_right, distribution, fisher_p, with_runs, worst
from bench.contract.records import Sample
from bench.plan.scenarios import SCENARIOS

GOOD, BAD = "completed after recovery", "stuck"


def struck(engine: str, scenario: str, *runs: str | None, **more: str) -> list[Sample]:
    plain = {"engine": engine, "track": "tuned", "pipeline": "training", "unit": "text"} | more
    return [Sample(metric=f"recovery.{scenario}.outcome", value=value, **plain) for value in runs]  # type: ignore[arg-type]


def met(samples: Sequence[Sample], engines: Sequence[str] = ("a", "b")):  # noqa: ANN201 - what it tests
    return contests(first_runs(samples, "tuned", "training"), engines)


@pytest.mark.parametrize(
    ("split", "p"), [((0, 0), 1.0), ((5, 0), 0.0625), ((6, 0), 0.03125), ((7, 0), 0.015625), ((1, 7), 0.0703125)]
)
def test_mcnemar_is_the_binomial_test_of_the_split(split: tuple[int, int], p: float) -> None:
    assert mcnemar_p(*split) == pytest.approx(p)
    assert mcnemar_p(*reversed(split)) == pytest.approx(p)


def test_holm_gives_the_published_example() -> None:
    """Four hypotheses: Wikipedia, Holm-Bonferroni method, example (0.01, 0.04, 0.03, 0.005)."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


@settings(deadline=None)  # a busy host is no fault of the test
@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_keeps_the_order_and_lies_between_one_test_and_bonferronis(ps: list[float]) -> None:
    adjusted = holm(ps)
    assert all(p <= found <= min(1.0, len(ps) * p) + 1e-12 for p, found in zip(ps, adjusted, strict=True))
    ranked = [found for _, found in sorted(zip(ps, adjusted, strict=True))]
    assert all(one <= other for one, other in pairwise(ranked))


def test_four_of_four_against_none_is_the_least_that_fisher_tells_apart() -> None:
    assert fisher_p(4, 4, 0, 4) == pytest.approx(1 / 35)
    assert fisher_p(3, 3, 0, 3) == pytest.approx(0.1)
    assert fisher_p(4, 4, 1, 4) > 0.05


def test_a_family_is_what_is_struck_and_how() -> None:
    assert {FAMILIES[key] for key in ("step_killed", "step_exits", "torn_write")} == {"heavy step, kill"}
    assert FAMILIES["killed_before_acknowledgement"] == "effect step, kill"
    assert FAMILIES["worker_killed"] == "worker, kill" != FAMILIES["worker_crashed"]
    assert FAMILIES["api_killed"] == FAMILIES["api_killed_during_submit"]


def test_what_people_do_and_what_cannot_complete_is_of_no_family() -> None:
    for key in ("permanent_error", "empty_output", "resume_after_fix", "cancel", "backfill_killed"):
        assert not SCENARIOS[key].family


def test_all_scenarios_of_a_family_make_one_pair() -> None:
    ours = [*struck("a", "step_killed", GOOD), *struck("a", "step_exits", BAD), *struck("a", "torn_write", GOOD)]
    theirs = [*struck("b", "step_killed", GOOD), *struck("b", "step_exits", GOOD)]
    (found,) = met([*ours, *theirs])
    assert (found.families, found.both, found.only_one, found.only_other) == (1, 0, (), ("heavy step, kill",))


def test_only_what_struck_both_counts() -> None:
    ours = [*struck("a", "api_killed", GOOD), *struck("a", "run_killed", None, note="not struck: too late")]
    theirs = [*struck("b", "api_killed", GOOD), *struck("b", "run_killed", BAD), *struck("b", "run_paused", BAD)]
    (found,) = met([*ours, *theirs])
    assert (found.families, found.both, found.neither) == (1, 1, 0)
    assert met(struck("a", "api_killed", GOOD)) == ()


def test_the_first_run_counts_and_other_tracks_pipelines_and_what_failed_do_not() -> None:
    ours = struck("a", "step_killed", GOOD, BAD, BAD)
    other = [*struck("b", "step_killed", GOOD, track="stock"), *struck("b", "step_killed", GOOD, pipeline="other")]
    (found,) = met([*ours, *other, *struck("b", "step_killed", BAD, GOOD)])
    assert (found.only_one, found.only_other) == (("heavy step, kill",), ())


def families(engine: str, right: int, of: int) -> list[Sample]:
    keys = list({family: key for key, family in FAMILIES.items()}.values())[:of]
    return [one for n, key in enumerate(keys) for one in struck(engine, key, GOOD if n < right else BAD)]


@pytest.mark.parametrize(("alone", "ahead"), [(6, ""), (7, "a")])
def test_three_engines_need_seven_families_and_two_six(alone: int, ahead: str) -> None:
    three = [*families("a", alone, 12), *families("b", 0, 12), *families("c", alone, 12)]
    found = {(one.one, one.other): one for one in met(three, ("a", "b", "c"))}
    assert found["a", "b"].ahead == ahead
    assert found["b", "c"].ahead == ("c" if ahead else "")
    assert found["a", "c"].ahead == ""
    (two,) = met([*families("a", 6, 12), *families("b", 0, 12)])
    assert (two.ahead, two.p, two.adjusted) == ("a", 0.03125, 0.03125)


def test_outcomes_are_told_as_a_distribution_with_every_part() -> None:
    assert distribution({"completed": 3, "duplicated": 1}) == "3 of 4 completed, 1 duplicated"
    assert distribution({"stuck": 1, "failed, reported": 2}) == "2 of 3 failed, reported; 1 stuck"
    assert distribution({"completed": 4}) == "completed"
    assert (with_runs({"completed": 4}), with_runs({"completed": 1})) == ("4 of 4 completed", "completed")


def test_the_worst_part_is_that_for_what_the_scenario_expects() -> None:
    name = "recovery.step_killed.outcome"
    assert worst(name, {"completed": 3, "duplicated": 1}) == "duplicated"
    assert worst(name, {"indeterminate": 3, "failed, reported": 1}) == "indeterminate"
    assert came_right(name, {"completed": 3, GOOD: 1, "stuck": 2}) == 4
    assert came_right("recovery.permanent_error.outcome", {"failed, reported": 2, "completed": 1}) == 2

"""A session that failed before it could say what it is belongs to the arm that it is of."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from made_results import sample

from bench.analyse.placing import placed
from bench.analyse.summary import summarise
from bench.contract.records import Sample

METRIC = "runtime.makespan_s"


def failure(session: int, **more: Any) -> Sample:
    """As the campaign leaves it: it knows no version, and no isolation."""
    return sample(None, session, **{"version": "", "isolation": "none", "note": "failed: not ready"} | more)


def test_failures_of_a_session_are_in_the_record_of_its_arm_whichever_came_first() -> None:
    for failed, came in ((1, 2), (2, 1)):
        (record,) = summarise([failure(failed), sample(6.0, came)])
        assert (record.version, record.isolation, record.value, record.n) == ("3.3.2", "process per step", 6.0, 1)
        assert record.note == "1 of 2 sessions failed: not ready"


def test_an_arm_that_never_came_up_is_a_row_of_its_own() -> None:
    (record,) = summarise([failure(1), failure(2)])
    assert (record.version, record.isolation, record.value) == ("", "none", None)


def test_the_version_is_known_from_another_metric_too() -> None:
    (_, record) = summarise([sample(3.0, metric="setup.initialise_s", isolation="none"), failure(2)])
    assert (record.metric, record.version, record.isolation) == (METRIC, "3.3.2", "none")


def test_a_failure_is_given_to_no_other_arm() -> None:
    others = (
        {"engine": "prefect"}, {"track": "stock"}, {"mode": "local"}, {"isolation": "threads", "engine": "other"},
    )  # fmt: skip
    for other in others:
        first, _ = summarise([failure(1), sample(6.0, 2, **other)])
        assert (first.version, first.isolation) == ("", "none")


def test_of_several_isolations_or_versions_none_is_guessed() -> None:
    both = [sample(6.0, 1), sample(7.0, 2, isolation="threads", version="4.0")]
    assert placed([*both, failure(3)])[-1] == failure(3)


@given(st.lists(st.sampled_from([sample(6.0), sample(None, note="not supported: no"), failure(2), sample("text")])))
def test_only_failures_are_placed_and_nothing_is_lost(samples: list[Sample]) -> None:
    found = placed(samples)
    assert [one.value for one in found] == [one.value for one in samples]
    assert all(one == was for one, was in zip(found, samples, strict=True) if was != failure(2))
    assert placed(found) == found

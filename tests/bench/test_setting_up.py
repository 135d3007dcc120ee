"""The whole setup: from as many installations and bring-ups as there were, each counted by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bench.analyse.setting_up import PARTS, TOTAL, total, with_totals
from bench.analyse.summary import summarise
from bench.contract.records import NO_PIPELINE, Record, Sample
from bench.questions.setup import OFFLINE

RESULTS = 4000


def sample(metric: str, value: float | None, session: int, **more: Any) -> Sample:
    plain = {"engine": "one", "version": "1", "track": "tuned", "mode": "served", "pipeline": "training", "unit": "s"}
    return Sample(**{**plain, "metric": metric, "value": value, "session": session, "block": session, **more})


def installed(value: float, session: int) -> Sample:
    return sample("setup.environment_s", value, session, track="none", mode="none", pipeline=NO_PIPELINE)


def brought_up(seconds: float, session: int) -> list[Sample]:
    return [sample(name, seconds / len(PARTS), session) for name in PARTS]


def totals(samples: list[Sample]) -> list[Record]:
    return [one for one in with_totals(summarise(samples), samples) if one.metric == TOTAL]


def test_two_installations_are_two_however_many_sessions_there_were() -> None:
    samples = [installed(10.0, 1), installed(14.0, 2)]
    samples += [one for session in range(1, 6) for one in brought_up(20.0 + session, session)]
    (record,) = totals(samples)
    assert (record.value, record.n) == (pytest.approx(12.0 + 23.0), 2)
    assert record.note == "2 installed, 5 brought up"
    assert record.ci_low is not None
    assert record.ci_high is not None
    alone = np.std([10.0, 14.0], ddof=1) / np.sqrt(2)
    assert record.ci_high - 35.0 > 5 * alone  # at two values the interval is as wide as it has to be


def test_intervals_hold_the_true_sum_in_95_percent() -> None:
    random = np.random.default_rng(1)
    inside = []
    for _ in range(RESULTS):
        _, low, high = total(random.normal(12, 1.5, 2), random.normal(25, 1.5, 5))  # type: ignore[arg-type]
        assert low is not None
        assert high is not None
        inside.append(low <= 37 <= high)
    assert np.mean(inside) >= 0.94


def test_what_was_measured_before_and_after_a_resumption_is_one_total() -> None:
    """The session that came after had no installation of its own."""
    (record,) = totals([installed(10.0, 1), *brought_up(20.0, 1), *brought_up(22.0, 2)])
    assert (record.value, record.ci_low, record.n) == (pytest.approx(31.0), None, 1)


def test_a_session_without_all_parts_is_no_bring_up() -> None:
    assert totals([installed(10.0, 1), *brought_up(20.0, 1)[:-1]]) == []
    assert totals(brought_up(20.0, 1)) == []


def test_a_failure_stands_in_the_note() -> None:
    failed = sample(TOTAL, None, 2, note="failed: no answer")
    (record,) = totals([installed(10.0, 1), *brought_up(20.0, 1), failed])
    assert (record.value, record.note) == (pytest.approx(30.0), "1 installed, 1 brought up; failed: no answer")
    (alone,) = totals([failed])
    assert (alone.value, alone.note) == (None, "failed: no answer")


def test_totals_that_earlier_versions_stored_stay() -> None:
    samples = [installed(10.0, 1), *brought_up(20.0, 1), sample(TOTAL, 31.0, 1)]
    assert [one.value for one in totals(samples)] == [31.0]


@pytest.mark.parametrize(
    ("said", "offline"),
    [
        ("error sending request for url (https://index.example/one/)", True),
        ("Packages were unavailable because the network was disabled. one==1 was not found in the cache", True),
        ("Failed to fetch: `https://index.example/one.whl`: HTTP status client error (403 Forbidden)", False),
    ],
)
def test_only_where_nothing_answers_is_there_no_index(said: str, offline: bool) -> None:
    assert bool(OFFLINE.search(said)) == offline

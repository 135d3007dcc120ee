"""Shares of trials: their intervals, and how they are compared. Published examples are the truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_results import Made, sample

from bench.analyse.change import change
from bench.analyse.sides import Identity, Values, load, of_arms, of_results
from bench.analyse.summary import summarise, wilson
from bench.contract.records import Record, Sample
from reports.pages.pairs import Row, pair, within_result
from reports.pages.wording import Names

SWEPT = Identity("airflow", "tuned", "served", "training", "{}", "recovery.sweep.completed")


def trials(*values: float | None, **more: Any) -> list[Sample]:
    return [sample(value, **({"metric": SWEPT.metric, "unit": "proportion"} | more)) for value in values]


def held(successes: int, n: int, **more: Any) -> list[Sample]:
    """So many trials, of which so many held, in two sessions."""
    values = [1.0] * successes + [0.0] * (n - successes)
    return [one for index, value in enumerate(values) for one in trials(value, session=1 + index % 2, **more)]


def summarised(samples: list[Sample]) -> Record:
    (record,) = summarise(samples)
    return record


def row(tmp_path: Path, before: list[Sample], after: list[Sample]) -> Row:
    """How `compare` shows the two."""
    folders = [Made(some).write(tmp_path / name) for name, some in (("one", before), ("other", after))]
    one, other = of_results([load(folder) for folder in folders])
    (found,) = pair(one, other, 1.0, names=Names.of()).rows
    return found


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_published_intervals(successes: int, n: int, low: float, high: float) -> None:
    """Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3."""
    assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)
    assert wilson(n - successes, n) == pytest.approx((1 - high, 1 - low), abs=5e-5)


def test_trials_are_one_share_over_all_sessions_with_its_interval() -> None:
    found = summarised([*trials(1.0, 1.0, 1.0, 0.0), *trials(0.0, session=1)])
    assert (found.value, found.n, found.unit) == (0.6, 5, "proportion")  # not the mean of 0.75 and 0
    assert (found.ci_low, found.ci_high) == wilson(3, 5)


def test_trials_that_all_held_still_have_an_interval() -> None:
    found = summarised(trials(1.0, 1.0, 1.0))
    assert (found.value, found.ci_high) == (1.0, 1.0)
    assert found.ci_low == pytest.approx(wilson(3, 3)[0])
    assert summarised(trials(0.0)).ci_high == pytest.approx(wilson(0, 1)[1])


def test_trials_that_gave_nothing_are_left_out_and_counted() -> None:
    found = summarised([*trials(1.0, 0.0, note="before train"), *trials(None, note="failed: not struck")])
    assert (found.value, found.n, found.note) == (0.5, 2, "1 of 3 samples failed: not struck")
    nothing = summarised(trials(None, None, note="not run: no room"))
    assert (nothing.value, nothing.n, nothing.ci_low, nothing.note) == (None, 0, None, "not run: no room")


def test_warm_up_trials_do_not_count() -> None:
    assert summarised([*trials(0.0, warm_up=True), *trials(1.0)]).value == 1.0


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_share_and_stays_between_0_and_1(counts: tuple[int, int]) -> None:
    successes, n = counts
    low, high = wilson(successes, n)
    assert 0 <= low <= successes / n + 1e-12
    assert successes / n - 1e-12 <= high <= 1


def test_shares_differ_by_their_published_interval() -> None:
    """56 of 70 against 48 of 80: Newcombe, Statistics in Medicine 17 (1998) 873-890, table II, method 10."""
    before, after = (Values(summarised(held(*counts)), tuple(held(*counts))) for counts in ((48, 80), (56, 70)))
    for found in (change(before, after), change(before, after, paired=True)):
        assert found
        assert (found.scale, found.beyond_chance) == ("difference", True)
        assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


@pytest.mark.parametrize(
    ("before", "after", "word"),
    [((20, 20), (1, 20), "smaller"), ((2, 2), (1, 1), "tie"), ((1, 1), (0, 1), "tie"), ((9, 10), (10, 10), "tie")],
)
@pytest.mark.parametrize("leaf", ["completed", "correct"])
def test_a_share_of_few_trials_decides_nothing(
    tmp_path: Path, leaf: str, before: tuple[int, int], after: tuple[int, int], word: str
) -> None:
    found = row(tmp_path, *(held(*counts, metric=f"recovery.sweep.{leaf}") for counts in (before, after)))
    assert found.verdict.word == word
    assert found.before == f"{100 * before[0] // before[1]}\N{NO-BREAK SPACE}%"
    assert found.change.endswith("points")
    assert (found.worse_by > 50) == (word == "smaller")


def test_shares_of_arms_are_not_paired(tmp_path: Path) -> None:
    old = held(2, 10, engine="airflow@3.3.1")
    result = load(Made([*held(9, 10), *old]).write(tmp_path / "one"))
    (compared,) = within_result(result, of_arms(result, ("airflow@3.3.1", "airflow")))
    assert [one.verdict.turn for one in compared.rows] == ["better"]


def test_a_share_that_is_missing_is_told(tmp_path: Path) -> None:
    assert row(tmp_path, held(9, 10), trials(None)).verdict.word == "not measured"

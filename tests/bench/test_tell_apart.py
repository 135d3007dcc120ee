"""One rule, wherever values stand beside each other: a report and a comparison say the same of the same data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from made_results import Made, sample, samples

from bench.analyse import tell_apart as rule
from bench.analyse.change import change
from bench.analyse.sides import Values, load, of_arms
from bench.analyse.summary import summarise
from bench.contract.records import Record
from bench.questions.catalogue import metric
from reports.pages.pairs import within_result
from reports.read import loading
from reports.read.lookup import Lookup

MAKESPAN = "runtime.makespan_s"


def both(folder: Path, one: Sequence[float], other: Sequence[float]) -> tuple[list[str], str]:
    """The marks of a report, and the verdict of `compare` within the result, of the same two arms."""
    Made([*samples(one), *samples(other, engine="prefect", version="3.8.0")]).write(folder)
    marks = [one.mark for one in Lookup(loading.load(folder)).readings(MAKESPAN, "tuned", "served")]
    result = load(folder)
    (pair,) = within_result(result, of_arms(result, ["airflow", "prefect"]))
    (row,) = pair.rows
    return marks, row.said


def test_one_session_has_no_mark_in_the_report_and_is_not_told_apart_in_a_comparison(tmp_path: Path) -> None:
    marks, said = both(tmp_path / "result", [9.0], [1.0])
    assert marks == ["", ""]
    assert said == "not told apart (one session)"


def test_what_a_comparison_tells_apart_has_a_mark(tmp_path: Path) -> None:
    assert both(tmp_path / "apart", [9.0, 9.1, 8.9], [1.0, 1.1, 0.9]) == (["", "best"], "faster (better)")
    assert both(tmp_path / "alike", [9.0, 9.1, 8.9], [8.9, 9.2, 8.8]) == (["", ""], "tie")


def test_both_ask_the_same_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule, "_tie", lambda *_: "because it is said so")
    assert both(tmp_path / "result", [9.0, 9.1, 8.9], [1.0, 1.1, 0.9]) == (["", ""], "tie (because it is said so)")


def test_blocks_are_paired_only_if_there_are_two(tmp_path: Path) -> None:
    """One block in common says nothing of chance; the sessions of both do."""
    first, second = samples([9.0, 9.1, 8.9, 9.05]), samples([1.0, 1.1, 0.9, 1.05], engine="prefect")
    Made([*first, *(type(s)(**{**_fields(s), "block": s.block + 3}) for s in second)]).write(tmp_path / "result")
    marks = [one.mark for one in Lookup(loading.load(tmp_path / "result")).readings(MAKESPAN, "tuned", "served")]
    assert marks == ["", "best"]


def outcomes(folder: Path, one: Sequence[str | None], other: Sequence[str | None]) -> tuple[list[str], str]:
    """The same of runs of a scenario, all in one session."""
    about: dict[str, Any] = {"metric": "recovery.step_killed.outcome", "unit": "text"}
    ours = [sample(value, **about) for value in one]
    theirs = [sample(value, engine="prefect", **about) for value in other]
    Made([*ours, *theirs]).write(folder)
    marks = [one.mark for one in Lookup(loading.load(folder)).readings("recovery.step_killed.outcome", "tuned")]
    result = load(folder)
    (pair,) = within_result(result, of_arms(result, ["airflow", "prefect"]))
    return marks, pair.rows[0].said


GOOD, BAD = "completed after recovery", "stuck"


@pytest.mark.parametrize(
    ("one", "other", "marks", "said"),
    [
        ([GOOD], [BAD], ["", ""], "not told apart (one run)"),
        ([GOOD] * 4, [BAD], ["", ""], "not told apart (one run)"),
        ([GOOD] * 3, [BAD] * 3, ["", ""], "not told apart (Fisher's exact test, p = 0.1)"),
        ([GOOD] * 4, [BAD] * 4, ["best", ""], "changed (worse; Fisher's exact test, p = 0.029)"),
        ([BAD] * 4, ["completed", GOOD, GOOD, GOOD], ["", "best"], "changed (better; Fisher's exact test, p = 0.029)"),
        ([GOOD] * 4, [*[GOOD] * 3, "duplicated"], ["", ""], "not told apart (Fisher's exact test, p = 1)"),
        ([GOOD] * 4, [*[BAD] * 4, None], ["best", ""], "changed (worse; Fisher's exact test, p = 0.029)"),
        ([GOOD], [GOOD], ["", ""], "unchanged (one run)"),
    ],
)
def test_runs_of_a_scenario_are_told_apart_by_how_many_came_right(
    tmp_path: Path, one: list[str | None], other: list[str | None], marks: list[str], said: str
) -> None:
    assert outcomes(tmp_path / "result", one, other) == (marks, said)


def test_to_lose_an_ability_is_a_fact(tmp_path: Path) -> None:
    about: dict[str, Any] = {"metric": "recovery.resume_after_fix.outcome", "unit": "text"}
    lacking = sample(None, engine="prefect", note="not supported: no such call", **about)
    Made([sample(GOOD, **about), lacking]).write(tmp_path / "result")
    result = load(tmp_path / "result")
    there, back = (["airflow", "prefect"], ["prefect", "airflow"])
    said = [within_result(result, of_arms(result, names))[0].rows[0].said for names in (there, back)]
    assert said == ["not supported (worse)", "supported (better)"]


@pytest.mark.parametrize(("runs", "mark"), [(1, ""), (3, ""), (4, "best")])
def test_what_is_counted_in_runs_is_told_apart_by_their_number(tmp_path: Path, runs: int, mark: str) -> None:
    """A doubled effect in each run of one engine, and none in the other's."""
    about: dict[str, Any] = {"metric": "recovery.step_killed.duplicates", "unit": "count"}
    given = [sample(value, engine=engine, **about) for engine, value in (("airflow", 1.0), ("prefect", 0.0))] * runs
    Made(given).write(tmp_path / "result")
    readings = Lookup(loading.load(tmp_path / "result")).readings("recovery.step_killed.duplicates", "tuned")
    assert [one.mark for one in readings] == ["", mark]


def test_a_fit_of_one_session_ranks_nothing_though_it_has_an_interval() -> None:
    """Earlier versions kept such records."""
    common: dict[str, Any] = {"pipeline": "chain", "metric": "scaling.fixed_s", "unit": "s", "n": 1}
    one = Values(Record(engine="airflow", value=2.0, ci_low=1.9, ci_high=2.1, **common))
    other = Values(Record(engine="prefect", value=-0.3, ci_low=-0.4, ci_high=-0.2, **common))
    assert rule.tell_apart(one, other, metric("scaling.fixed_s")).why == rule.ONE_SESSION


def _fields(one: object) -> dict[str, object]:
    return {name: getattr(one, name) for name in one.__struct_fields__}  # type: ignore[attr-defined]


def test_of_texts_that_are_no_outcomes_what_most_runs_of_the_reference_say_counts(tmp_path: Path) -> None:
    name = "recovery.step_killed.record"
    about: dict[str, Any] = {"metric": name, "unit": "text"}
    ours = [sample(text, **about) for text in [*["agrees"] * 8, "late"]]
    theirs = [sample("silent", engine="prefect", **about) for _ in range(9)]
    Made([*ours, *theirs]).write(tmp_path / "result")
    result = load(tmp_path / "result")
    (pair,) = within_result(result, of_arms(result, ["airflow", "prefect"]))
    assert pair.rows[0].said.startswith("changed (Fisher's exact test, p = 0.0004")


def test_a_record_without_an_interval_takes_that_of_the_other_away() -> None:
    def of(value: float, low: float | None = None, high: float | None = None) -> Values:
        about = {"engine": "airflow", "pipeline": "training", "metric": MAKESPAN, "unit": "s", "n": 5}
        return Values(Record(value=value, ci_low=low, ci_high=high, **about), ())  # type: ignore[arg-type]

    found = change(of(2.0, 1.0, 9.0), of(4.0))
    assert found is not None
    assert (round(found.value, 9), found.low, found.high) == (2.0, None, None)


def test_two_blocks_are_enough_for_a_pair() -> None:
    first, second = samples([9.0, 18.0]), samples([1.0, 2.1], engine="prefect")
    record = summarise(first)[0]
    found = change(Values(record, tuple(first)), Values(summarise(second)[0], tuple(second)), paired=True)
    assert found is not None
    assert found.paired
    assert found.beyond_chance

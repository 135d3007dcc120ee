"""One rule, wherever values stand beside each other: a report and a comparison say the same of the same data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from made_results import Made, samples

from bench.analyse import tell_apart as rule
from bench.analyse.sides import load, of_arms
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


def test_one_session_has_no_mark_in_the_report_and_is_a_tie_in_a_comparison(tmp_path: Path) -> None:
    marks, said = both(tmp_path / "result", [9.0], [1.0])
    assert marks == ["", ""]
    assert said == "tie (single session)"


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


def _fields(one: object) -> dict[str, object]:
    return {name: getattr(one, name) for name in one.__struct_fields__}  # type: ignore[attr-defined]

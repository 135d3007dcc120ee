"""A question without a section of its own is told all the same."""

from __future__ import annotations

from pathlib import Path

from result_fixture import Builder

from bench.questions.discovery import questions
from reports.read.loading import load
from reports.read.lookup import Lookup
from reports.sections import others


def test_a_question_with_headlines_gets_a_table_of_its_metrics(tmp_path: Path) -> None:
    lookup = Lookup(load(Builder().write(tmp_path / "result")))
    headed = {one.group for one in questions() if one.headlines}
    found = {section.key: section for section in others.sections(lookup, headed - {"code"})}
    assert list(found) == ["code"]
    (table,) = found["code"].tables
    assert "Source lines" in [column.title for column in table.columns]
    assert found["code"].title == "How much code?"
    assert "source lines of the pipeline" in found["code"].sentence


def test_what_has_its_section_is_not_told_twice(tmp_path: Path) -> None:
    lookup = Lookup(load(Builder().write(tmp_path / "result")))
    assert not others.sections(lookup, {one.group for one in questions()})

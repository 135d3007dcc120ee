"""Verdicts between results, and the pages that show them, with hostile texts in the results."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from page_text import visible
from result_fixture import HOSTILE, Builder

from bench.analyse.sides import Measured, Values, load, of_results
from bench.analyse.tell_apart import tell_apart, worse_by
from bench.contract.records import Record, Sample
from bench.questions.metric import Metric
from reports.pages import comparison, history
from reports.pages.document import Document, Line, Section, Table, as_html, as_markdown, as_text
from reports.pages.pairs import between_results

TIME = Metric("runtime.makespan_s", "Makespan")
EXACT = Metric("authoring.sloc", "Source lines", kind="exact", unit="lines")
RATE = Metric("concurrency.throughput_per_min", "Throughput", "high", "time", "runs/min")
OUTCOME = Metric("recovery.x.outcome", "Outcome", "high", "outcome", "text")
INFO = Metric("runtime.work_s", "Work", "none", "info")


def held(values: list[float | str | None], unit: str = "s", note: str = "") -> Values:
    common = {"engine": "airflow", "pipeline": "training", "metric": "m", "unit": unit, "note": note}
    samples = tuple(Sample(**common, value=v, session=n) for n, v in enumerate(values))  # type: ignore[arg-type]
    numbers = [v for v in values if isinstance(v, int | float)]
    value = sum(numbers) / len(numbers) if numbers else values[0]
    return Values(Record(**common, value=value, n=sum(v is not None for v in values)), samples)  # type: ignore[arg-type]


def told(before: list[Any], after: list[Any], metric: Metric = TIME, floor: float = 1.0, note: str = "") -> str:
    one, other = held(before, metric.unit), held(after, metric.unit, note)
    verdict = tell_apart(one, other, metric, floor=floor)
    return " ".join(part for part in (verdict.word, verdict.turn, verdict.why) if part)


STEADY = [10.0, 10.1, 9.9]
JUDGED = {
    "slower": (STEADY, [12.0, 12.1, 11.9], TIME, 1.0, "slower worse"),
    "faster": (STEADY, [8.0, 8.1, 7.9], TIME, 1.0, "faster better"),
    "overlapping": (STEADY, [9.0, 10.0, 11.5], TIME, 1.0, "tie"),
    "under the floor": (STEADY, [12.0, 12.1, 11.9], TIME, 1.25, "tie under the noise floor"),
    "within the resolution": (STEADY, [10.5, 10.6, 10.4], replace(TIME, resolution=1.0), 1.0,
                              "tie within the resolution"),
    "one session": ([10.0], [99.0], TIME, 1.0, "not told apart one session"),
    "more of what should be high": (STEADY, [12.0, 12.1, 11.9], RATE, 1.0, "larger better"),
    "less of what should be high": (STEADY, [8.0, 8.1, 7.9], RATE, 1.0, "smaller worse"),
    "not ranked": (STEADY, [12.0, 12.1, 11.9], INFO, 1.0, "slower"),
    "exact": ([50.0], [51.0], EXACT, 9.0, "larger worse"),
    "exact and the same": ([50.0], [50.0], EXACT, 1.0, "same"),
    "exact from zero": ([0.0], [2.0], EXACT, 1.0, "larger worse"),
    "a time from zero": ([0.0, 0.0, 0.0], STEADY, TIME, 1.25, "slower worse"),
    "zeros": ([0.0, 0.0], [0.0, 0.0], TIME, 1.0, "same"),
    "lost once": (["completed"], ["lost"], OUTCOME, 1.0, "not told apart one run"),
    "lost": (["completed"] * 4, ["lost"] * 4, OUTCOME, 1.0, "changed worse Fisher's exact test, p = 0.029"),
    "lost more often": (["completed", "completed", "lost"], ["completed", "lost", "lost"], OUTCOME, 1.0,
                        "not told apart Fisher's exact test, p = 1"),
    "another good end": (["completed"] * 4, ["completed after recovery"] * 4, OUTCOME, 1.0,
                         "not told apart Fisher's exact test, p = 1"),
    "another text": (["a"] * 4, ["b"] * 4, replace(INFO, unit="text"), 1.0,
                     "changed Fisher's exact test, p = 0.029"),
    "another text once": (["a"], ["b"], replace(INFO, unit="text"), 1.0, "not told apart one run"),
    "as before": (["lost", "completed"], ["completed", "lost"], OUTCOME, 1.0, "unchanged"),
    "never measured": ([None], [1.0], TIME, 1.0, "not measured"),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after", "metric", "floor", "said"), JUDGED.values(), ids=JUDGED)
def test_judgements(before: list[Any], after: list[Any], metric: Metric, floor: float, said: str) -> None:
    assert told(before, after, metric, floor) == said


def test_what_is_gone_says_why() -> None:
    assert told(STEADY, [None], note="failed: wrong") == "failed one session: not told apart"
    assert told(STEADY, [None, None], note="failed: wrong") == "failed worse"
    assert told(STEADY, [None, None], INFO, note="failed: wrong") == "failed"
    assert told(STEADY, [None], note="not supported: no API") == "not supported worse"
    assert told(["completed"], [None], OUTCOME, note="not supported: no API") == "not supported worse"
    assert told(["completed"], [None], OUTCOME, note="not struck: too late") == "not measured"


def test_worse_is_in_percent_of_the_reference() -> None:
    def size(before: list[float | str | None], after: list[float | str | None], metric: Metric) -> float:
        return worse_by(tell_apart(held(before), held(after), metric), held(before), metric)

    assert size([10.0], [13.0], TIME) == 0  # one session: a tie
    assert size([10.0], [13.0], EXACT) == pytest.approx(30)
    assert size([0.0], [2.0], EXACT) == float("inf")
    assert size(STEADY, [8.0, 8.1, 7.9], RATE) == pytest.approx(20, abs=0.1)


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Document:
    results = _results(tmp_path_factory.mktemp("between"))
    sides = of_results(results)
    return comparison.document(results, sides, between_results(results, sides))


def _results(folder: Path) -> list[Measured]:
    """The same result twice, the second with a new Airflow that is slower by half and fails to recover."""
    first = Builder().write(folder / "first")
    second = Builder(sessions=5)
    second.write(folder / "second")
    changed = [
        msgspec.structs.replace(
            s, version="4.0.0", value=s.value * 1.5 if isinstance(s.value, float) else _lost(s.value)
        )
        if s.engine == "airflow"
        else s
        for s in second.samples
    ]
    lines = b"".join(msgspec.json.encode(s) + b"\n" for s in changed)
    (folder / "second" / "samples.jsonl").write_bytes(lines)
    summary = (folder / "second" / "summary.json").read_text()
    (folder / "second" / "summary.json").write_text(summary.replace("completed after recovery", "lost"))
    return [load(first), load(folder / "second")]


def _lost(value: Any) -> Any:
    return "lost" if value == "completed after recovery" else value


@pytest.fixture(scope="module")
def over_time(tmp_path_factory: pytest.TempPathFactory) -> Document:
    results = _results(tmp_path_factory.mktemp("history"))
    return history.document(results, of_results(results))


def test_what_differs_comes_first_and_names_both_versions(compared: Document) -> None:
    differs = compared.sections[0]
    lines = [" | ".join(line.cells) for line in differs.tables[0].lines]
    assert any(line.startswith("Apache Airflow 3.1.2 → 3.1.2, 4.0.0") for line in lines)
    assert any(line.startswith("Runtime: makespan | tuned · served") and "slower (worse)" in line for line in lines)
    assert any("4 of 4 completed after recovery | 4 of 4 lost" in line and "changed (worse; " in line for line in lines)


@pytest.mark.parametrize("name", ["compared", "over_time"])
def test_no_text_of_a_result_becomes_markup(name: str, request: pytest.FixtureRequest) -> None:
    document = request.getfixturevalue(name)
    cells = tuple(HOSTILE)
    table = Table("</summary>", ("Metric", *cells[1:]), (Line(cells), Line(cells)), folded=True)
    hostile = replace(
        document, warnings=cells, notes=cells, sections=(*document.sections, Section(cells[2], cells, (table,)))
    )
    html = as_html(hostile)
    assert "<script" not in html
    assert "<img" not in html
    assert html.count("</style>") == 1
    assert "<script>alert(1)</script>" in visible(html)
    markdown = as_markdown(hostile)
    assert "<script" not in re.sub(r"\\<", "", markdown)
    text = as_text(hostile)
    assert all(character.isprintable() or character == "\n" for character in text + markdown)


def test_markdown_rows_have_as_many_cells_as_their_header() -> None:
    table = Table("", ("a", "b"), (Line(("x|y", "1\n2")), Line(("`<b>`", "[z](u)"))), frozenset({1}))
    markdown = as_markdown(Document("t", (), (Section("s", tables=(table,)),)))
    rows = [line for line in markdown.splitlines() if line.startswith("|")]
    assert rows == ["| a | b |", "| --- | ---: |", r"| x\|y | 1 2 |", r"| \`\<b\>\` | \[z\](u) |"]


def test_columns_of_text_stand_below_each_other_and_empty_ones_are_left_out() -> None:
    table = Table("", ("name", "none", "n"), (Line(("a", "", "1")), Line(("long one", "", "20"))), frozenset({2}))
    text = as_text(Document("t", (), (Section("s", tables=(table,)),)))
    assert text.splitlines()[-3:] == ["name       n", "a          1", "long one  20"]


def test_the_page_needs_no_network_and_no_script(compared: Document, over_time: Document) -> None:
    for html in (as_html(compared), as_html(over_time)):
        assert "default-src 'none'" in html
        assert not re.search(r'(?:src|href)="(?!#|data:)', html)


def test_history_draws_the_headlines_and_marks_the_new_version(over_time: Document) -> None:
    headlines, values = over_time.sections
    assert "over-time-runtime-makespan_s" in [figure.key for figure in headlines.figures]
    assert any("→" in figure.svg for figure in headlines.figures)
    airflow = next(table for table in values.tables if table.title == "Apache Airflow")
    assert airflow.lines[0].cells[0] == "Version"
    assert airflow.lines[0].cells[-1].startswith("→ ")

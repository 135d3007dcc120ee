"""The page as a file: golden words, hostile texts, partial results, size."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from page_text import visible
from result_fixture import HOSTILE, SCRIPT, Builder

from bench.results import Cell, Failure
from reports.loading import ReportError
from reports.render import LIMIT_BYTES, script_json, write_report
from reports.safetext import inline, parse_notes


def page(folder: Path, **changes: object) -> str:
    return write_report(Builder(**changes).write(folder)).read_text(encoding="utf-8")  # type: ignore[arg-type]


def without_scripts(html: str) -> str:
    """Without our two scripts; a script that got in from the data would stay."""
    return re.sub(r"<script>(?!alert).*?</script>", "", html, flags=re.DOTALL)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> str:
    return page(tmp_path_factory.mktemp("full") / "result")


def test_words_are_the_golden_ones(full: str, golden: Path, update_golden: bool) -> None:
    """After a wanted change: pytest tests/reports --update-golden, then read the difference."""
    path = golden / "report.txt"
    words = visible(full)
    if update_golden:
        path.parent.mkdir(exist_ok=True)
        path.write_text(words, encoding="utf-8")
    assert words == path.read_text(encoding="utf-8"), "the page's words changed; see this test's docstring"


def test_the_same_result_gives_the_same_page(full: str, tmp_path: Path) -> None:
    assert page(tmp_path / "result") == full


def test_hostile_texts_stay_texts(full: str) -> None:
    bare = without_scripts(full)
    for text in (SCRIPT, HOSTILE[2], "<img", 'javascript:alert(1)"'):
        assert text not in bare, f"{text} got into the page as markup"
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in full
    assert "{{ 7 * 7 }}" in full


def test_page_names_no_other_host(full: str) -> None:
    outside = re.findall(r"<(?:script|link|img|iframe|source)[^>]+(?:src|href)=\"(?!data:)", without_scripts(full))
    assert not outside
    assert "default-src 'none'" in full


def test_size_limit(full: str) -> None:
    assert len(full.encode()) <= LIMIT_BYTES


def test_a_huge_result_is_cut_to_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("result_fixture._traceback", lambda _: "word " * 150 + ("\nline of a log " * 60) * 20)
    monkeypatch.setattr("reports.render.LIMIT_BYTES", 1_500_000)
    html = page(tmp_path / "result")
    assert len(html.encode()) <= 1_500_000
    assert "To keep this file under 2 MB" in html


def test_quick_result_says_that_it_is_not_for_decisions(tmp_path: Path) -> None:
    words = visible(page(tmp_path / "result", budget="quick", sessions=1, tracks=("tuned",), with_noise=False))
    assert words.index("not for decisions") < words.index("What the measurements favour")
    assert "single session" in words
    assert "The noise floor was not measured" in words


def test_missing_engine_failures_and_cells_are_told(tmp_path: Path) -> None:
    failure = Failure(engine="dagster", track="tuned", phase="start", message=f"port {SCRIPT}", log_tail=HOSTILE[2])
    cell = Cell(name="dagster tuned block 2", estimated_s=30.0, state="left_out", reason="no time left")
    words = visible(
        page(tmp_path / "result", engines=("airflow", "prefect"), failures=[failure], cells=[cell], state="partial")
    )
    assert "Partial result." in words
    assert "No measurement of Dagster." in words
    assert f"Dagster on tuned failed in start: port {SCRIPT}" in words
    assert "1 planned cell left out." in words
    assert "dagster tuned block 2: left out, no time left" in words


@pytest.mark.parametrize("groups", [(), ("authoring",), ("runtime",), ("recovery",), ("debugging",), ("setup",)])
def test_any_part_alone_gives_a_page(groups: tuple[str, ...], tmp_path: Path) -> None:
    words = visible(page(tmp_path / "result", groups=groups, with_evidence=False, with_noise=False))
    assert "Nothing was measured of" in words


def test_only_a_manifest_gives_a_page(tmp_path: Path) -> None:
    folder = Builder(state="interrupted").write(tmp_path / "result")
    for name in ("summary.json", "samples.jsonl", "runs.jsonl", "verdicts.jsonl", "evidence.jsonl"):
        (folder / name).unlink()
    words = visible(write_report(folder).read_text())
    assert "summary.json is missing" in words
    assert "marked as interrupted" in words


def test_torn_lines_are_named_and_the_rest_is_used(tmp_path: Path) -> None:
    folder = Builder().write(tmp_path / "result")
    with (folder / "samples.jsonl").open("a") as file:
        file.write('{"engine": "pref')
    with (folder / "runs" / "airflow-tuned-step_killed" / "journal.jsonl").open("a") as file:
        file.write('{"t_ns": 1\n{}\n')
    words = visible(write_report(folder).read_text())
    assert "samples.jsonl line" in words
    assert "the journal of run airflow-tuned-step_killed cannot be read" in words


def test_no_result_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"manifest\.json"):
        write_report(tmp_path)


def test_sections_without_records_are_left_out(full: str) -> None:
    assert 'id="scaling"' not in full
    assert 'id="resources"' not in full


def test_counted_lines_are_marked(full: str) -> None:
    listing = full[full.index('id="file-training.py"') : full.index('id="file-definitions.py"')]
    assert listing.count('class="line counted"') == 3 * 22


def test_script_json_cannot_end_its_element() -> None:
    assert "<" not in script_json({"x": "</script><!--\u2028"})


def test_notes_are_rendered_safely() -> None:
    assert inline("`<b>` [x](javascript:1) [y](https://a.b/?c=1&d=2) <i>") == (
        '<code>&lt;b&gt;</code> [x](javascript:1) <a href="https://a.b/?c=1&amp;d=2" rel="noreferrer">y</a> &lt;i&gt;'
    )
    notes = parse_notes("# T\n## What was easy\n- one\n  more\n\ntext\n## Hard\n* two\n")
    assert (notes.under("easy"), notes.under("hard")) == (["one more"], ["two"])

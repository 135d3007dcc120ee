"""The page as a file: golden words, hostile texts, partial results, size."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from page_text import visible
from result_fixture import Builder
from result_parts import AUDITS, BROKEN, PARTS
from result_texts import HOSTILE, SCRIPT

from bench.contract.errors import UsageError
from bench.contract.records import Cell, Failure
from reports.pages.render import LIMIT_BYTES, script_json, write_report
from reports.words.safetext import inline, parse_notes


def page(folder: Path, **changes: object) -> str:
    return write_report(Builder(**changes).write(folder)).path.read_text(encoding="utf-8")  # type: ignore[arg-type]


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
    monkeypatch.setattr("result_texts.traceback", lambda _: "word " * 150 + ("\nline of a log " * 60) * 20)
    monkeypatch.setattr("reports.pages.render.LIMIT_BYTES", 1_500_000)
    html = page(tmp_path / "result")
    assert len(html.encode()) <= 1_500_000
    assert "To keep this file under 3 MB" in html


def test_quick_result_says_that_it_is_not_for_decisions(tmp_path: Path) -> None:
    html = page(tmp_path / "result", budget="quick", sessions=1, tracks=("tuned",), with_noise=False)
    words = visible(html)
    assert '<table id="table-glance" class="turned">' in html, "seven columns would run off the page"
    assert '<span class="track"></span>' not in html
    assert "/data/" not in html, "where a file was is nobody's business"
    assert words.index("not for decisions") < words.index("What the measurements favour")
    assert "At a glance" in words[: words.index("What the measurements favour")]
    assert "≈ one session: not told apart" in words
    assert "Would decide it: ./orchbench run --only runtime, about 45 minutes." in words
    glance = words[words.index("At a glance") : words.index("What the measurements favour")]
    assert "3 of 4 completed" not in glance
    assert glance.count("| ★") == 3, "facts alone: lines, packages, disk"
    assert "The noise floor was not measured" in words


def test_missing_engine_failures_and_cells_are_told(tmp_path: Path) -> None:
    failure = Failure(engine="dagster", track="tuned", phase="start", message=f"port {SCRIPT}", log_tail=HOSTILE[2])
    cell = Cell(
        name="dagster tuned block 2", pipeline="training", estimated_s=30.0, state="left_out", reason="no time left"
    )
    words = visible(
        page(tmp_path / "result", engines=("airflow", "prefect"), failures=[failure], cells=[cell], state="partial")
    )
    assert "Partial result." in words
    assert "No measurement of Dagster." in words
    assert f"Dagster on tuned failed in start: port {SCRIPT}" in words
    assert "1 planned cell left out." in words
    assert "dagster tuned block 2: left out, no time left" in words


ALONE = ("authoring", "setup", "runtime", "recovery", "debugging", *PARTS)


@pytest.mark.parametrize("groups", [(), *((name,) for name in ALONE)], ids=str)
def test_any_part_alone_gives_a_page(groups: tuple[str, ...], tmp_path: Path) -> None:
    words = visible(page(tmp_path / "result", groups=groups, with_evidence=False, with_noise=False))
    assert "Nothing was measured of" in words


def test_only_a_manifest_gives_a_page(tmp_path: Path) -> None:
    folder = Builder(state="interrupted").write(tmp_path / "result")
    for name in ("summary.json", "samples.jsonl", "runs.jsonl", "verdicts.jsonl", "evidence.jsonl"):
        (folder / name).unlink()
    words = visible(write_report(folder).path.read_text())
    assert "summary.json is missing" in words
    assert "marked as interrupted" in words


def test_torn_lines_are_named_and_the_rest_is_used(tmp_path: Path) -> None:
    folder = Builder().write(tmp_path / "result")
    with (folder / "samples.jsonl").open("a") as file:
        file.write('{"engine": "pref')
    with (folder / "runs" / "airflow-tuned-step_killed" / "journal.jsonl").open("a") as file:
        file.write('{"t_ns": 1\n{}\n')
    words = visible(write_report(folder).path.read_text())
    assert "samples.jsonl line" in words
    assert "the journal of run airflow-tuned-step_killed cannot be read" in words


def test_no_result_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"manifest\.json"):
        write_report(tmp_path)


NEW = ("scaling", "published", "payload", "concurrency", "resources", "isolation", "micro", "table-polling")


def test_sections_without_records_are_left_out(full: str, tmp_path: Path) -> None:
    small = page(tmp_path / "result", groups=("authoring", "setup", "runtime", "recovery", "debugging"))
    for key in NEW[:-1]:
        assert f'id="{key}"' in full
        assert f'id="{key}"' not in small


def make_older(folder: Path) -> None:
    """Take out of a result what earlier versions did not write."""
    manifest = json.loads((folder / "manifest.json").read_text())
    kept = {name: value for name, value in manifest.items() if name not in ("variants", "polling", "core")}
    (folder / "manifest.json").write_text(json.dumps(kept))
    variants = {row["name"] for row in manifest["variants"] if row["kind"] == "isolation"}

    def known(row: dict[str, Any]) -> bool:
        new = row.get("params") or row["workload"] != "training" or row["engine"] in variants
        return not new and row["metric"].split(".")[0] not in ("micro", "resources", "host")

    records = [row for row in json.loads((folder / "summary.json").read_text())["records"] if known(row)]
    (folder / "summary.json").write_text(json.dumps({"schema_version": 1, "records": records}))
    samples = (folder / "samples.jsonl").read_text().splitlines()
    (folder / "samples.jsonl").write_text("".join(f"{line}\n" for line in samples if known(json.loads(line))))


def test_a_result_of_before_there_were_sizes_resources_and_audits_gives_a_page(tmp_path: Path) -> None:
    kept = Path(__file__).parents[2] / "reports" / "kept" / "2026-11-22-standard"
    folder = Path(shutil.copytree(kept, tmp_path / "result"))
    make_older(folder)
    html = write_report(folder).path.read_text(encoding="utf-8")
    assert not [key for key in NEW if f'id="{key}"' in html]
    assert "This result was not audited." in visible(html)


def test_a_failed_audit_stands_first_and_is_told_with_its_reason(tmp_path: Path) -> None:
    html = page(tmp_path / "result", audits=(*AUDITS, BROKEN))
    words = visible(html)
    assert words.index("This result failed an audit: do not use it.") < words.index("What the measurements favour")
    assert f"order of the steps: {BROKEN.reason}" in words
    assert SCRIPT not in without_scripts(html)
    rows = words[words.index("| Rule | Verdict") :].splitlines()[1:5]
    assert [row.split(" | ")[1] for row in rows] == ["✗ fail", "! flag", "? unknown", "✓ pass"]


def test_flags_do_not_stand_first(full: str) -> None:
    assert "failed an audit" not in visible(full)
    assert "load by others | ! flag" in visible(full)


def test_versions_stand_side_by_side(tmp_path: Path) -> None:
    html = page(tmp_path / "result", engines=("airflow", "airflow@3.0.6", "prefect", "dagster"))
    words = visible(html)
    assert "Apache Airflow 3.1.2, Apache Airflow 3.0.6, Prefect 3.6.1 and Dagster 1.12.2" in words
    assert "| — the pipelines of Apache Airflow 3.1.2 |" in words
    assert html.count('<div class="listing" data-engine="airflow@3.0.6">') == 0
    for table in ("table-served", "table-scaling-served", "table-idle"):
        rows = html[html.index(f'id="{table}"') :].partition("</table>")[0]
        assert 'data-engine="airflow@3.0.6"' in rows


def test_published_figures_are_named_as_theirs_and_stand_beside_ours(full: str) -> None:
    table = full[full.index('id="table-published"') :].partition("</table>")[0]
    rows = [line for line in visible(table).splitlines() if "fib(10)" in line]
    assert rows[0].startswith("| Apache Airflow | tuned | 40 × fib(10) in sequence | 5.99")
    assert rows[0].endswith("| 116 s, version 2.7.3")
    assert "| Temporal | | 40 × fib(10) in sequence | | | 2.97 s" in rows
    assert "Published by Windmill" in visible(table)


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


@pytest.mark.parametrize("name", ["asking", "micro"])
def test_what_measuring_costs_stands_first_where_it_was_asked_alone(tmp_path: Path, name: str) -> None:
    html = page(tmp_path / "result", only=[name])
    assert re.findall(r'<h2 id="(\w+)"', html[html.index("<main") :])[:2] == ["method", "verdicts"]
    assert html.count('<h2 id="method"') == 1

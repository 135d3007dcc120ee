"""What the terminal says of a result: the words of its report, and little of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from page_text import visible
from result_fixture import Builder
from result_parts import PARTS

from bench.observe.reading import load_manifest
from bench.observe.store import Store
from bench.plan.budgets import CHAOS
from bench.questions.catalogue import metric as describe
from reports.pages.model import Report, VerdictView, opening
from reports.pages.render import Written, write_report
from reports.pages.said import findings, of_broken, of_faults, plain
from reports.read.lookup import Lookup
from reports.sections import background

MOST_LINES = 20


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return write_report(Builder().write(tmp_path_factory.mktemp("said") / "result"))


def test_findings_are_sentences_of_the_report(written: Written) -> None:
    words = plain(visible(written.path.read_text(encoding="utf-8")))
    said = list(findings(written.report))
    assert 5 <= len(said) <= MOST_LINES
    for section in written.report.sections:
        assert any(plain(section.sentence) in line for line in said)
        assert plain(section.sentence) in words


def test_each_engine_and_fault_has_a_line(written: Written) -> None:
    said = list(of_faults(written.report, written.lookup))
    assert written.report.heat
    assert len(said) == len(written.report.heat.cells)
    assert all("\n" not in line for line in said)
    assert any("; seen after " in line and "; right after " in line for line in said)


def test_without_faults_nothing_is_said_of_them(tmp_path: Path) -> None:
    groups = [group for group in ("authoring", "setup", "runtime", "debugging") if group not in PARTS]
    found = write_report(Builder(groups=groups).write(tmp_path / "result"))
    assert list(of_faults(found.report, found.lookup)) == []


def test_before_its_planned_blocks_are_done_no_time_is_ranked(tmp_path: Path) -> None:
    folder = Builder(state="interrupted").write(tmp_path / "result")
    done = write_report(folder).report
    manifest = load_manifest(folder)
    Store(folder).save_manifest(msgspec.structs.replace(manifest, coming=["block 4 of 5", "block 5 of 5"]))
    early = write_report(folder).report
    assert "Still to come: block 4 of 5 and block 5 of 5." in early.missing
    assert marked(done.sections, "runtime")
    assert "No time is ranked, for planned blocks are still to come." in early.missing
    assert not marked(early.sections, "runtime")
    runtime = next(section for section in early.sections if section.key == "runtime")
    assert "not ranked, for planned blocks are still to come" in runtime.sentence
    assert not {"table-between", "table-isolation-tuned"}.intersection(keys(early))
    assert "table-between" in keys(done)


def test_before_its_planned_blocks_are_done_no_use_case_is_decided_by_a_time(tmp_path: Path) -> None:
    folder = Builder(state="interrupted").write(tmp_path / "result")
    timed = [view.case.key for view in write_report(folder).report.verdicts if by_time(view)]
    assert timed
    manifest = load_manifest(folder)
    Store(folder).save_manifest(msgspec.structs.replace(manifest, coming=["block 5 of 5"]))
    views = {view.case.key: view for view in write_report(folder).report.verdicts}
    assert not [key for key in timed if by_time(views[key])]
    for key in timed:
        assert views[key].sentence.startswith("Planned blocks are still to come: ")
        assert views[key].next == "The planned blocks that are still to come may decide it."


def by_time(view: VerdictView) -> bool:
    """Whether an engine is favoured, and the last word was a time's."""
    criterion = view.case.criteria[len(view.decision.trace) - 1]
    return view.decision.status == "favoured" and describe(criterion.metrics[0]).kind == "time"


def keys(report: Report) -> set[str]:
    """Of all its tables."""
    whole = [part for section in report.sections for part in (section, *section.parts)]
    return {table.key for part in whole for table in part.tables}


def marked(sections: tuple, key: str) -> list[str]:  # type: ignore[type-arg]
    """The marks in the tables of a section."""
    (found,) = (section for section in sections if section.key == key)
    return [cell.mark for table in found.tables for row in table.rows for cell in row.cells if cell.mark]


def test_of_points_that_were_drawn_alone_their_section_is_told(tmp_path: Path) -> None:
    folder = Builder(groups=["recovery"], budget=CHAOS).write(tmp_path / "result")
    for name in ("samples.jsonl", "summary.json"):
        only_drawn(folder / name)
    found = write_report(folder)
    assert found.report.heat is None
    said = list(of_broken(found.report, found.lookup))
    assert any("Runs that then came right by themselves: " in line for line in said)
    assert plain(found.report.missing[0]) in said
    assert "No fault was injected" not in visible(found.path.read_text(encoding="utf-8"))


def only_drawn(path: Path) -> None:
    """Leave of what was broken only the points that were drawn."""
    kept = "recovery.sweep."
    if path.suffix == ".jsonl":
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(one for one in lines if kept in one))
    else:
        whole = json.loads(path.read_text())
        path.write_text(json.dumps(whole | {"records": [one for one in whole["records"] if kept in one["metric"]]}))


@pytest.mark.parametrize(
    ("only", "key"),
    [("payload", "scaling"), ("concurrency", "scaling"), ("published", "scaling"), ("soak", "resources"),
     ("runtime", "runtime"), ("micro", "method")],
)  # fmt: skip
def test_a_result_of_one_question_opens_with_the_section_that_answers_it(only: str, key: str, written: Written) -> None:
    manifest = msgspec.structs.replace(written.lookup.result.manifest, arguments={"only": [only]})
    lookup = Lookup(replace(written.lookup.result, manifest=manifest))
    assert opening(lookup, written.report.sections) == key


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"only": ["runtime"], "data": None, "na": []}, "tox -e bench -- --budget quick --seed 0 --only runtime"),
        ({"budget": CHAOS, "track": ["tuned"],
          "chaos": {"fault": ["kill"], "role": [], "at": ["in:heavy"], "count": 3}},
         "./orchbench chaos --seed 0 --track tuned --fault kill --at in:heavy --count 3"),
    ],
)  # fmt: skip
def test_the_command_that_repeats_a_result(arguments: dict[str, object], said: str, written: Written) -> None:
    manifest = written.lookup.result.manifest
    changed = msgspec.structs.replace(manifest, budget="quick", seed=0, arguments=arguments)
    assert background._rerun(changed) == said


def test_of_a_question_that_was_asked_alone_nothing_is_said_of_the_others(tmp_path: Path) -> None:
    builder = Builder(groups=["setup"], only=["setup"], with_noise=False, with_evidence=False, audits=[])
    said = list(findings(write_report(builder.write(tmp_path / "result")).report))
    assert any(line.startswith("How long to set up?") for line in said)
    assert not [line for line in said if "No fault" in line or "No bug" in line or "Nothing was measured" in line]

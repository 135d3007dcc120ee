"""Kept results, which the first version of the schema wrote, are still what they were."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import msgspec
import pytest

from bench.analyse.outcomes import distribution
from bench.analyse.sides import load, of_results
from bench.cli import resuming
from bench.cli.progress import Progress
from bench.cli.results import records
from bench.contract.errors import UsageError
from bench.contract.project import PROJECT
from bench.contract.records import NO_PIPELINE, Record, Run, Sample
from bench.observe import first_schema, reading
from bench.observe.store import Store
from reports.pages import history
from reports.pages.document import as_text
from reports.pages.pairs import between_results
from reports.pages.render import write_report

KEPT = sorted(path.parent for path in (PROJECT / "reports" / "kept").glob("*/manifest.json"))


FITTED = ("scaling.fixed_s", "scaling.marginal_s", "scaling.quadratic_s", "scaling.superlinear_at_n")
"""Records that differ from those kept: a fit needs two sessions with more sizes than coefficients, and had not to."""

Numbers = dict[tuple[object, ...], list[float]]


def respelled(value: object) -> object:
    """`2× completed, 1× stuck` of earlier versions, as it is told now."""
    if not isinstance(value, str) or not re.match(r"\d+× ", value):
        return value
    parts = (part.split("× ", 1) for part in re.split(r", (?=\d+× )", value))
    return distribution({text: int(times) for times, text in parts})


def told(found: list[Record]) -> Numbers:
    """Every field of each record, and its numbers apart: another processor may round their last digit otherwise."""
    numbers: Numbers = {}
    for one in found:
        fields = msgspec.to_builtins(one)
        if one.metric in FITTED:
            continue
        if one.unit == "text":  # several are a distribution now, and n is the number of runs
            fields |= {"value": respelled(one.value), "n": 0}
        values = [fields.pop(name) for name in ("value", "ci_low", "ci_high")]
        texts = tuple("a number" if isinstance(value, int | float) else value for value in values)
        key = (*texts, *((name, str(value)) for name, value in fields.items()))
        numbers[key] = [value for value in values if isinstance(value, int | float)]
    return numbers


@pytest.mark.parametrize("folder", KEPT, ids=lambda folder: folder.name)
def test_recomputed_from_its_samples_it_gives_the_same_records(folder: Path) -> None:
    stored = reading.load_summary(folder).records
    manifest = reading.load_manifest(folder)
    computed = records(manifest, reading.load(folder, Sample), reading.load(folder, Run))
    assert manifest.schema_version == first_schema.VERSION
    assert len(stored) > 50
    numbers, expected = told(computed), told(stored)
    assert len(numbers) == sum(one.metric not in FITTED for one in stored)
    assert numbers.keys() == expected.keys()
    for key, values in numbers.items():
        assert values == pytest.approx(expected[key], rel=1e-9)


@pytest.mark.parametrize("folder", KEPT, ids=lambda folder: folder.name)
def test_it_renders_and_stays_as_it_is(folder: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(folder, tmp_path / folder.name, ignore=shutil.ignore_patterns("report.html")))
    before = {path: path.read_bytes() for path in copied.rglob("*") if path.is_file()}
    html = write_report(copied).path.read_text(encoding="utf-8")
    for title in reading.load_manifest(folder).titles.values():
        assert title in html
    assert {path: path.read_bytes() for path in before} == before


def test_they_compare_and_stand_in_a_history() -> None:
    results = [load(folder) for folder in KEPT]
    sides = of_results(results)
    (first, *_) = between_results(results, sides)
    assert any(row.after and row.before for row in first.rows)
    text = as_text(history.document(results, sides))
    assert "3 results over time" in text
    assert "Runtime: makespan" in text


def test_what_concerns_no_pipeline_says_so_and_the_rest_names_its_own() -> None:
    (folder,) = (one for one in KEPT if "standard" in one.name)
    met = {(s.metric.split(".")[0], s.pipeline) for s in reading.load(folder, Sample)}
    assert {name for name, pipeline in met if pipeline == NO_PIPELINE} == {
        "authoring", "instrument", "micro", "noise", "setup",
    }  # fmt: skip
    assert {("runtime", "training"), ("runtime", "chain"), ("resources", "fan_out"), ("setup", "training")} <= met


def test_a_result_of_the_first_version_is_not_gone_on_with(tmp_path: Path) -> None:
    shutil.copytree(KEPT[0], tmp_path / "result")
    with pytest.raises(UsageError, match="begun by an earlier version"):
        resuming.resumed(tmp_path / "result", Progress(quiet=True))


def test_reported_again_its_summary_is_of_this_version(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(KEPT[0], tmp_path / "result"))
    before = reading.load_summary(folder)
    Store(folder).save_summary(before.records, before.audits)
    assert reading.load_summary(folder) == before

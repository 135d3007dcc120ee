"""What is counted as authoring code, and that nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest
from radon.raw import analyze

from bench.contract.records import Sample
from bench.questions.code import UNITS, count, glue, written
from bench.questions.counting import PYTHON, counted_lines

ROOT = Path(__file__).parents[2]
PIPELINE = '''"""A pipeline
over several lines."""

import json
from toy import job, task

import dagger as dg
import dagger.deep
from core import steps

# a comment
TEXT = """kept

as code"""


@task(retries=2)
def one(x: int) -> int:
    """Docstring."""
    return x if x else dg.op(dg.op.inner)  # trailing


@job
def two(): return [one(1) for _ in json.loads("[]") if steps]


async def three():
    """An inner function counts by itself."""
    def inner():
        return dg.graph and dagger.deep.thing
    return inner
'''
CONFIG = "# comment\n\na: 1\n  b: 2\n; also a comment\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    pipelines = tmp_path / "impl_toy" / "pipelines" / "training"
    pipelines.mkdir(parents=True)
    (pipelines / "training.py").write_text(PIPELINE)
    (pipelines / "helper.py").write_text("from training import one\nfrom .training import two\n")
    (pipelines / "prefect.yaml").write_text(CONFIG)
    (pipelines / "notes.md").write_text("not\nconfiguration\n")
    (tmp_path / "impl_toy" / "adapter.py").write_text("import os\n\n# glue\nX = os.name\n")
    return tmp_path


def values(root: Path) -> dict[str, float]:
    return {s.metric.removeprefix("authoring."): s.value for s in counted(root)}


def counted(root: Path, language: str = PYTHON) -> list[Sample]:
    return [*count(root, "toy", "training", "1.2", language), glue(root, "toy", "1.2")]


def test_every_metric_has_a_value_and_its_unit(project: Path) -> None:
    samples = counted(project)
    assert {s.metric.removeprefix("authoring."): s.unit for s in samples} == UNITS
    assert all(isinstance(s.value, int | float) for s in samples)
    assert {(s.engine, s.version, s.mode, s.session) for s in samples} == {("toy", "1.2", "none", 0)}


def test_symbols_are_names_taken_from_the_engine(project: Path) -> None:
    (symbols,) = [s for s in counted(project) if s.metric == "authoring.symbols"]
    assert symbols.note == "dagger.deep.thing, dagger.graph, dagger.op, toy.job, toy.task"
    assert symbols.value == 5


def test_complexity_of_each_function_inner_ones_too(project: Path) -> None:
    found = values(project)
    assert found["cc_max"] == 3  # two: itself, the comprehension, its condition
    assert found["cc_mean"] == pytest.approx((2 + 3 + 1 + 2) / 4)


def test_configuration_and_glue_are_counted_apart(project: Path) -> None:
    found = values(project)
    assert found["config_lines"] == 2
    assert found["glue_sloc"] == 2
    (project / "impl_toy" / "records.py").write_text("Y = 1\n")
    assert {s.metric: s.value for s in counted(project)}["authoring.glue_sloc"] == 3


def test_counted_lines_leave_out_blanks_comments_and_docstrings(project: Path) -> None:
    path = project / "impl_toy" / "pipelines" / "training" / "training.py"
    counted = counted_lines(path)
    lines = path.read_text().splitlines()
    left_out = [lines[n - 1].strip() for n in range(1, len(lines) + 1) if n not in counted]
    assert [line for line in left_out if line] == [
        '"""A pipeline', 'over several lines."""', "# a comment", '"""Docstring."""',
        '"""An inner function counts by itself."""',
    ]  # fmt: skip


@pytest.mark.parametrize("path", sorted((ROOT / "core").rglob("*.py")), ids=lambda path: path.name)
def test_counted_lines_are_as_many_as_radon_counts(path: Path) -> None:
    assert len(counted_lines(path)) == analyze(path.read_text()).sloc


def test_style_is_no_difference(project: Path) -> None:
    first = values(project)
    path = project / "impl_toy" / "pipelines" / "training" / "training.py"
    path.write_text(PIPELINE.replace("[one(1) for", "[\n        one(1)\n        for").replace("\n\n\n", "\n"))
    assert values(project) == first


def test_missing_adapter_leaves_only_the_glue_unmeasured(project: Path) -> None:
    (project / "impl_toy" / "adapter.py").unlink()
    without = {s.metric: s for s in counted(project) if s.value is None}
    assert list(without) == ["authoring.glue_sloc"]
    assert "adapter.py" in without["authoring.glue_sloc"].note


@pytest.mark.parametrize("text", ["def broken(:\n", None])
def test_code_that_cannot_be_read_is_not_measured_and_says_why(project: Path, text: str | None) -> None:
    for path in (project / "impl_toy" / "pipelines" / "training").glob("*.py"):
        path.write_text(text) if text else path.unlink()
    samples = {s.metric: s for s in counted(project)}
    assert samples["authoring.sloc"].value is None
    assert samples["authoring.sloc"].note.startswith("failed: ")
    assert samples["authoring.glue_sloc"].value == 2


def test_language_that_nothing_counts_is_not_measured_and_says_so(project: Path) -> None:
    samples = {s.metric: s for s in counted(project, "Cobol")}
    assert (samples["authoring.sloc"].value, samples["authoring.sloc"].note) == (None, "failed: nothing counts Cobol")
    assert samples["authoring.glue_sloc"].value == 2


def test_what_other_pipelines_have_is_not_counted(project: Path) -> None:
    before = values(project)
    pipelines = project / "impl_toy" / "pipelines"
    for name, text in {"other/other.py": "A = 1\n", "other/other.ini": "a = 1\n", "unused.py": "B = 2\n"}.items():
        (pipelines / name).parent.mkdir(exist_ok=True)
        (pipelines / name).write_text(text)
    assert values(project) == before


def test_what_a_pipeline_imports_and_shared_configuration_is_counted(project: Path) -> None:
    before = values(project)
    pipelines = project / "impl_toy" / "pipelines"
    (pipelines / "shared.toml").write_text("a = 1\n")
    (pipelines / "first.py").write_text("import second\nX = second.Y\n")
    (pipelines / "second.py").write_text("Y = 1\n")
    (pipelines / "training" / "more.py").write_text("from first import X\n")
    after = values(project)
    assert after["sloc"] == before["sloc"] + 4
    assert after["config_lines"] == before["config_lines"] + 1
    assert after["symbols"] == before["symbols"]
    names = [path.name for path in written(project / "impl_toy", "training")]
    assert names == ["helper.py", "more.py", "prefect.yaml", "training.py", "first.py", "second.py", "shared.toml"]


def test_pipeline_without_code_of_its_own_is_not_measured_and_says_so(project: Path) -> None:
    samples = count(project, "toy", "chain")
    assert {s.value for s in samples} == {None}
    assert {s.note for s in samples} == {
        "not measured: no code for chain alone; it is conducted as any declared graph is"
    }


@pytest.mark.parametrize("engine", ["airflow", "prefect", "dagster"])
def test_real_pipelines_are_measured(engine: str) -> None:
    found = {s.metric: s.value for s in count(ROOT, engine, "training")}
    assert found["authoring.sloc"] > 10
    assert found["authoring.symbols"] >= 2

"""What a text tells its reader, on tracebacks written by hand; and the bug that is planted in a pipeline file."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from doubles import BringUp, Double, DoubleEndpoint, Unable

from bench.contract import registry
from bench.contract.endpoint import RunState, StepState
from bench.contract.records import Evidence, Run, Sample
from bench.contract.words import Ability, AbilityTable, Status
from bench.observe.journal import parse
from bench.observe.reading import load
from bench.observe.watching import Sighting
from bench.questions import broken_file, debugging
from bench.questions.broken_file import MISSING_MODULE, pipeline_file
from bench.questions.debugging import BUGS, EXCEPTION, IMPORT, RENAMED, Bug, Reading
from bench.run.conductor import Conductor
from bench.run.observation import Observation
from bench.session.workspace import PROJECT

LOCATED = replace(RENAMED, file="validate.py")
OWN = ("/project/core", "/scratch/pipelines")
PYTHON = """\
[10:00:01] INFO  starting

Traceback (most recent call last):
  File "/engine/site-packages/engine/runner.py", line 88, in run
    return task()
  File "/engine/site-packages/engine/call.py", line 12, in call
    return function()
  File "/scratch/pipelines/training.py", line 40, in train
    return steps.train(config, features)
  File "/project/core/faults.py", line 60, in _defect
    learning_rates[fault.step]
KeyError: 'train'
"""
STRUCTURED = (
    '{"event": "Task failed", "error_detail": [{"exc_type": "KeyError", "frames": '
    '[{"filename": "/project/core/faults.py", "lineno": 60}]}]}'
)


def test_python_traceback() -> None:
    assert debugging.read(PYTHON, EXCEPTION, OWN) == Reading(
        names_exception=True, names_file=True, names_line=True,
        lines_to_cause=11, cause_line=12, framework_frames=2,
    )  # fmt: skip


def test_structured_traceback_has_no_frames_to_count() -> None:
    found = debugging.read(STRUCTURED, EXCEPTION, OWN)
    assert (found.names_exception, found.names_file, found.cause_line) == (True, True, 1)
    assert found.framework_frames is None


def test_file_and_line_in_the_style_of_a_compiler() -> None:
    found = debugging.read("core/steps/validate.py:31 DataError: rule columns", LOCATED, OWN)
    assert (found.names_exception, found.names_file, found.names_line) == (True, True, True)
    assert found.lines_to_cause == 1


def test_file_without_its_line() -> None:
    found = debugging.read("DataError in validate.py: rule columns", LOCATED, OWN)
    assert (found.names_file, found.names_line) == (True, False)


@pytest.mark.parametrize("text", ["", "\n\n", "The run failed.", "MyKeyErrors are many, KeyErrors too"])
def test_text_that_tells_nothing(text: str) -> None:
    assert debugging.read(text, EXCEPTION, OWN) == Reading(
        names_exception=False, names_file=False, names_line=False,
        lines_to_cause=None, cause_line=0, framework_frames=None,
    )  # fmt: skip


def test_traceback_of_the_engine_alone_reaches_nothing_of_the_user() -> None:
    text = PYTHON.replace("/scratch/pipelines", "/engine").replace("/project/core", "/engine")
    assert debugging.read(text, EXCEPTION, OWN).framework_frames is None


def test_folder_whose_name_only_begins_alike_is_not_the_users() -> None:
    text = PYTHON.replace("/engine/site-packages", "/project/core-of-another")
    assert debugging.read(text, EXCEPTION, OWN).framework_frames == 2


def test_bug_whose_file_is_not_known_is_never_located() -> None:
    found = debugging.read("DataError: rule columns", RENAMED, OWN)
    assert (found.names_exception, found.names_file, found.names_line) == (True, False, False)


def test_file_of_the_planted_exception_is_there() -> None:
    assert list((PROJECT / "core").rglob(EXCEPTION.file))


FILES = {
    "plain": "import os\n",
    "future": '"""Text."""\nfrom __future__ import annotations\n\nimport os\n',
    "docstring": '"""Text\nfrom here\nimport this.\n"""\nfrom __future__ import annotations\nfrom os import path\n',
    "comment": "# import nothing\nfrom __future__ import annotations\nif True:\n    import os\nimport sys\n",
}


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_bad_import_fails_when_the_file_is_imported(text: str, tmp_path: Path) -> None:
    file = tmp_path / "training.py"
    file.write_text(text)
    assert subprocess.run([sys.executable, file], check=False).returncode == 0
    file.write_text(broken_file._with_bad_import(text))
    ended = subprocess.run([sys.executable, file], check=False, capture_output=True, text=True)
    assert ended.stderr.splitlines()[-1] == f"ModuleNotFoundError: No module named '{MISSING_MODULE}'"


@pytest.mark.parametrize("engine", registry.engines())
def test_bad_import_is_the_first_in_each_engines_file(engine: str) -> None:
    text = (PROJECT / f"impl_{engine}" / "pipelines" / "training" / "training.py").read_text()
    planted = broken_file._with_bad_import(text)
    imports = [node for node in ast.parse(planted).body if isinstance(node, ast.Import | ast.ImportFrom)]
    own = [node for node in imports if not (isinstance(node, ast.ImportFrom) and node.module == "__future__")]
    assert isinstance(own[0], ast.Import)
    assert own[0].names[0].name == MISSING_MODULE
    assert planted.replace(f"import {MISSING_MODULE}\n", "") == text


def failed_run(*sightings: tuple[float, Status, Status | None]) -> Observation:
    common = {"run": "r1", "step": "train", "attempt": 1, "pid": 1, "thread": 1}
    records = [
        {"t_ns": 1_000_000_000, "event": "start", **common},
        {"t_ns": 2_000_000_000, "event": "error", "error": "KeyError", "message": "train", **common},
    ]
    seen = [
        Sighting(round(at_s * 1e9), RunState(status, {"train": StepState(step)} if step else {}))
        for at_s, status, step in sightings
    ]
    run = Run(run_id="r1", engine="double", pipeline="training", track="stock", mode="served")
    return Observation(run, parse(records), tuple(seen))


@pytest.mark.parametrize(
    ("sightings", "visible_s"),
    [
        ([(1.5, Status.RUNNING, Status.RUNNING), (2.5, Status.FAILED, None)], 0.5),
        ([(2.25, Status.RUNNING, Status.RETRYING), (9.0, Status.FAILED, Status.FAILED)], 0.25),
        ([(2.75, Status.RUNNING, Status.FAILED), (9.0, Status.FAILED, None)], 0.75),
        ([(1.5, Status.FAILED, None)], None),
        ([(2.5, Status.RUNNING, None)], None),
        ([], None),
    ],
)
def test_visible_from_the_first_sign_after_the_error(
    bring_up: BringUp, sightings: list[tuple[float, Status, Status | None]], visible_s: float | None
) -> None:
    session, conductor = bring_up()
    debugging._store(conductor, session, EXCEPTION, debugging._step_failure("train", failed_run(*sightings), PYTHON))
    (found,) = [s for s in load(conductor.store.folder, Sample) if s.metric == "debugging.exception.visible_s"]
    assert found.value == visible_s
    assert bool(found.note) == (visible_s is None)


def samples(conductor: Conductor, bug: Bug) -> dict[str, object]:
    prefix = f"debugging.{bug.name}."
    found = [s for s in load(conductor.store.folder, Sample) if s.metric.startswith(prefix)]
    assert len({s.metric for s in found}) == len(found)
    return {s.metric.removeprefix(prefix): s.value for s in found}


def test_planted_bugs_on_a_real_engine(bring_up: BringUp) -> None:
    session, conductor = bring_up()
    original = pipeline_file(session, "training").read_text()
    debugging.exception(conductor, session)
    debugging.renamed_column(conductor, session)
    debugging.import_error(conductor, session)
    for bug in BUGS:
        found = samples(conductor, bug)
        assert isinstance(found.pop("visible_s"), float)
        assert isinstance(found.pop("unasked_s", 0.0), float)
        assert isinstance(found.pop("lines_to_cause"), float)
        assert found == {"names_exception": 1.0, "names_file": 1.0, "names_line": 1.0, "framework_frames": 0.0}
    assert pipeline_file(session, "training").read_text() == original
    told = {one.scenario: one for one in load(conductor.store.folder, Evidence)}
    assert set(told) == {"exception", "renamed_column", "import_error"}
    for bug in BUGS:
        assert bug.exception in told[bug.name].text.splitlines()[told[bug.name].cause_line - 1]
        assert str(session.scratch) not in told[bug.name].text
        assert str(PROJECT) not in told[bug.name].text
    assert {run.outcome for run in load(conductor.store.folder, Run)} == {"failed as expected"}


def test_import_error_of_an_engine_that_shows_it_only_in_a_run(bring_up: BringUp) -> None:
    session, conductor = bring_up(Unable)
    assert not callable(session.endpoint.abilities()[Ability.DEPLOYMENT_ERROR])
    original = pipeline_file(session, "training").read_text()
    debugging.import_error(conductor, session)
    found = samples(conductor, IMPORT)
    assert found["names_exception"] == 1.0
    assert isinstance(found["visible_s"], float)
    assert found["unasked_s"] is None
    assert pipeline_file(session, "training").read_text() == original


class SleepsEndpoint(DoubleEndpoint):
    """Knows of the files what it found when it was last asked to read them."""

    asked, found = 0, ""

    def abilities(self) -> AbilityTable:
        return {**super().abilities(), Ability.READ_AGAIN: self._read, Ability.DEPLOYMENT_ERROR: lambda: self.found}

    def _read(self, pipeline: str) -> None:
        assert self.deployed(pipeline)
        self.asked, self.found = self.asked + 1, self._deployment_error()


class Sleeps(Double):
    asked = SleepsEndpoint


def test_a_broken_file_is_asked_for_once_and_the_unasked_time_is_told(
    bring_up: BringUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that looks at its files on request only never notices by itself; being asked counts but once."""
    monkeypatch.setattr(broken_file, "UNASKED_LIMIT_S", 1.0)
    session, conductor = bring_up(Sleeps)
    debugging.import_error(conductor, session)
    (unasked,) = [s for s in load(conductor.store.folder, Sample) if s.metric == "debugging.import_error.unasked_s"]
    assert (unasked.value, unasked.note) == (None, "> 1 s")
    assert isinstance(samples(conductor, IMPORT)["visible_s"], float)
    assert session.endpoint.asked == 3, "once for the broken file, and once to mend each"
    (told,) = load(conductor.store.folder, Evidence)
    assert told.source.endswith("on request")


def test_what_is_noticed_unasked_stands_where_there_is_no_request(bring_up: BringUp) -> None:
    session, conductor = bring_up()
    debugging.import_error(conductor, session)
    found = samples(conductor, IMPORT)
    assert isinstance(found["visible_s"], float)
    assert found["visible_s"] == found["unasked_s"]
    assert not load(conductor.store.folder, Run), "no run was needed"


def test_file_is_mended_even_if_the_error_is_never_shown(bring_up: BringUp, monkeypatch: pytest.MonkeyPatch) -> None:
    session, conductor = bring_up()
    file = pipeline_file(session, "training")
    original = file.read_text()

    def unreachable(*_: object, **__: object) -> None:
        assert file.read_text() != original
        raise KeyboardInterrupt

    monkeypatch.setattr(broken_file, "wait_until", unreachable)
    with pytest.raises(KeyboardInterrupt):
        debugging.import_error(conductor, session)
    assert file.read_text() == original

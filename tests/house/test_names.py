"""No name of an engine, a pipeline or a step stands outside of its own folder, tests and prose."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from names import Met, met

from core.declaration import Pipeline, pipelines

PROJECT = Path(__file__).parents[2]
ENGINES = sorted(path.parent.name.removeprefix("impl_") for path in PROJECT.glob("impl_*/adapter.py"))
PIPELINES = {one.name: one for one in pipelines()}
STEPS = sorted({step.function for one in pipelines() for step in one.graph({})})
FIRST_SCHEMA = frozenset({"bench/observe/first_schema.py"})
"""What reads results of the first schema, in which the names stand."""
ORDINARY = {
    "branch": "a kind of step",
    "cleanup": "an ability: what runs after a failure too",
    "day": "of a backfill",
    "deploy": "what is done with pipelines before they can run",
    "plan": "what is to be measured",
    "roll_back": "what people do after a bad deployment",
    "work": "what a function or a recovery does",
}
"""Steps that are called by a word that also means something else: for what else it is used."""


def own(one: Pipeline) -> tuple[str, ...]:
    """Where a pipeline's name may stand: in its folder, and in that of the functions of its steps."""
    code = one.code.replace(".", "/")
    folders = [f"impl_{engine}/{kind}/{one.name}/" for engine in ENGINES for kind in ("pipelines", "variants")]
    return (f"core/pipelines/{one.name}/", *folders, *([f"{code}/", f"{code}.py"] if code else []))


def found_of(step: str) -> list[Met]:
    places = [own(one) for one in pipelines() if step in {each.function for each in one.graph({})}]
    return met(step, PROJECT, tuple(place for each in places for place in each), FIRST_SCHEMA)


def said(found: list[Met]) -> str:
    return "\n".join(f"{one.path}:{one.line}: {one.text[:100]}" for one in found)


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_is_named_in_its_folder_alone(engine: str) -> None:
    found = met(engine, PROJECT, (f"impl_{engine}/",), FIRST_SCHEMA)
    assert not found, said(found)


@pytest.mark.parametrize("name", PIPELINES)
def test_a_pipeline_is_named_in_its_folders_alone(name: str) -> None:
    found = met(name, PROJECT, own(PIPELINES[name]), FIRST_SCHEMA)
    assert not found, said(found)


@pytest.mark.parametrize("step", sorted(set(STEPS) - ORDINARY.keys()))
def test_a_step_is_named_in_its_pipelines_folders_alone(step: str) -> None:
    found = found_of(step)
    assert not found, said(found)


def test_ordinary_words_are_steps_that_are_met() -> None:
    assert ORDINARY.keys() <= set(STEPS)
    assert not ORDINARY.keys() & {*ENGINES, *PIPELINES}
    unmet = [step for step in ORDINARY if not found_of(step)]
    assert not unmet, f"they need no exception: {unmet}"


PLANTED = {
    "bench/camel.py": "class RiverFlow:\n    pass\n",
    "bench/snake.py": "def after_river():\n    pass\n",
    "bench/attribute.py": "import os\nos.river\n",
    "bench/text.py": "TITLE = 'on the river-bank'\n",
    "bench/formatted.py": "TITLE = f'{a_river} or {of[1].river}'\n",
    "bench/keyword.py": "TITLE = f'{made(river=1)}'\n",
    "bench/river.py": "",
    "reports/page.html.j2": "<p>{{ river }}</p>\n",
    "reports/style.css": ".river { color: blue }\n",
    "reports/script.js": "const river = 1\n",
    "tox.ini": "[testenv:river]\n",
    "pyproject.toml": 'packages = ["impl_river"]\n',
}
INNOCENT = {
    "bench/prose.py": '"""Of a river."""\n\nX = 1\n"""A river."""\n# river\n\n\ndef f():\n    """The river."""\n',
    "bench/words.py": "driver, rivers, Riverside = 1, 'arrived', 'the drivers'\n",
    "reports/prose.html.j2": "{# a river #}\n<p></p>\n",
    "reports/prose.css": "/* a river */\n",
    "reports/prose.js": "// a river\n",
    "setup.toml": "# a river\n",
    "impl_river/adapter.py": "NAME = 'river'\n",
    "bench/old.py": "NAME = 'river'\n",
    "tests/test_river.py": "NAME = 'river'\n",
    "README.md": "A river.\n",
}


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    for name, content in (PLANTED | INNOCENT).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "--all"], cwd=tmp_path, check=True)
    return tmp_path


def test_planted_names_are_found_and_nothing_else(sources: Path) -> None:
    found = {one.path for one in met("river", sources, ("impl_river/",), frozenset({"bench/old.py"}))}
    assert found == set(PLANTED)


def test_a_name_of_two_words_is_found_however_it_is_written(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    (tmp_path / "a.py").write_text("FarRiver = far_river = 'far-river'\nriver_far = 'far from the river'\n")
    subprocess.run(["git", "add", "--all"], cwd=tmp_path, check=True)
    assert [one.text for one in met("far_river", tmp_path, ())] == ["far-river", "FarRiver", "far_river"]

"""README and CONTRIBUTING say what is: their commands, options, codes, folders and files exist."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import check_layers
import pytest
import typer.main

import bench.contract.records
from bench import cli
from bench.contract import registry
from bench.contract.words import Track
from bench.observe.reading import FILES
from bench.plan import pipelines
from bench.plan.budgets import BUDGETS
from bench.plan.sweep import checked
from bench.questions.discovery import groups
from core.declaration import Part, pipeline
from core.declaration import pipelines as declared
from core.pipelines.training.settings import Validation
from core.pipelines.training.source import GIVEN

PROJECT = Path(__file__).parents[1]
README = (PROJECT / "README.md").read_text()
CONTRIBUTING = (PROJECT / "CONTRIBUTING.md").read_text()
DOCUMENTS = {"README.md": README, "CONTRIBUTING.md": CONTRIBUTING}
MEASURE, TEST = "pip install tox && tox -e bench", "pip install tox && tox"
COMMANDS = typer.main.get_group(cli.app).commands
MENTIONED = re.compile(r"tox (?:exec )?-e ([a-z]+)")


def section(text: str, title: str) -> str:
    """What stands below a heading."""
    return text.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def blocks(text: str) -> list[str]:
    """The lines of the code blocks."""
    return [line.strip() for line in text.splitlines() if line.startswith("    ")]


def table(text: str) -> dict[str, str]:
    """First column -> second, of every row of the tables in a text."""
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| ")]
    return {row[0].strip(): row[1].strip() for row in rows}


def options(name: str) -> set[str]:
    return {flag for one in COMMANDS[name].params for flag in one.opts if flag.startswith("--")}


def environments() -> set[str]:
    """The environments of tox.ini, and those of the engines, which toxfile.py adds."""
    sections = configparser.ConfigParser(interpolation=None)
    sections.read(PROJECT / "tox.ini")
    names = {name.removeprefix("testenv:") for name in sections.sections() if name.startswith("testenv:")}
    return names | set(registry.engines())


def test_the_two_commands() -> None:
    assert MEASURE in blocks(README)
    assert TEST in blocks(README)


def test_ci_runs_the_commands_of_the_readme() -> None:
    lines = (PROJECT / ".ci" / "run").read_text().splitlines()
    assert TEST in lines
    assert f"{MEASURE} -- --budget quick" in lines


@pytest.mark.parametrize("document", DOCUMENTS)
def test_environments_exist(document: str) -> None:
    named = set(MENTIONED.findall(DOCUMENTS[document]))
    assert named
    assert named <= environments()


def test_a_bare_tox_runs_every_test_environment() -> None:
    told = tox_list(PROJECT)
    assert names_in(told.partition("additional environments")[0]) == environments() - {"bench", "report"}


def test_an_engines_environment_is_there_with_its_folder(tmp_path: Path) -> None:
    for name in ("tox.ini", "toxfile.py"):
        shutil.copy2(PROJECT / name, tmp_path)
    (tmp_path / "impl_toy").mkdir()
    (tmp_path / "impl_toy" / "adapter.py").touch()
    told = tox_list(tmp_path)
    assert names_in(told) == environments() - set(registry.engines()) | {"toy"}
    assert "the conformance tests against toy" in told


def tox_list(project: Path) -> str:
    return subprocess.run(
        [sys.executable, "-m", "tox", "list"], cwd=project, capture_output=True, text=True, check=True
    ).stdout


def names_in(told: str) -> set[str]:
    return {line.split()[0] for line in told.splitlines() if " -> " in line}


def test_tox_provides_itself_with_uv() -> None:
    assert re.search(r"^requires = tox-uv", (PROJECT / "tox.ini").read_text(), re.MULTILINE)


@pytest.mark.parametrize(("environment", "name"), [("bench", "run"), ("report", "report")])
def test_commands_given_to_tox_are_understood(environment: str, name: str) -> None:
    given = [line.split(" -- ", 1)[1] for line in blocks(README) if f"tox -e {environment} -- " in line]
    assert given
    for arguments in given:
        assert {word for word in arguments.split() if word.startswith("-")} <= options(name)


def test_every_option_is_explained_and_exists() -> None:
    explained = set(re.findall(r"--[a-z-]+", "".join(table(section(README, "Options")))))
    assert explained == options("run") - {"--help"}


def test_every_command_is_named_and_exists() -> None:
    assert set(re.findall(r"\./orchbench ([a-z]+)", README)) == set(COMMANDS)


def test_the_program_runs_as_the_readme_says() -> None:
    for program in ([sys.executable, "-m", "bench"], ["./orchbench"]):
        said = subprocess.run([*program, "--help"], cwd=PROJECT, capture_output=True, check=True)
        assert all(name in said.stdout.decode() for name in COMMANDS)


def test_values_of_options() -> None:
    explained = table(section(README, "Options"))
    of_option = {
        "--engine": registry.engines(), "--track": Track, "--only": groups(), "--budget": BUDGETS,
        "--pipeline": pipelines.known(),
    }  # fmt: skip
    for option, values in of_option.items():
        assert all(f"`{value}`" in explained[f"`{option}`"] for value in values), option
    assert all(f"`{name}` (the default)" in explained["`--pipeline`"] for name in pipelines.default())
    defaults = {one.opts[-1]: one.default for one in COMMANDS["run"].params}
    assert f"`{defaults['--budget']}` (the default)" in explained["`--budget`"]
    assert f"; {defaults['--seed']} if not given" in explained["`--seed`"]
    assert f"`{Path(str(defaults['--output'])).name}` if not given" in explained["`--output`"]


def test_points_that_can_be_chosen() -> None:
    told = section(README, "When it breaks")
    assert all(f"`{part}`" in told for part in Part)
    given = re.findall(r"(?:--at |as `)([a-z]\S*?)[`\s]", told)
    assert given
    assert all(checked(word, pipeline(pipelines.default()[0])) for word in given)


def test_every_pipeline_is_named() -> None:
    assert all(f"`{one.name}`" in README for one in declared())


def test_budgets() -> None:
    rows = table(section(README, "Options"))
    deadlines = {one.name: f"{one.limit_s / 60:.0f} minutes" if one.limit_s else "none" for one in BUDGETS.values()}
    assert all(rows[f"`{name}`"] == deadline for name, deadline in deadlines.items())
    assert f"measures for {deadlines['standard']}" in README
    assert f"`tox -e bench -- --budget quick` takes {deadlines['quick']}" in README
    assert f"at least {BUDGETS['standard'].blocks} blocks" in README


def test_limits_of_own_data() -> None:
    rules = Validation(**GIVEN)
    said = f"At least {rules.min_rows} rows, and a target of 2 to {rules.max_classes} classes"
    assert said in section(README, "Your own data")


def test_exit_codes() -> None:
    codes = {int(code) for code in table(section(README, "Commands")) if code.isdigit()}
    assert codes == {0} | {value for name, value in vars(cli.codes).items() if name.startswith("EXIT_")}


def test_files_of_a_result() -> None:
    listed = {line.split()[0] for line in blocks(section(README, "The result"))}
    documented = re.findall(r"^([a-z]+[./]\S*)", bench.contract.records.__doc__ or "", re.MULTILINE)
    assert documented
    assert listed >= {re.sub(r"<.*", "", name) for name in documented} | set(FILES.values())


def layout() -> list[str]:
    """The folders and files of the picture, from the checkout; what is indented lies in what stands above it."""
    found: list[str] = []
    within = ""
    for line in section(CONTRIBUTING, "Layout").splitlines():
        if line.startswith("    "):
            name = line.split()[0]
            found.append(f"{within}{name}" if line.startswith("      ") else name)
            within = within if line.startswith("      ") else name
    return found


def test_folders_of_the_layout_exist() -> None:
    missing = [name for name in layout() if not list(PROJECT.glob(name.replace("<engine>", "*")))]
    assert not missing


def test_the_layout_has_every_folder() -> None:
    packages = {path.parent for path in PROJECT.glob("*/*/__init__.py")} - {PROJECT / "tests"}
    names = {f"{path.relative_to(PROJECT)}/" for path in packages}
    assert {re.sub(r"^impl_[a-z]+", "impl_<engine>", name) for name in names} <= set(layout())


def test_the_layout_is_in_the_order_of_the_layers() -> None:
    layers = [one.strip() for layer in check_layers.ALL for one in layer.split("|")]
    modules = [name.removesuffix("/").removesuffix(".py").replace("/", ".") for name in layout()]
    stands = [next(at for at, name in enumerate(modules) if f"{name}.".startswith(f"{one}.")) for one in layers]
    assert stands == sorted(stands)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_is_named_exists(document: str) -> None:
    """Paths and modules; not those of the recipes' examples, which are to be added."""
    text = DOCUMENTS[document]
    named = set(re.findall(r"`([^`\s<>]+)`", text)) - set(re.findall(r"such as\s`([^`]+)`", text))
    ours = {one for one in named if re.match(r"(?:bench|core|reports|tests)[/.]", one)}
    places = [PROJECT / (one if "/" in one else one.replace(".", "/")) for one in ours]
    assert places
    assert not [str(one) for one in places if not one.exists() and not one.with_suffix(".py").exists()]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", DOCUMENTS[document]):
        assert (PROJECT / link).exists(), link


def test_no_tool_lists_engines() -> None:
    texts = [
        (PROJECT / name).read_text() for name in ("tox.ini", "toxfile.py", "pyproject.toml", "tests/check_layers.py")
    ]
    for name in registry.engines():
        assert not [text for text in texts if name in text.lower()], f"its folder is enough: {name}"


def test_changelog_has_this_version() -> None:
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
    assert f"\n## {version}" in (PROJECT / "CHANGELOG.md").read_text()

"""The commands as a user types them: each in a process of its own."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from bench import cli
from bench.cli.codes import EXIT_USAGE
from bench.contract import registry
from bench.plan.budgets import BUDGETS
from bench.plan.scenarios import GROUPS, SCENARIOS
from bench.questions.discovery import groups
from bench.session.workspace import PROJECT

LIMIT_S = 120


def orchbench(*arguments: str, cwd: Path = PROJECT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench", *arguments], cwd=cwd, capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(PROJECT), "COLUMNS": "200", "NO_COLOR": "1"} | environment, timeout=LIMIT_S,
    )  # fmt: skip


def test_list_names_engines_budgets_and_questions() -> None:
    told = orchbench("list")
    assert told.returncode == 0, told.stderr
    for name in (*registry.engines(), *BUDGETS, *groups(), *SCENARIOS):
        assert name in told.stdout
    assert registry.adapter("prefect").title in told.stdout
    assert "48" not in told.stdout  # minutes, not seconds
    assert told.stderr == ""


def test_list_tells_what_is_not_installed(tmp_path: Path) -> None:
    told = orchbench("list", ORCHBENCH_ENVIRONMENTS=str(tmp_path))
    assert told.stdout.count("not installed: tox -e ") == len(registry.engines())


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_help_of_each_command_has_an_example_that_works(name: str) -> None:
    told = orchbench(name, "--help")
    assert told.returncode == 0
    (example,) = re.findall(r"^ *Example: ./orchbench (.*)$", told.stdout, re.MULTILINE)
    command, *arguments = shlex.split(example)
    get_command(cli.app).commands[command].make_context(command, [*arguments])  # type: ignore[attr-defined]
    if command in ("compare", "history", "list"):  # those that neither write nor measure anything
        assert orchbench(command, *arguments).returncode == 0


def test_scenarios_are_listed_by_group_in_a_sentence_with_their_cost() -> None:
    told = orchbench("list").stdout
    for title, scenarios in GROUPS.items():
        assert f"faults  {title}\n" in told
        for one in scenarios:
            (sentence,) = re.findall(rf"^fault +{one.key} +(.*)$", told, re.MULTILINE)
            assert re.fullmatch(rf"{re.escape(one.title)}.*: the run should .*; some \d+ s an engine\.", sentence)


def test_doctor_finds_this_machine_able_and_names_what_is_missing(tmp_path: Path) -> None:
    told = orchbench("doctor", ORCHBENCH_ENVIRONMENTS=str(tmp_path))
    assert told.returncode == 0, told.stdout
    assert "BAD" not in told.stdout
    for name in registry.engines():
        assert f"note {name}: no environment at" in told.stdout


def test_what_draws_is_not_loaded_before_something_is_drawn() -> None:
    asked = "print('altair.vegalite' in sys.modules, bool(alt.Chart), 'altair.vegalite' in sys.modules)"
    program = f"import sys; from bench import cli; from reports.draw.deferred import alt; {asked}"
    told = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["False", "True", "True"]


@pytest.mark.parametrize("command", [(), ("run",), ("chaos",)])
def test_help(command: tuple[str, ...]) -> None:
    told = orchbench(*command, "--help")
    assert told.returncode == 0
    assert "Usage:" in told.stdout
    assert told.stderr == ""


GOOD = "a,y\n" + "".join(f"{n},{n % 2}\n" for n in range(5))
BAD = {
    "unknown engine": (["--engine", "nobody"], "unknown engine 'nobody'; found in"),
    "no version": (["--with", "airflow"], "--with airflow: not an engine with a version; write it as airflow==1.2.3"),
    "version of another": (["--engine", "prefect", "--with", "airflow==3.3.1"], "add --engine airflow"),
    "unknown question": (["--only", "luck"], "--only luck: there is no such question; there are code, setup, runtime"),
    "unknown pipeline": (["--pipeline", "tube"], "--pipeline tube: there is no such pipeline; there are "),
    "again what is not measured": (["--engine", "prefect", "--again", "dagster"], "--again dagster: is not measured"),
    "target without data": (["--target", "y"], "--target: needs --data FILE.csv"),
    "missing file": (["--data", "none.csv", "--target", "y"], "none.csv: "),
    "target that is no column": (["--data", "good.csv", "--target", "z"], "no column 'z'; its columns are a, y"),
    "header alone": (["--data", "header.csv", "--target", "y"], "has a header but no rows"),
    "ragged file": (["--data", "ragged.csv", "--target", "y"], "cannot be read as CSV"),
    "resuming beside what it ignores": (["--resume", "results"], "--output: a result is gone on with as it was begun"),
}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    contents = {"good": GOOD, "header": "a,y\n", "ragged": "a,y\n1,0\n1,2,3,4\n"}
    for name, text in contents.items():
        (tmp_path / f"{name}.csv").write_text(text)
    return tmp_path


@pytest.mark.parametrize(("arguments", "reason"), BAD.values(), ids=BAD)
def test_bad_arguments_are_told_in_one_line_and_nothing_is_made(files: Path, arguments: list[str], reason: str) -> None:
    before = sorted(files.iterdir())
    told = orchbench("run", *arguments, "--output", str(files / "results"), cwd=files)
    assert told.returncode == EXIT_USAGE
    (line,) = told.stderr.splitlines()
    assert line.startswith("orchbench: ")
    assert reason in line
    assert told.stdout == ""
    assert sorted(files.iterdir()) == before


def test_resuming_what_is_no_result_is_told_in_one_line(files: Path) -> None:
    told = orchbench("run", "--resume", "results", cwd=files)
    assert told.returncode == EXIT_USAGE
    (line,) = told.stderr.splitlines()
    assert "results: not a result folder" in line
    assert not (files / "results").exists()


@pytest.mark.parametrize(
    "arguments", [["run", "--budget", "endless"], ["run", "--track", "fast"], ["run", "--seed", "x"]]
)
def test_values_that_no_option_takes(arguments: list[str]) -> None:
    told = orchbench(*arguments)
    assert told.returncode == EXIT_USAGE
    assert "Invalid value" in told.stderr
    assert "Traceback" not in told.stderr


@pytest.mark.parametrize("content", [None, "{}"], ids=["empty folder", "other manifest"])
def test_report_of_what_is_no_result(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    before = sorted(tmp_path.iterdir())
    told = orchbench("report", str(tmp_path))
    assert told.returncode == EXIT_USAGE
    (line,) = told.stderr.splitlines()
    assert line.startswith(f"orchbench: {tmp_path}: not a result folder: ")
    assert sorted(tmp_path.iterdir()) == before


def test_report_that_finds_no_room(tmp_path: Path) -> None:
    folder = shutil.copytree(PROJECT / "reports/kept/2026-11-22-standard", tmp_path / "result")
    before = (folder / "summary.json").read_bytes()
    limited = ["prlimit", "--fsize=1000", sys.executable, "-m", "bench", "report", str(folder)]
    told = subprocess.run(limited, capture_output=True, text=True, check=False)
    assert told.returncode == EXIT_USAGE
    (line,) = told.stderr.splitlines()
    assert line.startswith(f"orchbench: {folder}: the report cannot be written: File too large; ")
    assert (folder / "summary.json").read_bytes() == before


def test_no_command_shows_the_help() -> None:
    told = orchbench()
    assert told.returncode == EXIT_USAGE
    assert "Usage:" in told.stdout + told.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--fault", "rain"], "--fault rain: there is no such fault; there are transient_error,"),
        (["--at", "tea"], "--at tea: not a point; write submit"),
        (["--engine", "nobody"], "unknown engine 'nobody'"),
        (["--pipeline", "tea"], "--pipeline tea: there is no such pipeline; there are"),
        (["--role", "boss"], "'boss' is not one of"),
    ],
)
def test_chaos_tells_wrong_words_before_anything_starts(arguments: list[str], said: str, tmp_path: Path) -> None:
    told = orchbench("chaos", *arguments, "--output", str(tmp_path / "results"))
    assert told.returncode == EXIT_USAGE
    assert said in " ".join(told.stderr.split())
    assert not (tmp_path / "results").exists()

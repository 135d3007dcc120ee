"""The engines' environments: where they are, whose Python they are of, and whether they were made where they are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench.cli import machine
from bench.contract.errors import EngineError, UsageError
from bench.contract.processes import Command
from bench.session import environments
from bench.session.supervisor import Supervisor


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ORCHBENCH_ENVIRONMENTS", str(tmp_path / "environments"))
    return tmp_path / "environments"


def made(folder: Path) -> Path:
    """An empty environment of this Python, with a program in it."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (folder / "bin" / "program").write_text(f"#!{folder}/bin/python3\nprint(1)\n")
    return folder


def test_tox_is_told_where_the_environments_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORCHBENCH_ENVIRONMENTS", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOX_WORK_DIR", "elsewhere")
    asked: list[Command] = []

    def run(_: str, command: Command) -> None:
        asked.append(command)
        made(tmp_path / "elsewhere" / "prefect")

    assert environments.ensure("prefect", SimpleNamespace(run=run)) == tmp_path / "elsewhere" / "prefect"  # type: ignore[arg-type]
    (command,) = asked
    assert command.argv[-2:] == ("--workdir", str(tmp_path / "elsewhere"))


def test_one_of_another_python_is_told_with_what_to_do(place: Path) -> None:
    (made(place / "prefect") / "lib" / environments.PYTHON).rename(place / "prefect" / "lib" / "python3.1")
    with pytest.raises(EngineError, match=r"prefect is not one of python3\.\d+, .*: tox -e prefect --notest"):
        environments.require("prefect")


def test_another_version_is_made_by_a_run(place: Path) -> None:
    with pytest.raises(EngineError, match=r"make it with: \./orchbench run --with airflow==3\.3\.1"):
        environments.require("airflow@3.3.1")


@pytest.mark.parametrize("left", ["half", "other python"])
def test_doctor_tells_a_broken_one_in_a_line(left: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = made(place / "prefect")
    if left == "other python":
        (folder / "lib" / environments.PYTHON).rename(folder / "lib" / "python3.1")
    machine.doctor()
    (line,) = (one for one in capsys.readouterr().out.splitlines() if "prefect" in one)
    assert line.startswith("note prefect: ")


@pytest.mark.parametrize("name", ["plain", "with a space"])
@pytest.mark.parametrize("shell", ["", "uv", "pip"])
def test_one_that_was_moved_is_known_by_its_programs(name: str, shell: str, tmp_path: Path) -> None:
    folder = made(tmp_path / name / "one")
    python, quote = f"{folder}/bin/python3", {"uv": "'", "pip": '"', "": ""}[shell]
    line = f"#!/bin/sh\n'''exec' {quote}{python}{quote} \"$0\" \"$@\"\n' '''\n" if shell else f"#!{python}\n"
    (folder / "bin" / "program").write_text(line)
    assert environments.made_elsewhere(folder) is None
    moved = folder.rename(folder.with_name("other"))
    assert environments.made_elsewhere(moved) == folder


def test_what_is_no_program_is_passed_over(tmp_path: Path) -> None:
    folder = made(tmp_path / "one")
    (folder / "bin" / "a folder").mkdir()
    (folder / "bin" / "a link").symlink_to("nowhere")
    (folder / "bin" / "a script").write_text("#!/usr/bin/env python3\n")
    assert environments.made_elsewhere(folder) is None


@pytest.mark.parametrize("change", ["another python", "moved"])
def test_another_versions_one_is_made_anew(
    change: str, place: Path, tmp_path: Path, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "double.txt"
    lock.write_text("# nothing is needed\n")
    commands: list[Any] = []
    monkeypatch.setattr(environments, "create_commands", lambda *_: commands.append(1) or [])
    made(place / "double@1")
    for _ in range(2):
        environments.ensure_version("double@1", ["double==1"], lock, supervisor)
    assert len(commands) == 1
    if change == "moved":
        (place / "double@1" / "bin" / "program").write_text("#!/elsewhere/double@1/bin/python3\n")
        with pytest.raises(EngineError, match="was made as /elsewhere/double@1"):
            environments.ensure_version("double@1", ["double==1"], lock, supervisor)
    else:
        monkeypatch.setattr(environments, "PYTHON", "python3.1")
        with pytest.raises(EngineError, match=r"is not one of python3\.1"):
            environments.ensure_version("double@1", ["double==1"], lock, supervisor)
    assert len(commands) == 2


def test_where_none_can_be_made_one_line_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a file").touch()
    monkeypatch.setenv("ORCHBENCH_ENVIRONMENTS", str(tmp_path / "a file" / "environments"))
    with pytest.raises(UsageError, match="no environments there: Not a directory; set TOX_WORK_DIR"):
        environments.need_folder()
    with pytest.raises(EngineError, match=r"prefect: no environment can be made in .*: Not a directory"):
        environments.ensure("prefect", SimpleNamespace())  # type: ignore[arg-type]


def test_doctor_finds_folders_that_cannot_be_written_to(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    allowed = os.access
    monkeypatch.setattr(machine, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(os, "access", lambda path, mode: path not in (place, tmp_path) and allowed(path, mode))
    with pytest.raises(machine.typer.Exit):
        machine.doctor()
    told = capsys.readouterr().out
    assert f"BAD  {place}: no environments there: cannot be written to" in told
    assert f"BAD  {tmp_path / 'results'}: no results there: {tmp_path} cannot be written to" in told


def test_what_is_installed_is_said_by_the_locks_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("UV_CONSTRAINT", "UV_OVERRIDE", "UV_EXCLUDE_NEWER", "UV_RESOLUTION", "UV_NO_DEPS", "UV_VENV_SEED"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("UV_INDEX_URL", "https://index.example")
    found = {name for name in environments.installer_environment() if name.startswith("UV_")}
    assert found >= {"UV_INDEX_URL", "UV_COMPILE_BYTECODE"}
    assert not [name for name in found if name.startswith(("UV_CONSTR", "UV_OVERR", "UV_EXCL", "UV_RES", "UV_NO_DEPS"))]
    assert "UV_VENV_SEED" not in found

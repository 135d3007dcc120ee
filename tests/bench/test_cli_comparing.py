"""`compare`, `history` and `export` as a user types them, with their exit codes."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
from made_results import HOST, Made, sample, samples
from test_cli import orchbench
from typer.testing import CliRunner

from bench.cli import app
from bench.cli.codes import EXIT_REGRESSION, EXIT_USAGE
from bench.contract.errors import UsageError
from bench.contract.records import Cell

STEADY = [10.0, 10.2, 9.9, 10.1, 10.0]
SLOWER = [value * 1.3 for value in STEADY]


def write(folder: Path, values: list[Any], changes: dict[str, Any] | None = None, **more: Any) -> str:
    return str(Made(samples(values, **more), changes=changes or {}).write(folder))


@pytest.fixture
def before(tmp_path: Path) -> str:
    return write(tmp_path / "before", STEADY)


def test_a_regression_has_its_own_exit_code_and_is_named(before: str, tmp_path: Path) -> None:
    after = write(tmp_path / "after", SLOWER, version="3.4.0")
    told = orchbench("compare", before, after, "--fail-above", "20")
    assert told.returncode == EXIT_REGRESSION, told.stderr
    (line,) = told.stderr.splitlines()
    assert line == ("regression: airflow runtime.makespan_s tuned · served: slower: 10.0 s in A, 13.1 s in B (1.30×)")
    assert "Apache Airflow 3.3.2 → 3.4.0" in told.stdout
    assert "slower (worse)" in told.stdout
    for harmless in ((before, after, "--fail-above", "40"), (before, after), (after, before, "--fail-above", "0")):
        assert CliRunner().invoke(app, ["compare", *harmless]).exit_code == 0


GATES = {
    "noise": (STEADY, [9.0, 12.0, 8.0, 13.0, 12.0], {}, 0),
    "one session": (STEADY, [30.0], {}, 0),
    "more lines": ([50.0], [60.0], {"metric": "authoring.sloc", "unit": "lines"}, EXIT_REGRESSION),
    "fewer lines": ([60.0], [50.0], {"metric": "authoring.sloc", "unit": "lines"}, 0),
    "lost once": (["completed"], ["lost"], {"metric": "recovery.step_killed.outcome", "unit": "text"}, 0),
    "lost": (["completed"] * 4, ["lost"] * 4, {"metric": "recovery.step_killed.outcome", "unit": "text"},
             EXIT_REGRESSION),
    "saved": (["lost"] * 4, ["completed"] * 4, {"metric": "recovery.step_killed.outcome", "unit": "text"}, 0),
    "line no longer named": ([1.0], [0.0], {"metric": "debugging.exception.names_line", "unit": "boolean"},
                             EXIT_REGRESSION),
    "from nothing once": ([0.0], [2.0], {"metric": "recovery.step_killed.duplicates", "unit": "count"}, 0),
    "from nothing": ([0.0] * 4, [2.0] * 4, {"metric": "recovery.step_killed.duplicates", "unit": "count"},
                     EXIT_REGRESSION),
    "not ranked": ([1.0], [9.0], {"metric": "authoring.comments", "unit": "lines"}, 0),
    "not offered any more": (STEADY, [None] * 5, {"note": "not supported: no API"}, EXIT_REGRESSION),
    "failed": (STEADY, [None] * 5, {"note": "failed: wrong result"}, EXIT_REGRESSION),
}  # fmt: skip


@pytest.mark.parametrize(("one", "other", "more", "code"), GATES.values(), ids=GATES)
def test_what_counts_as_a_regression(tmp_path: Path, one: Any, other: Any, more: Any, code: int) -> None:
    folders = write(tmp_path / "a", one, **more), write(tmp_path / "b", other, **more)
    told = CliRunner().invoke(app, ["compare", *folders, "--fail-above", "5"])
    assert told.exit_code == code, told.output
    assert ("regression: " in told.output) == bool(code)


def two_arms(folder: Path, *, engine: str = "dagster", **more: Any) -> str:
    """Of a second engine beside Airflow's makespan, or of it in another mode."""
    return str(Made([*samples(STEADY), *samples(STEADY, engine=engine, **more)]).write(folder))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"engine": "dagster"}, "dagster"),
        ({"engine": "airflow", "mode": "local"}, "airflow tuned local"),
        ({"engine": "airflow", "metric": "authoring.sloc", "unit": "lines"}, "airflow authoring.sloc tuned · served"),
    ],
)
def test_a_gate_that_loses_something_is_not_green(tmp_path: Path, before: str, more: dict[str, str], said: str) -> None:
    had = two_arms(tmp_path / "had", **more)
    gate = ("compare", had, before, "--fail-above", "50")
    told = CliRunner().invoke(app, gate)
    assert told.exit_code == EXIT_REGRESSION
    assert f"missing: {said}: not in B; --allow-missing passes over it" in told.output
    assert told.output.count("missing: ") == 1
    for green in ((*gate, "--allow-missing"), gate[:3], ("compare", before, had, "--fail-above", "50")):
        assert CliRunner().invoke(app, green).exit_code == 0


def test_many_values_that_are_gone_are_one_line_a_family(tmp_path: Path, before: str) -> None:
    rows = [one for n in range(20) for one in samples(STEADY, engine="airflow", metric=f"recovery.x{n}.recovery_s")]
    had = str(Made([*samples(STEADY), *rows]).write(tmp_path / "had"))
    told = CliRunner().invoke(app, ["compare", had, before, "--fail-above", "50"])
    assert told.exit_code == EXIT_REGRESSION
    assert [line for line in told.output.splitlines() if line.startswith("missing: ")] == [
        "missing: airflow recovery, 20 values: not in B; --allow-missing passes over it"
    ]


def test_what_was_not_measured_any_more_is_missing(tmp_path: Path, before: str) -> None:
    after = write(tmp_path / "after", [None] * 5, note="not run: no room")
    told = CliRunner().invoke(app, ["compare", before, after, "--fail-above", "5"])
    assert told.exit_code == EXIT_REGRESSION
    assert "missing: airflow: not in B" in told.output


def test_another_host_is_refused_in_one_line_and_forced_with_a_warning(before: str, tmp_path: Path) -> None:
    after = write(tmp_path / "after", STEADY, {"host": HOST | {"kernel": "7.0"}})
    told = orchbench("compare", before, after)
    assert (told.returncode, told.stdout) == (EXIT_USAGE, "")
    (line,) = told.stderr.splitlines()
    assert line == (
        "orchbench: B (after) is not comparable with A (before): host kernel: 6.18 against 7.0; "
        "--force compares all the same"
    )
    forced = orchbench("compare", before, after, "--force")
    assert forced.returncode == 0
    assert "WARNING: B is not comparable with A" in forced.stdout
    assert "host kernel: 6.18 against 7.0" in forced.stdout


def test_arms_and_tracks_of_one_result(tmp_path: Path) -> None:
    made = Made([*samples(STEADY), *samples(SLOWER, engine="airflow@3.3.1"), *samples(SLOWER, track="stock")])
    folder = str(made.write(tmp_path / "one"))
    for option, names in (("--arms", "airflow@3.3.1,airflow"), ("--tracks", "stock,tuned")):
        told = CliRunner().invoke(app, ["compare", folder, option, names])
        assert told.exit_code == 0, told.output
        for said in ("0.769×", "faster (better)", "paired by block"):
            assert said in told.output
        other_way = ",".join(reversed(names.split(",")))
        gate = CliRunner().invoke(app, ["compare", folder, option, other_way, "--fail-above", "10"])
        assert gate.exit_code == EXIT_REGRESSION


WRONG = {
    "one result alone": ([], "give two or more result folders"),
    "both options": (["--arms", "a,b", "--tracks", "a,b"], "give two or more result folders"),
    "one arm": (["--arms", "airflow"], "names one"),
    "unknown arm": (["--arms", "airflow,nobody"], "has no arm 'nobody'; it has airflow"),
    "unknown track": (["--tracks", "tuned,fast"], "has no track 'fast'; it has tuned"),
}


@pytest.mark.parametrize(("arguments", "reason"), WRONG.values(), ids=WRONG)
def test_wrong_arguments_are_told(before: str, arguments: list[str], reason: str) -> None:
    told = CliRunner().invoke(app, ["compare", before, *arguments])
    assert isinstance(told.exception, UsageError)
    assert reason in str(told.exception)


def test_only_some_metrics(before: str, tmp_path: Path) -> None:
    both = [*samples(SLOWER), sample(60.0, metric="authoring.sloc", unit="lines")]
    after = str(Made(both).write(tmp_path / "after"))
    told = CliRunner().invoke(app, ["compare", before, after, "--metric", "authoring", "--fail-above", "1"])
    assert told.exit_code == 0
    assert "only in B" in told.output
    assert "makespan" not in told.output
    nothing = CliRunner().invoke(app, ["compare", before, after, "--metric", "nothing"])
    assert isinstance(nothing.exception, UsageError)


def test_history_is_in_the_order_of_time_and_marks_new_versions(tmp_path: Path) -> None:
    results = tmp_path / "results"
    write(results / "a-later", SLOWER, {"created_utc": "2026-04-01T09:00:00+00:00"}, version="3.4.0")
    write(results / "b-sooner", STEADY)
    (results / "latest").symlink_to("a-later")
    told = orchbench("history", str(results))
    assert told.returncode == 0, told.stderr
    assert "2 results over time" in told.stdout
    header, versions, makespan = (
        next(line for line in told.stdout.splitlines() if line.startswith(word))
        for word in ("Metric", "Version", "Runtime: makespan")
    )
    assert header.split()[-4:] == ["A", "2026-03-01", "B", "2026-04-01"]
    assert versions.split()[-3:] == ["3.3.2", "→", "3.4.0"]
    assert makespan.split()[-4:] == ["10.0", "s", "13.1", "s"]


def test_history_passes_over_what_is_broken_and_over_copies(before: str, tmp_path: Path) -> None:
    results = tmp_path / "results"
    first = write(results / "first", STEADY)
    write(results / "second", SLOWER, {"created_utc": "2026-04-01T09:00:00+00:00"})
    shutil.copytree(first, results / "latest")
    for name, content in {"broken": "{", "older": '{"schema_version": 0}'}.items():
        (results / name).mkdir()
        (results / name / "manifest.json").write_text(content)
    told = orchbench("history", str(results))
    assert told.returncode == 0, told.stderr
    assert "2 results over time" in told.stdout
    assert [line.partition(": ")[0] for line in told.stderr.splitlines()] == ["left out"] * 2
    assert str(results / "broken") in told.stderr
    alone = CliRunner().invoke(app, ["history", str(results / "broken")])
    assert isinstance(alone.exception, UsageError)


def test_history_names_what_has_lost_a_file(before: str, tmp_path: Path) -> None:
    results = tmp_path / "results"
    write(results / "whole", STEADY)
    done = Cell(name="block 1: airflow tuned: samples", pipeline="training", estimated_s=1.0, state="done")
    other = {"created_utc": "2026-04-01T09:00:00+00:00", "cells": [done]}
    for name, lost in {"a": "manifest.json", "b": "samples.jsonl"}.items():
        write(results / name, SLOWER, other)
        (results / name / lost).unlink()
    told = orchbench("history", str(results))
    assert told.returncode == 0, told.stderr
    assert "1 result over time" in told.stdout
    assert all(str(results / name) in line for name, line in zip("ab", told.stderr.splitlines(), strict=True))


@pytest.mark.parametrize("lost", ["gone", "empty"])
def test_report_of_lost_samples_is_refused_and_the_summary_stays(tmp_path: Path, lost: str) -> None:
    done = Cell(name="block 1: airflow tuned: samples", pipeline="training", estimated_s=1.0, state="done")
    folder = Made(samples(STEADY), changes={"cells": [done]}).write(tmp_path / "result")
    before = (folder / "summary.json").read_bytes()
    (folder / "samples.jsonl").unlink() if lost == "gone" else (folder / "samples.jsonl").write_text("")
    told = CliRunner().invoke(app, ["report", str(folder)])
    assert isinstance(told.exception, UsageError)
    assert "samples.jsonl: holds nothing, and cells were measured" in str(told.exception)
    assert (folder / "summary.json").read_bytes() == before


def test_printed_commands_can_be_pasted(tmp_path: Path) -> None:
    folder = Made(samples(STEADY)).write(tmp_path / "one's own")
    (folder / "summary.json").unlink()
    told = CliRunner().invoke(app, ["history", str(folder)])
    command = str(told.exception).partition("make it: ")[2]
    assert shlex.split(command) == ["./orchbench", "report", str(folder)]


@pytest.mark.parametrize("shape", ["markdown", "html"])
def test_pages_are_written_to_a_file(before: str, tmp_path: Path, shape: str) -> None:
    after = write(tmp_path / "after", SLOWER, {"created_utc": "2026-04-01T09:00:00+00:00"})
    for command in ("compare", "history"):
        output = tmp_path / f"{command}.{shape}"
        told = CliRunner().invoke(app, [command, before, after, "--format", shape, "--output", str(output)])
        assert told.exit_code == 0, told.output
        assert "13.1" in output.read_text()


def test_export_says_how_much_it_wrote(before: str, tmp_path: Path) -> None:
    output = tmp_path / "samples.csv"
    told = orchbench("export", before, "--format", "csv", "--output", str(output))
    assert told.returncode == 0, told.stderr
    assert f"{output}: 5 samples" in told.stdout
    assert len(output.read_text().splitlines()) == 6


@pytest.mark.parametrize("command", ["compare", "history", "export"])
def test_what_is_no_result(tmp_path: Path, command: str) -> None:
    told = orchbench(command, str(tmp_path), *(["--output", "x.csv"] if command == "export" else []))
    assert told.returncode == EXIT_USAGE
    (line,) = told.stderr.splitlines()
    assert str(tmp_path) in line

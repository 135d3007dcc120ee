"""What runs are fed: settings that the pipeline declares, and faults that can strike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.contract.errors import UsageError
from bench.run.source import Source, generated, given
from core.declaration import Data, pipeline
from core.instrument.config import Fault, RunConfig
from core.instrument.errors import ConfigError

SETTINGS = {"data": "/data.csv", "target": "y", "seed": 3}
SOURCE = Source(pipeline("training"), Data(SETTINGS, {"name": "data.csv"}))


def configured(name: str, *faults: Fault, **changes: Any) -> RunConfig:
    return SOURCE.config(name, "run1", Path("/run"), Path("/effects"), faults, **changes)


@pytest.mark.parametrize(
    ("name", "changes", "settings"),
    [
        ("training", {}, SETTINGS),
        ("training", {"seed": 4, "threads": 2}, SETTINGS | {"seed": 4, "threads": 2}),
        ("daily_files", {}, {"data": "/data.csv"}),
        ("model_roll_back", {}, {}),
        ("chain", {"n": 5}, {"n": 5}),
    ],
)
def test_a_run_has_the_settings_that_its_pipeline_knows(
    name: str, changes: dict[str, Any], settings: dict[str, Any]
) -> None:
    config = configured(name, **changes)
    assert (config.pipeline, config.settings) == (name, settings)
    assert (config.run_id, config.run_dir, config.effects_dir) == ("run1", Path("/run"), Path("/effects"))
    assert SOURCE.describe() == {"name": "data.csv"}


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [("training", {"threads": 0}, "threads"), ("chain", {"colour": "red"}, "colour"), ("fan_out", {"n": "3"}, "n")],
)
def test_a_wrong_setting_is_named_before_anything_runs(name: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=f"[`.]{message}`"):
        configured(name, **changes)


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("training", "trian"), ("training", ""), ("training", "work_0001"), ("training", "train_1"),
        ("fan_out", "work"), ("fan_out", "work_1"), ("fan_out", "work_x"), ("fan_out", "work_0001 "),
        ("chain", "work"), ("chain", "work_0004"), ("daily_files", "day"), ("model_roll_back", "deploy"),
    ],
)  # fmt: skip
def test_a_fault_of_a_step_that_no_run_has_would_never_strike(name: str, step: str) -> None:
    settings = {"n": 3} if name == "chain" else {}
    with pytest.raises(ConfigError, match=f"fault kill: {name} has no step {step!r}; it would never strike"):
        configured(name, Fault(step, "kill"), **settings)


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("training", ["extract", "branch", "deploy", "cleanup"]),
        ("fan_out", ["plan", "work_0001", "work_0012", "work_12345", "gather"]),
        ("chain", ["work_0001", "work_0003"]),
        ("daily_files", ["day_2026-01-03"]),
        ("model_roll_back", ["roll_back"]),
    ],
)
def test_each_step_of_each_pipeline_can_suffer(name: str, names: list[str]) -> None:
    settings = {"n": 3} if name == "chain" else {}
    faults = tuple(Fault(step, "kill") for step in names)
    assert configured(name, *faults, **settings).faults == faults


def test_a_pipeline_without_data_has_none(tmp_path: Path) -> None:
    assert generated(pipeline("chain"), tmp_path, 7).data == Data({}, {})
    with pytest.raises(UsageError, match="the chain takes no data"):
        given(pipeline("chain"), {"data": "x.csv"}, 7)


def test_a_users_mistake_is_one_line_that_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("a,b\n" + "1,2\n3,4\n" * 5)
    for options, said in (
        ({"data": path}, "which column is to be predicted"),
        ({"data": path, "target": "c"}, "no column 'c'; its columns are a, b"),
    ):
        with pytest.raises(UsageError, match=f"mine.csv: {said}") as caught:
            given(pipeline("training"), options, 7)
        assert "\n" not in str(caught.value)
    used = given(pipeline("training"), {"data": path, "target": "b"}, 7)
    assert used.describe()["rows"] == 10
    assert used.data.settings["data"] == str(path)

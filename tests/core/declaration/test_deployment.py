"""What engines' pipeline files are told when they are deployed: read from a file, when it is asked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.declaration import SHARED_LIMIT, bound, deployed, pipeline
from core.declaration.deployment import STEP_TIMEOUT_S, VARIABLE

PROJECT = Path(__file__).parents[3]
IMPORT_ALL = """
import pkgutil, importlib, core
names = [module.name for module in pkgutil.walk_packages(core.__path__, "core.")]
for name in names:
    importlib.import_module(name)
print(len(names))
"""


@pytest.fixture
def deploy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Write the file as the harness does."""

    def written(**content: Any) -> None:
        (tmp_path / "deployment.json").write_text(json.dumps(content))
        monkeypatch.setenv(VARIABLE, str(tmp_path / "deployment.json"))

    return written


def test_where_nobody_has_said_anything_the_defaults_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    offer = deployed("training")
    assert (offer.name, offer.step_timeout_s, offer.timeout_s) == ("training", STEP_TIMEOUT_S, 3 * STEP_TIMEOUT_S)
    assert offer.graph is offer.pipeline.graph({})
    assert offer.step("deploy").upstream == ("train", "evaluate", "branch")
    assert bound() == ()


def test_limits_are_those_of_the_file_at_the_time_of_asking(deploy: Any) -> None:
    for seconds in (1.5, 20):
        deploy(step_timeout_s=seconds)
        assert (deployed("training").step_timeout_s, deployed("training").timeout_s) == (seconds, 3 * seconds)
        assert deployed("daily_files").timeout_s == 0


def test_a_limit_that_runs_share_has_a_name_where_there_is_one(deploy: Any) -> None:
    for content, name in (({}, None), ({"shared_limit": SHARED_LIMIT}, "steps")):
        deploy(bound=[{"pipeline": "fan_out"}], **content)
        assert [one.shared_limit for one in (deployed("training"), *bound())] == [name, name]


def test_each_of_the_bound_is_offered_under_the_name_of_its_settings(deploy: Any) -> None:
    shaped = [{"pipeline": "chain", "settings": {"n": n}} for n in (2, 30)]
    deploy(step_timeout_s=9, bound=[*shaped, {"pipeline": "fan_out"}])
    offers = bound()
    assert [(one.name, len(one.graph.steps)) for one in offers] == [("chain_2", 2), ("chain_30", 30), ("fan_out", 3)]
    assert [one.pipeline for one in offers] == [pipeline(name) for name in ("chain", "chain", "fan_out")]
    assert {(one.step_timeout_s, one.timeout_s) for one in offers} == {(9, 0)}


def test_a_pipeline_that_is_not_there_is_named(deploy: Any) -> None:
    deploy(bound=[{"pipeline": "other"}])
    with pytest.raises(KeyError, match="no pipeline 'other'; there are chain, "):
        bound()


def test_nothing_is_read_from_the_environment_at_import() -> None:
    hostile = dict.fromkeys((VARIABLE, "ORCHBENCH_STEP_TIMEOUT_S", "ORCHBENCH_CHAINS"), "/nowhere/x")
    command = [sys.executable, "-c", IMPORT_ALL]
    done = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": str(PROJECT)} | hostile, check=True, capture_output=True, text=True
    )
    assert int(done.stdout) > 30


def test_a_file_that_is_not_there_is_told_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "/nowhere/x")
    with pytest.raises(FileNotFoundError, match="/nowhere/x"):
        deployed("training")

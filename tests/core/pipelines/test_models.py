"""The registry and the step that deploys into it."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from core_runs import registry_of

from core.instrument import journal
from core.instrument.artifacts import ArtifactError, Reference, refer
from core.instrument.config import Fault, RunConfig
from core.pipelines import models
from core.pipelines.model_roll_back.steps import roll_back
from core.pipelines.training import steps

ROLL_BACK = """
import sys
from core.pipelines.model_roll_back import steps
steps.roll_back(sys.argv[1])
"""
DEPLOYER = """
import sys
from pathlib import Path
from core.pipelines import models
sys.stdin.readline()
for number in range(10):
    models.promote(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), f"{sys.argv[4]}-{number}")
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.ubj").write_text("model")
    return folder


@pytest.fixture
def metrics(tmp_path: Path) -> Path:
    path = tmp_path / "metrics.json"
    path.write_text("{}")
    return path


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "registry"


def test_versions_count_up_and_the_previous_is_kept(store: Path, model: Path, metrics: Path) -> None:
    assert models.read(store) == {"current": None, "previous": None, "versions": [], "roll_backs": []}
    for number in (1, 2, 3):
        version = models.promote(store, model, metrics, f"run{number}")
        assert version == store / f"v000{number}"
        assert sorted(path.name for path in version.iterdir()) == ["metrics.json", "model.ubj"]
    state = models.read(store)
    assert (state["current"], state["previous"]) == ("v0003", "v0002")
    assert [v["run_id"] for v in state["versions"]] == ["run1", "run2", "run3"]


def test_promoting_a_run_again_keeps_its_version(store: Path, model: Path, metrics: Path) -> None:
    first = models.promote(store, model, metrics, "run1")
    before = models.read(store)
    assert models.promote(store, model, metrics, "run1") == first
    assert models.read(store) == before


def test_roll_back_restores_the_previous_once(store: Path, model: Path, metrics: Path) -> None:
    with pytest.raises(ArtifactError, match="no previous version to roll back to"):
        models.roll_back(store, "back1")
    models.promote(store, model, metrics, "run1")
    models.promote(store, model, metrics, "run2")
    assert models.roll_back(store, "back1") == store / "v0001"
    assert models.read(store)["current"] == "v0001"
    with pytest.raises(ArtifactError, match="no previous version"):
        models.roll_back(store, "back2")
    models.promote(store, model, metrics, "run3")
    assert models.read(store) | {"current": "v0003", "previous": "v0001"} == models.read(store)


def test_a_run_goes_back_once_however_often_it_is_tried(store: Path, model: Path, metrics: Path) -> None:
    for number in (1, 2):
        models.promote(store, model, metrics, f"run{number}")
    assert models.roll_back(store, "back") == models.roll_back(store, "back") == store / "v0001"
    models.promote(store, model, metrics, "run3")
    before = models.read(store)
    assert models.roll_back(store, "back") == store / "v0003"
    assert models.read(store) == before


def test_a_late_attempt_to_promote_does_not_undo_a_roll_back(store: Path, model: Path, metrics: Path) -> None:
    for number in (1, 2):
        models.promote(store, model, metrics, f"run{number}")
    models.roll_back(store, "back")
    before = models.read(store)
    assert models.promote(store, model, metrics, "run2") == store / "v0002"
    assert models.read(store) == before


def test_the_roll_back_step_killed_after_its_effect_goes_back_no_further_when_tried_again(
    make_config: Callable[..., RunConfig], model: Path, metrics: Path
) -> None:
    config = make_config("model_roll_back", faults=(Fault("roll_back", "kill_after"),))
    for number in (1, 2, 3):
        models.promote(registry_of(config), model, metrics, f"run{number}")
    command = [
        sys.executable,
        "-c",
        ROLL_BACK,
    ]
    assert subprocess.run([*command, str(config.path)], check=False).returncode == -9
    before = models.read(registry_of(config))
    assert before["current"] == "v0002"
    assert roll_back(str(config.path)) == refer(registry_of(config) / "v0002")
    assert models.read(registry_of(config)) == before
    records = journal.read(config.run_dir)
    assert [r["event"] for r in records] == ["start", "effect", "fault", "start", "effect", "end"]
    assert {r["key"] for r in records if r["event"] == "effect"} == {f"roll_back:{config.run_id}"}


def test_a_failure_before_the_end_changes_nothing(store: Path, model: Path, metrics: Path) -> None:
    models.promote(store, model, metrics, "run1")
    before = models.read(store)
    metrics.unlink()
    with pytest.raises(FileNotFoundError):
        models.promote(store, model, metrics, "run2")
    assert models.read(store) == before
    assert not [path for path in store.iterdir() if path.name not in (".lock", "current.json", "v0001")]


def test_leftovers_of_a_killed_deployment_are_swept_and_its_version_written_anew(
    store: Path, model: Path, metrics: Path
) -> None:
    (store / ".tmp-v0001-dead").mkdir(parents=True)
    (store / "v0001").mkdir()
    (store / "v0001" / "half").touch()
    version = models.promote(store, model, metrics, "run1")
    assert sorted(path.name for path in version.iterdir()) == ["metrics.json", "model.ubj"]
    assert not (store / ".tmp-v0001-dead").exists()


def test_deployments_at_the_same_time_lose_nothing(store: Path, model: Path, metrics: Path) -> None:
    command = [sys.executable, "-c", DEPLOYER, str(store), str(model), str(metrics)]
    deployers = [subprocess.Popen([*command, str(n)], stdin=subprocess.PIPE) for n in range(4)]
    for deployer in deployers:
        deployer.stdin.write(b"\n")  # all of them wait for it, so that they deploy together
        deployer.stdin.flush()
    assert [deployer.wait() for deployer in deployers] == [0] * 4
    for deployer in deployers:
        deployer.stdin.close()
    state = models.read(store)
    assert sorted(v["run_id"] for v in state["versions"]) == sorted(f"{n}-{i}" for n in range(4) for i in range(10))
    assert [v["name"] for v in state["versions"]] == [f"v{n:04d}" for n in range(1, 41)]
    assert (state["current"], state["previous"]) == ("v0040", "v0039")
    assert all((store / v["name"] / "model.ubj").read_text() == "model" for v in state["versions"])


def test_the_step_twice_has_one_version_and_two_effects(
    make_config: Callable[..., RunConfig], model: Path, metrics: Path
) -> None:
    config = make_config()
    given: tuple[Reference, Reference] = (refer(model, 9), refer(metrics))
    first = steps.deploy(str(config.path), *given)
    assert steps.deploy(str(config.path), *given) == first
    assert first["rows"] == 9
    assert len(json.loads((registry_of(config) / "current.json").read_text())["versions"]) == 1
    keys = [r["key"] for r in journal.read(config.run_dir) if r["event"] == "effect"]
    assert keys == [f"deploy:{config.run_id}"] * 2


def test_a_spoilt_model_is_not_deployed(make_config: Callable[..., RunConfig], model: Path, metrics: Path) -> None:
    config = make_config()
    given = refer(model, 9), refer(metrics)
    (model / "model.ubj").write_text("other")
    with pytest.raises(ArtifactError):
        steps.deploy(str(config.path), *given)
    assert not registry_of(config).exists()
    assert "effect" not in [r["event"] for r in journal.read(config.run_dir)]


def test_a_file_system_without_locks_takes_deployments_too(
    store: Path, model: Path, metrics: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("core.pipelines.models.fcntl.flock", refused)
    assert models.promote(store, model, metrics, "run").name == "v0001"

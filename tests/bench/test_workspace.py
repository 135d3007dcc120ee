"""Where a session lives: folders, ports, secrets and a clean environment."""

from __future__ import annotations

import shutil
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from doubles import Double

from bench.contract.records import Manifest
from bench.contract.settings import Setting
from bench.contract.words import Track
from bench.observe.describing import describe
from bench.observe.store import Store
from bench.session.bring_up import open_session
from bench.session.deploying import DEPLOYMENT, tell
from bench.session.ports import free_ports
from bench.session.workspace import (
    AT_ONCE_OVER_ALL,
    PARALLELISM,
    clean_environment,
    make_scratch,
    make_workspace,
)
from core.declaration import Shaped, bound, deployed
from core.declaration.deployment import VARIABLE

SOCKET_PATH_LIMIT = 107


@pytest.fixture
def scratch() -> Iterator[Path]:
    folder = make_scratch()
    yield folder
    shutil.rmtree(folder)


def test_scratch_is_short_and_its_owners_alone(scratch: Path) -> None:
    assert len(str(scratch / "pg" / ".s.PGSQL.5432")) < SOCKET_PATH_LIMIT
    assert stat.S_IMODE(scratch.stat().st_mode) == 0o700


def test_workspace_is_laid_out_for_the_adapter(project: Path, scratch: Path, tmp_path: Path) -> None:
    own = project / "impl_double" / "pipelines"
    (own / "__pycache__").mkdir()
    (own / "training" / "__pycache__").mkdir()
    (own / "shared.py").touch()
    made = make_workspace(Double, Track.STOCK, scratch, tmp_path, (Shaped("training"),))
    assert list(made.home.iterdir()) == []
    assert _files(made.pipelines) == {"shared.py", "training/training.py"}
    assert made.pipelines.is_relative_to(scratch)
    assert made.offered == made.by_hand == ("training",)
    assert made.script("training") == (str(made.pipelines / "training" / "training.py"),)
    assert made.parallelism == PARALLELISM
    assert made.executable("python") == str(tmp_path / "bin" / "python")
    assert set(made.ports) == {"api"}
    assert set(made.secrets) == {"token"}
    assert len(bytes.fromhex(made.secrets["token"])) == 32


def test_what_is_deployed_can_be_edited_and_removed_whatever_the_checkouts_modes(
    project: Path, scratch: Path, tmp_path: Path
) -> None:
    own = project / "impl_double" / "pipelines"
    (own / "shared.py").touch()
    for path in sorted(own.rglob("*"), reverse=True):
        path.chmod(0o555 if path.is_dir() else 0o444)
    made = make_workspace(Double, Track.STOCK, scratch, tmp_path, (Shaped("training"),))
    for path in own.rglob("*"):
        path.chmod(0o755)  # pytest removes it
    assert _files(made.pipelines) == {"shared.py", "training/training.py"}
    assert all(path.stat().st_mode & stat.S_IWUSR for path in made.pipelines.rglob("*"))


def _files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_what_an_engine_has_no_code_for_is_bound_or_left_out(project: Path, scratch: Path, tmp_path: Path) -> None:
    deployed = (Shaped("chain", {"n": 2}), Shaped("fan_out"), Shaped("daily_files"))
    made = make_workspace(Double, Track.STOCK, scratch, tmp_path, deployed)
    assert not made.by_hand
    assert made.bound == deployed[:2], "the double's binding knows no partitions"
    assert made.offered == ("chain_2", "fan_out")
    assert _files(made.pipelines) == {"binding/binding.py"}
    assert made.script("chain_2") == (str(made.pipelines / "binding" / "binding.py"), "chain_2")


def test_other_isolations_lie_beside_the_pipeline_where_they_are_asked_for(
    project: Path, scratch: Path, tmp_path: Path
) -> None:
    other = project / "impl_double" / "variants" / "training" / "pooled.py"
    other.parent.mkdir(parents=True)
    other.touch()
    made = make_workspace(Double, Track.STOCK, scratch, tmp_path, (Shaped("training"),), variants=True)
    assert _files(made.pipelines) == {"training/training.py", "training/pooled.py"}


def test_processes_are_told_what_is_deployed(
    project: Path, scratch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_workspace(Double, Track.STOCK, scratch, tmp_path, (Shaped("training"), Shaped("chain", {"n": 2})))
    tell(scratch, made, 7.0)
    monkeypatch.setenv(VARIABLE, str(scratch / DEPLOYMENT))
    (offer,) = bound()
    assert (offer.name, offer.step_timeout_s, len(offer.graph.steps)) == ("chain_2", 7.0, 2)
    assert deployed("training").step_timeout_s == 7.0


@pytest.mark.parametrize("limited", [False, True])
def test_runs_share_a_limit_where_that_is_asked_for(
    project: Path, scratch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, limited: bool
) -> None:
    made = make_workspace(Double, Track.TUNED, scratch, tmp_path, (Shaped("fan_out"),), limited=limited)
    assert made.at_once_over_all == (AT_ONCE_OVER_ALL if limited else None)
    tell(scratch, made, 7.0)
    monkeypatch.setenv(VARIABLE, str(scratch / DEPLOYMENT))
    assert bool(bound()[0].shared_limit) == bool(deployed("training").shared_limit) == limited


class Sharing(Double):
    """Has a setting for the limit that runs share."""

    def settings(self) -> list[Setting]:
        at_once = self.workspace.at_once_over_all
        shared = [Setting("shared", str(at_once), "https://example.org/shared", "over all runs")] if at_once else []
        return [*super().settings(), *shared]


def test_a_result_tells_also_the_settings_that_only_some_sessions_have(
    project: Path, tmp_path: Path, store: Store
) -> None:
    manifest = Manifest(
        created_utc="", budget="full", budget_s=None, seed=1, arguments={}, data={}, host={}, versions={}
    )
    for limited in (False, True, True):
        with open_session(Sharing, Track.STOCK, tmp_path, tmp_path / "logs", (), limited=limited) as session:
            describe(manifest, store, session)
    assert [row["name"] for row in manifest.settings] == ["port", "shared"]
    assert manifest.settings[-1]["value"] == str(AT_ONCE_OVER_ALL)
    assert len({row["ability"] for row in manifest.abilities}) == len(manifest.abilities)


def test_secrets_differ_between_sessions(project: Path, tmp_path: Path) -> None:
    drawn = set()
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        drawn.add(make_workspace(Double, Track.STOCK, tmp_path / name, tmp_path).secrets["token"])
    assert len(drawn) == 2


def test_ports_are_different_and_can_be_bound() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    with socket.socket() as one:
        one.bind(("127.0.0.1", ports[0]))


def test_environment_holds_nothing_of_the_users(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", "/the/users/own")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.invalid")
    found = clean_environment(scratch / "home", Path("/engine/bin"))
    assert found["HOME"] == str(scratch / "home")
    assert Path(found["TMPDIR"]).is_dir()
    assert Path(found["TMPDIR"]).is_relative_to(scratch)
    assert found["PATH"].startswith("/engine/bin:")
    names = {"PATH", "HOME", "TMPDIR", "LANG", "TZ", "PYTHONPATH", "PYTHONUNBUFFERED", "OMP_NUM_THREADS",
             "USER", "LOGNAME"}  # fmt: skip
    assert set(found).difference(("LD_LIBRARY_PATH",)) == names

"""Where a session lives: folders, ports, secrets and a clean environment."""

from __future__ import annotations

import shutil
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from doubles import Double

from bench.contract.adapter import Track
from bench.session.workspace import (
    PARALLELISM,
    STEP_TIMEOUT_S,
    clean_environment,
    free_ports,
    make_scratch,
    make_workspace,
)

SOCKET_PATH_LIMIT = 107


@pytest.fixture
def scratch() -> Iterator[Path]:
    folder = make_scratch()
    yield folder
    shutil.rmtree(folder)


def test_scratch_is_short_and_searchable_but_not_readable_by_others(scratch: Path) -> None:
    assert len(str(scratch / "pg" / ".s.PGSQL.5432")) < SOCKET_PATH_LIMIT
    assert stat.S_IMODE(scratch.stat().st_mode) == 0o711


def test_workspace_is_laid_out_for_the_adapter(project: Path, scratch: Path, tmp_path: Path) -> None:
    (project / "impl_double" / "pipelines" / "__pycache__").mkdir()
    made = make_workspace(Double, Track.STOCK, scratch, tmp_path)
    assert list(made.home.iterdir()) == []
    assert [path.name for path in made.pipelines.iterdir()] == ["training.py"]
    assert made.pipelines.is_relative_to(scratch)
    assert made.parallelism == PARALLELISM
    assert made.executable("python") == str(tmp_path / "bin" / "python")
    assert set(made.ports) == {"api"}
    assert set(made.secrets) == {"token"}
    assert len(bytes.fromhex(made.secrets["token"])) == 32


def test_synthetic_pipelines_are_laid_beside_where_they_are_run(project: Path, scratch: Path, tmp_path: Path) -> None:
    (project / "impl_double" / "synthetic" / "synthetic.py").write_text("chains = ()")
    made = make_workspace(Double, Track.STOCK, scratch, tmp_path, chains=(2, 5))
    assert {path.name for path in made.pipelines.iterdir()} == {"training.py", "synthetic.py"}
    assert made.chains == (2, 5)
    assert clean_environment(made.home, tmp_path, (2, 5))["ORCHBENCH_CHAINS"] == "2,5"


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
    names = {"PATH", "HOME", "TMPDIR", "LANG", "TZ", "PYTHONPATH", "PYTHONUNBUFFERED", "OMP_NUM_THREADS"}
    assert set(found) == names | {"ORCHBENCH_CHAINS", "ORCHBENCH_STEP_TIMEOUT_S"}
    assert found["ORCHBENCH_CHAINS"] == ""
    assert float(found["ORCHBENCH_STEP_TIMEOUT_S"]) == STEP_TIMEOUT_S

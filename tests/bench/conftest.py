"""What the tests of the harness share: small data, its inline run, a double, and a look for leftovers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import breaking
import psutil
import pytest
from breaking import Twins, twin
from doubles import BringUp, Double, make_project

from bench.contract import registry
from bench.contract.records import Arm
from bench.contract.words import Track
from bench.observe import watching
from bench.observe.journal import Journal
from bench.observe.store import Store
from bench.run.conductor import Conductor, inline_command
from bench.run.source import Source
from bench.session import workspace
from bench.session.bring_up import Session, open_session
from bench.session.supervisor import Supervisor
from bench.session.workspace import clean_environment, make_scratch
from core.declaration import Shaped, pipeline
from core.pipelines.training.generator import TARGET, Transactions, write_transactions
from core.pipelines.training.source import prepared

ROWS = 2000
DEPLOYED = (Shaped("training"), Shaped("fan_out"), *(Shaped("chain", {"n": n}) for n in (1, 2, 3, 5)))


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    scratch = make_scratch()
    with Supervisor(scratch, clean_environment(scratch / "home", Path("/usr/bin")), tmp_path / "logs") as opened:
        yield opened
    assert not scratch.exists()


@pytest.fixture
def nothing_left() -> Iterator[None]:
    """After the test no process is left below this one."""
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    yield
    after = psutil.Process().children(recursive=True)
    assert not [process for process in after if process.pid not in before and breaking.runs(process)]


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    path = write_transactions(Transactions(rows=ROWS), tmp_path_factory.mktemp("data") / "transactions.csv")
    return Source(pipeline("training"), prepared(path, TARGET, 7, name="some transactions"))


@pytest.fixture(scope="session")
def oracle(source: Source, tmp_path_factory: pytest.TempPathFactory) -> Journal:
    """The inline run that every other is judged by."""
    store = Store(tmp_path_factory.mktemp("oracle"))
    scratch = make_scratch()
    environment = clean_environment(scratch / "home", Path("/usr/bin"))
    with Supervisor(scratch, environment, store.folder / "logs") as supervisor:
        conductor = Conductor(store, source, Arm(engine="inline", mode="local"), "inline", Journal())
        run, config = conductor.prepare(scratch / "effects")
        return conductor.process(supervisor, inline_command(config), run).journal


@pytest.fixture(scope="session")
def harness_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the tests that break a whole benchmark share a checkout, and a result that was begun."""
    base = tmp_path_factory.getbasetemp() / "harness"
    base.mkdir(exist_ok=True)
    return base


@pytest.fixture
def decoys(tmp_path: Path) -> Iterator[Twins]:
    """Gives processes that look like another to the letter; they belong to nobody, and are ended here."""
    found = []

    def make(process: psutil.Process) -> subprocess.Popen[bytes]:
        found.append(twin(process, tmp_path))
        return found[-1]

    yield make
    for decoy in found:
        decoy.kill()
        decoy.wait()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    folder = tmp_path / "result"
    folder.mkdir()
    return Store(folder)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose engines are doubles, which wait for no polling interval and record nothing late."""
    monkeypatch.setattr(watching, "SILENCE_S", 1.0)
    monkeypatch.setattr(watching, "SETTLE_LIMIT_S", 0.5)
    root = make_project(tmp_path / "project")
    monkeypatch.setattr(workspace, "PROJECT", root)
    monkeypatch.setattr(registry, "PROJECT", root)
    monkeypatch.setenv("ORCHBENCH_ENVIRONMENTS", str(root / "environments"))
    return root


@pytest.fixture
def bring_up(project: Path, store: Store, source: Source, oracle: Journal, tmp_path: Path) -> Iterator[BringUp]:
    """Bring up doubles; their sessions are closed at the end of the test and must leave nothing."""
    opened = []

    def bring(kind: type[Double] = Double, track: Track = Track.STOCK) -> tuple[Session, Conductor]:
        manager = open_session(kind, track, Path(sys.prefix), tmp_path / "logs", DEPLOYED)
        session = manager.__enter__()
        opened.append((manager, session))
        session.bring_up()
        arm = Arm(engine=kind.name, track=track, mode="served")
        return session, Conductor(store, source, arm, "s1", replace(oracle))

    yield bring
    processes = psutil.Process().children(recursive=True)
    for manager, _ in reversed(opened):
        manager.__exit__(None, None, None)
    assert not [process for process in processes if breaking.runs(process)]
    assert not [session.scratch for _, session in opened if session.scratch.exists()]

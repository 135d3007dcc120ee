"""Every discovered adapter is put through the same tests; `--engine NAME` (repeatable) narrows them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.contract import registry
from bench.contract.records import Arm
from bench.contract.words import Track
from bench.observe.history import History
from bench.observe.store import Store
from bench.run.conductor import Conductor, inline_command
from bench.run.source import Source, generated
from bench.session import environments
from bench.session.bring_up import Session, open_session
from bench.session.supervisor import Supervisor
from bench.session.workspace import clean_environment, make_scratch

ROWS_SEED = 7
BELOW_ANY_MODEL = 1.1


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--engine", action="append", default=None, help="only this engine; repeatable")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "engine" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--engine") or registry.engines()
        metafunc.parametrize("engine", chosen, scope="module")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("result"))


@pytest.fixture(scope="module")
def source(store: Store) -> Source:
    return generated(store.folder / "transactions.csv", ROWS_SEED)


def conduct_inline(store: Store, source: Source, label: str, **changes: object) -> History:
    """One inline run; its history is the oracle of what the engines must produce."""
    scratch = make_scratch()
    with Supervisor(scratch, clean_environment(scratch, Path("/usr/bin")), store.folder / "logs" / label) as supervisor:
        conductor = Conductor(store, source, Arm(engine="inline", mode="local"), label, History())
        run, config = conductor.prepare(scratch / "effects", **changes)
        return conductor.process(supervisor, inline_command(config), run).history


@pytest.fixture(scope="module")
def oracle(store: Store, source: Source) -> History:
    return conduct_inline(store, source, "inline")


@pytest.fixture(scope="module")
def notify_oracle(store: Store, source: Source) -> History:
    return conduct_inline(store, source, "inline-notify", threshold=BELOW_ANY_MODEL)


@pytest.fixture(scope="module")
def session(engine: str, store: Store) -> Iterator[Session]:
    """The engine, up on the tuned track."""
    environment = environments.require(engine)
    with open_session(registry.adapter(engine), Track.TUNED, environment, store.folder / "logs" / engine) as opened:
        opened.bring_up()
        yield opened


@pytest.fixture(scope="module")
def conductor(engine: str, session: Session, store: Store, source: Source, oracle: History) -> Conductor:
    version = session.adapter.install.version(session.workspace.environment)
    return Conductor(store, source, Arm(engine=engine, version=version, track="tuned", mode="served"), engine, oracle)

"""Every discovered adapter is put through the same tests, with each pipeline that it has code for.

`--engine NAME` (repeatable) narrows them.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from like_steps import LOCAL, PARALLEL, SERVED, fixed
from plain_loop import conduct_inline

from bench.contract import registry
from bench.contract.engine import Mode
from bench.contract.records import Arm
from bench.contract.words import Track
from bench.observe.journal import Journal
from bench.observe.store import Store
from bench.run.conductor import Conductor
from bench.run.source import Source, generated
from bench.session import environments
from bench.session.bring_up import Session, open_session
from core.declaration import Shaped, pipeline, pipelines

SEED = 7


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--engine", action="append", default=None, help="only this engine; repeatable")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Pipelines with a purpose of their own; those of like steps and those beside others have their own tests."""
    chosen = metafunc.config.getoption("--engine") or registry.engines()
    if "measured" in metafunc.fixturenames:
        plain = [one.name for one in pipelines() if not (one.shape or one.role)]
        pairs = [(engine, name) for engine in chosen for name in plain if registry.code_for(engine, name)]
        metafunc.parametrize(("engine", "measured"), pairs, scope="session")
    elif "engine" in metafunc.fixturenames:
        metafunc.parametrize("engine", chosen, scope="session")


@pytest.fixture(scope="session")
def store(engine: str, measured: str, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """One for each engine and pipeline: no two of their runs may have one folder."""
    return Store(tmp_path_factory.mktemp(f"{engine}-{measured}"))


@pytest.fixture(scope="session")
def source(measured: str, store: Store) -> Source:
    return generated(pipeline(measured), store.folder, SEED)


@pytest.fixture(scope="session")
def oracle(measured: str, store: Store, source: Source) -> Journal:
    return conduct_inline(store, source, f"inline-{measured}")


@pytest.fixture(scope="session")
def session(engine: str, measured: str, store: Store) -> Iterator[Session]:
    """The engine, up once on the tuned track: with the pipeline, what people run beside it, and those of like steps."""
    environment, logs = environments.require(engine), store.folder / "logs" / engine
    beside = (Shaped(measured), *map(Shaped, pipeline(measured).companions.values()))
    like = {one.offered: Shaped(one.pipeline, fixed(one)) for one in (*SERVED, *LOCAL)}
    offers = (*beside, *like.values())
    with open_session(registry.adapter(engine), Track.TUNED, environment, logs, offers, variants=True) as opened:
        opened.bring_up()
        yield opened


@pytest.fixture(scope="module")
def limited(engine: str, measured: str, store: Store) -> Iterator[Session]:
    """The engine once more, with steps at once limited over all runs too."""
    environment, logs = environments.require(engine), store.folder / "logs" / f"{engine}-limited"
    offers = (Shaped(measured), Shaped(PARALLEL.name))
    with open_session(registry.adapter(engine), Track.TUNED, environment, logs, offers, limited=True) as opened:
        opened.bring_up()
        yield opened


@pytest.fixture(scope="session")
def local(session: Session) -> Session:
    """The same, where the engine can also run without a server."""
    if Mode.LOCAL not in session.adapter.modes:
        pytest.skip(session.adapter.local_note())
    for number, command in enumerate(session.adapter.local_initialise(), 1):
        session.supervisor.run(f"local-initialise-{number}", command)
    return session


@pytest.fixture(scope="session")
def conductor(engine: str, session: Session, store: Store, source: Source, oracle: Journal) -> Conductor:
    version = session.adapter.install.version(session.workspace.environment)
    return Conductor(store, source, Arm(engine=engine, version=version, track="tuned", mode="served"), engine, oracle)

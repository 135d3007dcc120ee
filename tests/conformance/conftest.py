"""Every discovered adapter is put through the same tests, with each pipeline that it has code for.

`--engine NAME` (repeatable) narrows them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from judging import Judge, judged
from like_steps import LOCAL, SERVED, fixed
from plain_loop import conduct_inline
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

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
THOROUGH = "ORCHBENCH_THOROUGH"
ALONE = ("test_pipeline.py", "test_recovery.py", "test_limit_within_a_run.py")
"""Files whose tests use `session`; those of the others use `limited`, or an engine of their own."""


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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is thorough unless that is wanted."""
    out = [] if os.environ.get(THOROUGH) else [one for one in items if one.get_closest_marker("thorough")]
    items[:] = [one for one in items if one not in out]
    config.hook.pytest_deselected(items=out)


class ByEngineUp(LoadScopeScheduling):
    """Tests that need the same engine up share a worker, so that it is brought up once."""

    def _split_scope(self, nodeid: str) -> str:
        return "session" if any(name in nodeid for name in ALONE) else "limited"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    return ByEngineUp(config, log)


def pytest_report_header() -> str:
    return "" if os.environ.get(THOROUGH) else f"recovery and limits of steps are tested with {THOROUGH}=1"


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


def offered(measured: str) -> list[Shaped]:
    """The pipeline, what people run beside it, and those of like steps."""
    like = {one.offered: Shaped(one.pipeline, fixed(one)) for one in (*SERVED, *LOCAL)}
    return [Shaped(measured), *map(Shaped, pipeline(measured).companions.values()), *like.values()]


@pytest.fixture(scope="session")
def session(engine: str, measured: str, store: Store) -> Iterator[Session]:
    """The engine, up once on the tuned track, as for runs one at a time."""
    environment, logs = environments.require(engine), store.folder / "logs" / engine
    with open_session(registry.adapter(engine), Track.TUNED, environment, logs, offered(measured)) as opened:
        opened.bring_up()
        yield opened


@pytest.fixture(scope="session")
def limited(engine: str, measured: str, store: Store) -> Iterator[Session]:
    """The engine once more, with its other isolations, and steps at once limited over all runs too."""
    environment, logs = environments.require(engine), store.folder / "logs" / f"{engine}-limited"
    kind, offers = registry.adapter(engine), offered(measured)
    with open_session(kind, Track.TUNED, environment, logs, offers, variants=True, limited=True) as opened:
        opened.bring_up()
        yield opened


@pytest.fixture(scope="session")
def local(limited: Session) -> Session:
    """The same, where the engine can also run without a server."""
    if Mode.LOCAL not in limited.adapter.modes:
        pytest.skip(limited.adapter.local_note())
    for number, command in enumerate(limited.adapter.local_initialise(), 1):
        limited.supervisor.run(f"local-initialise-{number}", command)
    return limited


@pytest.fixture(scope="session")
def conductor(engine: str, store: Store, source: Source, oracle: Journal) -> Conductor:
    version = registry.adapter(engine).install.version(environments.require(engine))
    return Conductor(store, source, Arm(engine=engine, version=version, track="tuned", mode="served"), engine, oracle)


@pytest.fixture(scope="session")
def judge(engine: str, store: Store, source: Source, oracle: Journal) -> Judge:
    """A conductor for a workload, with the plain loop's run of it as the oracle."""
    return judged(engine, store, source, oracle)

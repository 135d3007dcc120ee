"""How long from nothing to a first successful run, in parts, and what it puts on the disk."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

from bench.contract.errors import EngineError
from bench.contract.installing import versions
from bench.contract.processes import Command
from bench.contract.records import NO_PIPELINE
from bench.contract.words import Track
from bench.observe.watching import POLL_S
from bench.plan.budgets import LOCAL
from bench.plan.cell import Cell
from bench.plan.priced import ALL, Needs, Of
from bench.questions import warming
from bench.questions.bound import Bound
from bench.questions.metric import Headline, Metric
from bench.questions.record import Question
from bench.run.conductor import Conductor
from bench.run.observation import Observation
from bench.session import environments
from bench.session.bring_up import Session
from bench.session.supervisor import Supervisor
from bench.session.workspace import make_scratch
from core.instrument.journal import now_ns

FEW = 1.05
"""A few packages or megabytes decide nothing."""
TITLE = "How long to set up?"
NO_INDEX = "not measured: no package index"
OFFLINE = re.compile(
    "dns error|error sending request|connect error|network connectivity|network was disabled|not found in the cache",
    re.IGNORECASE,
)
"""What uv says where nothing answers, or where it may not ask (UV_OFFLINE). That it failed to fetch something is no
sign of it: an index that answers with an error is there."""


def measure_environment(bound: Bound, _: Cell) -> None:
    """Time the installation of the engine's lock."""
    lock = environments.lock_in(bound.ledger.store.folder, bound.planned.environment)
    conductor = replace(bound.conductor, arm=bound.anywhere)
    for cold in (False, True) if bound.ledger.budget.cold else (False,):
        try:
            environment(conductor, bound.supervisor, lock, cold=cold)
        except EngineError as error:
            if not OFFLINE.search(error.log_tail):
                raise
            conductor.sample(None, _installation(cold=cold), "s", None, NO_INDEX, pipeline=NO_PIPELINE)


def measure_first(bound: Bound, _: Cell) -> None:
    """Bring the engine up and run the pipeline once: the setup, where the arm is timed; then what else warms it up.

    Sessions of other questions have more deployed, so that their bring-up is no setup that a user would have.
    """
    bound.up.bring_up()
    seen = bound.conductor.served(bound.up, warm_up=True)
    if not bound.planned.topic:
        bring_up(bound.conductor, bound.up, seen)
        import_time(replace(bound.conductor, arm=bound.anywhere), bound.up)
    bound.warm_ups.append(seen.makespan_s)
    warming.warm_up(bound, bound.ledger.warm_ups(bound.planned))


def again(bound: Bound) -> None:
    """Bring the engine up once more in this block, after its first session was lost, and warm it up; not measured."""
    bound.up.bring_up()
    warming.warm_up(bound, max(1, bound.ledger.warm_ups(bound.planned)))


def environment(conductor: Conductor, supervisor: Supervisor, lock: Path, *, cold: bool = False) -> None:
    """Install an engine's lock into a throw-away folder.

    Warm: from the installer's package cache, which the engine's own environment has filled. Cold:
    with an empty cache, so that the network counts.
    """
    scratch = make_scratch()
    folder = scratch / "environment"
    try:
        begin = now_ns()
        cache = scratch / "cache" if cold else None
        for number, command in enumerate(environments.create_commands(lock, folder, cold_cache=cache), 1):
            supervisor.run(f"environment-{'cold' if cold else 'warm'}-{number}", command)
        seconds = (now_ns() - begin) / 1e9
        conductor.sample(None, _installation(cold=cold), "s", seconds, pipeline=NO_PIPELINE)
        conductor.sample(None, "setup.packages", "count", float(len(versions(folder))), pipeline=NO_PIPELINE)
        conductor.sample(
            None, "setup.disk_bytes", "bytes", float(environments.disk_bytes(folder)), pipeline=NO_PIPELINE
        )
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _installation(*, cold: bool) -> str:
    return f"setup.environment{'_cold' if cold else ''}_s"


def import_time(conductor: Conductor, session: Session) -> None:
    """Time of a fresh interpreter that imports the engine and ends."""
    command = Command(session.adapter.install.load(session.workspace.environment))
    process = session.supervisor.run("import", command)
    conductor.sample(None, "setup.import_s", "s", process.seconds, pipeline=NO_PIPELINE)


def bring_up(conductor: Conductor, session: Session, first: Observation) -> None:
    """The parts of the session's bring-up, and the first run. Their total with an installation is computed: see
    `bench.analyse.setting_up`."""
    for name, seconds in session.seconds.items():
        conductor.sample(None, f"setup.{name}", "s", seconds)
    if first.run.outcome != "completed" or not first.right:
        note = f"failed: the first run was {first.run.outcome}"
        conductor.sample(None, "setup.first_run_s", "s", None, note)
        conductor.sample(None, "setup.total_s", "s", None, note)
        return
    conductor.sample(None, "setup.first_run_s", "s", (first.run.terminal_ns - first.run.submit_ns) / 1e9)


METRICS = (
    Metric("setup.environment_s", "Environment", help="install from the lock, packages in the local cache"),
    Metric("setup.environment_cold_s", "Environment, cold", help="install with nothing in the cache"),
    Metric(
        "setup.packages",
        "Packages",
        kind="exact",
        unit="count",
        help="installed distributions",
        tolerance=FEW,
        table="install",
    ),
    Metric(
        "setup.disk_bytes",
        "Disk",
        kind="exact",
        unit="bytes",
        help="the environment on disk",
        tolerance=FEW,
        table="install",
    ),
)
FIRST_METRICS = (
    Metric("setup.initialise_s", "Initialise", help="database, user, configuration"),
    Metric("setup.start_s", "Start", resolution=POLL_S, help="processes started until all are ready"),
    Metric("setup.deploy_s", "Deploy", resolution=POLL_S, help="until the engine offers the pipeline"),
    Metric(
        "setup.first_run_s",
        "First run",
        resolution=POLL_S,
        help="submit until the first run has succeeded",
    ),
    Metric("setup.total_s", "Total", resolution=POLL_S, help="empty folder to the first successful run"),
    Metric("setup.import_s", "Import", table="install", help="import of the engine in a fresh interpreter"),
)
QUESTIONS = (
    Question(
        key="environment", group="setup", title=TITLE, order=50, place=2, needs=Needs.ENVIRONMENT, of=Of.TUNED,
        of_engine=True, session=LOCAL, cost_s=dict.fromkeys(Track, 15.0),
        budgets={"quick": 1, "standard": 2, "full": 5},
        measure=measure_environment, metrics=METRICS,
        headlines=(
            Headline("setup.total_s", "Empty folder to first run"),
            Headline("setup.disk_bytes", "Environment on disk"),
            Headline("setup.packages", "Packages installed"),
            Headline("setup.import_s", "Import"),
        ),
    ),
    Question(
        key="first", group="setup", title=TITLE, order=60, place=2, needs=Needs.UP, of=Of.EVERY, base=True,
        essential=True, session="", cost_s={Track.TUNED: 27, Track.STOCK: 33}, failed_as="setup.total_s",
        budgets={"quick": ALL, "standard": ALL, "full": ALL, "chaos": 1}, measure=measure_first, again=again,
        metrics=FIRST_METRICS,
    ),
)  # fmt: skip

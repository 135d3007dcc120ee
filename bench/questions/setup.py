"""How long from nothing to a first successful run, in parts, and what it puts on the disk."""

from __future__ import annotations

import shutil
from pathlib import Path

from bench.contract.installing import versions
from bench.contract.processes import Command
from bench.contract.records import NO_PIPELINE
from bench.run.conductor import Conductor, Observation
from bench.session import environments
from bench.session.bring_up import Session
from bench.session.supervisor import Supervisor
from bench.session.workspace import make_scratch
from core.instrument.journal import now_ns


def environment(conductor: Conductor, supervisor: Supervisor, lock: Path, *, cold: bool = False) -> float:
    """Install an engine's lock into a throw-away folder; returns seconds.

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
        conductor.sample(None, f"setup.environment{'_cold' if cold else ''}_s", "s", seconds, pipeline=NO_PIPELINE)
        packages, size = float(len(versions(folder))), float(environments.disk_bytes(folder))
        conductor.sample(None, "setup.packages", "count", packages, pipeline=NO_PIPELINE)
        conductor.sample(None, "setup.disk_bytes", "bytes", size, pipeline=NO_PIPELINE)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return seconds


def import_time(conductor: Conductor, session: Session) -> None:
    """Time of a fresh interpreter that imports the engine and ends."""
    command = Command(session.adapter.install.load(session.workspace.environment))
    process = session.supervisor.run("import", command)
    conductor.sample(None, "setup.import_s", "s", process.seconds, pipeline=NO_PIPELINE)


def bring_up(conductor: Conductor, session: Session, first: Observation, environment_s: float | None) -> None:
    """The parts of the session's bring-up, the first run, and their total where the environment was timed too."""
    for name, seconds in session.seconds.items():
        conductor.sample(None, f"setup.{name}", "s", seconds)
    if first.run.outcome != "completed" or not first.right:
        note = f"failed: the first run was {first.run.outcome}"
        conductor.sample(None, "setup.first_run_s", "s", None, note)
        conductor.sample(None, "setup.total_s", "s", None, note)
        return
    first_s = (first.run.terminal_ns - first.run.submit_ns) / 1e9
    conductor.sample(None, "setup.first_run_s", "s", first_s)
    if environment_s is not None:
        conductor.sample(None, "setup.total_s", "s", environment_s + sum(session.seconds.values()) + first_s)

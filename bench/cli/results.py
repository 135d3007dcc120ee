"""Commands about finished results; no engine runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench import stats, store
from bench.results import Sample
from bench.workspace import PROJECT
from reports.render import write_report


def report(
    result: Annotated[Path, typer.Argument(help="A result folder.")] = PROJECT / "results" / store.LATEST,
) -> None:
    """Compute summary and report again from what was measured; no engine runs."""
    folder = result.resolve()
    store.load_manifest(folder)
    summarise(folder)
    typer.echo(f"report: {write_report(folder)}")


def summarise(folder: Path) -> None:
    """Compute summary.json from the raw observations."""
    samples = store.load(folder, Sample)
    store.Store(folder).save_summary([*stats.summarise(samples), *stats.noise(samples)], [])

"""Commands about finished results; no engine runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.analyse import audits, drift, idle_share, noise, scaling, setting_up, summary
from bench.cli.codes import EXIT_AUDIT
from bench.contract.errors import StorageError, UsageError
from bench.contract.project import PROJECT
from bench.contract.records import Audit, Manifest, Record, Run, Sample, Verdict
from bench.observe import reading, store
from reports.pages.render import write_report


def report(
    result: Annotated[Path, typer.Argument(help="A result folder.")] = PROJECT / "results" / store.LATEST,
) -> None:
    """Compute summary and report again from what was measured; no engine runs."""
    folder = result.resolve()
    require_samples(folder)
    try:
        failed = summarise(folder)
        typer.echo(f"report: {write_report(folder).path}")
    except (OSError, StorageError) as error:
        reason = getattr(error.__cause__ or error, "strerror", error)
        raise UsageError(
            f"{folder}: the report cannot be written: {reason}; see to room and permission, then give the command again"
        ) from error
    objections(failed)


def require_samples(folder: Path) -> None:
    """UsageError if what was measured is gone: summary.json, which may still be there, would be made empty."""
    done = any(cell.state == "done" for cell in reading.load_manifest(folder).cells)
    if done and not reading.load(folder, Sample):
        path = folder / reading.FILES[Sample]
        raise UsageError(f"{path}: holds nothing, and cells were measured; put it back, summary.json is as it was")


def summarise(folder: Path) -> list[Audit]:
    """Compute summary.json from the raw observations; return the audits that the result failed."""
    samples, runs = reading.load(folder, Sample), reading.load(folder, Run)
    manifest = reading.load_manifest(folder)
    found = audits.audit(samples, runs, reading.load(folder, Verdict), manifest)
    store.Store(folder).save_summary(records(manifest, samples, runs), found)
    return [one for one in found if one.verdict == "fail"]


def records(manifest: Manifest, samples: list[Sample], runs: list[Run]) -> list[Record]:
    """All that is computed from the samples."""
    summarised = setting_up.with_totals(summary.summarise(samples), samples)
    computed = [*summarised, *noise.noise(samples, manifest.variants), *idle_share.net_cpu(samples)]
    return [*computed, *drift.order_effects(samples, runs), *scaling.fits(samples, manifest.pipelines)]


def objections(failed: list[Audit]) -> None:
    """Name the audits that the result failed, and end with their exit code if there are any."""
    for one in failed:
        typer.echo(f"audit failed: {one.name}: {one.reason}; do not use this result", err=True)
    if failed:
        raise typer.Exit(EXIT_AUDIT)

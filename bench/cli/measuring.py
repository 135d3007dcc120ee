"""`run`: measure the engines and write the report."""

from __future__ import annotations

import signal
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bench.campaign import Campaign
from bench.cli.codes import EXIT_ENGINE, EXIT_INTERRUPTED
from bench.cli.preparing import begin, default_engines
from bench.cli.progress import Progress
from bench.cli.results import objections, summarise
from bench.cli.resuming import resumed
from bench.contract.errors import ChangedError, StorageError, UsageError
from bench.contract.project import PROJECT
from bench.contract.words import Track
from bench.observe.store import storing
from bench.plan import pipelines
from bench.plan.budgets import BUDGETS
from bench.questions.discovery import checked, groups
from reports.pages.render import write_report


class BudgetName(StrEnum):
    """How much is measured: quick 8 minutes, standard 45, full without a deadline."""

    QUICK = "quick"
    STANDARD = "standard"
    FULL = "full"


def run(
    *,
    engine: Annotated[list[str] | None, typer.Option(help="Only this engine; repeatable.")] = None,
    track: Annotated[list[Track] | None, typer.Option(help="Only this track; repeatable.")] = None,
    budget: Annotated[BudgetName, typer.Option(help="How much is measured.")] = BudgetName.STANDARD,
    pipeline: Annotated[list[str] | None, typer.Option(help="Only this pipeline; repeatable.")] = None,
    only: Annotated[
        list[str] | None, typer.Option(help=f"Only this question; repeatable: {', '.join(groups())}.")
    ] = None,
    again: Annotated[
        str | None, typer.Option(help="The engine that is measured twice. [default: the cheapest]")
    ] = None,
    with_: Annotated[
        list[str] | None, typer.Option("--with", help="Another version of an engine, as ENGINE==VERSION; repeatable.")
    ] = None,
    data_file: Annotated[Path | None, typer.Option("--data", help="Your own CSV file.")] = None,
    target: Annotated[str | None, typer.Option(help="The column to predict; with --data.")] = None,
    test_data: Annotated[Path | None, typer.Option(help="Held-out rows; without it the data are split.")] = None,
    seed: Annotated[int, typer.Option(help="Draws data, order and offsets.")] = 7,
    output: Annotated[Path, typer.Option("-o", "--output", help="Where results are kept.")] = PROJECT / "results",
    resume: Annotated[Path | None, typer.Option(help="Finish this interrupted result.")] = None,
    redo: Annotated[
        bool, typer.Option("--redo", help="With --resume: measure engines anew whose code or lock has changed since.")
    ] = False,
) -> None:
    """Measure the engines and write the comparison report."""
    if redo and not resume:
        raise UsageError("--redo goes with --resume RESULT: it measures anew what that has measured")
    if resume:
        campaign, progress = resumed(resume, redo=redo)
    else:
        arguments = {
            "engine": list(dict.fromkeys(engine or default_engines())),
            "track": [str(t) for t in dict.fromkeys(track or BUDGETS[budget].tracks)],
            "with": list(dict.fromkeys(with_ or [])),
            "pipeline": list(dict.fromkeys(pipeline or pipelines.default())), "again": again,
            "budget": str(budget), "only": checked(list(dict.fromkeys(only or []))), "seed": seed, "target": target,
            "data": str(data_file.absolute()) if data_file else None,
            "test_data": str(test_data.absolute()) if test_data else None,
        }  # fmt: skip
        campaign, progress = begin(arguments, output)
    conduct(campaign, progress)


def conduct(campaign: Campaign, progress: Progress) -> None:
    """Measure, then summarise whatever was measured, also after Ctrl-C. StorageError if there is no room for it,
    ChangedError if code or data have changed meanwhile."""
    folder = campaign.ledger.store.folder
    interrupt_once()
    try:
        with storing(folder):
            interrupted = not _to_its_end(campaign, progress)
            failed = summarise(folder)
            typer.echo(f"report: {write_report(folder)}")
    except (StorageError, ChangedError):
        _keep_what_is_there(campaign)
        raise
    if interrupted:
        typer.echo(f"interrupted; finish it with: tox -e bench -- --resume {folder}")
        raise typer.Exit(EXIT_INTERRUPTED)
    for failure in campaign.ledger.manifest.failures:
        typer.echo(f"{failure.engine} {failure.track}: failed in {failure.phase}: {failure.message}", err=True)
    if campaign.ledger.manifest.failures:
        raise typer.Exit(EXIT_ENGINE)
    objections(failed)


def interrupt_once() -> None:
    """Let the first Ctrl-C or SIGTERM end the measurement in good order, undisturbed by any that follow.

    Those have no effect: what comes after the first, the end of the engines and the report, has limits of its own.
    """

    def first(*_: object) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)  # not SIG_IGN, which processes would inherit
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, first)


def _to_its_end(campaign: Campaign, progress: Progress) -> bool:
    """Measure; returns whether nobody interrupted it."""
    try:
        with progress:
            campaign.run()
    except KeyboardInterrupt:
        campaign.finish("interrupted")
        return False
    return True


def _keep_what_is_there(campaign: Campaign) -> None:
    """Say in the result that it is not finished, and write its report, as far as there is room for that."""
    folder = campaign.ledger.store.folder
    campaign.ledger.manifest.failures = list(campaign.not_installed)  # others may have failed for want of room
    with suppress(StorageError), storing(folder):
        campaign.finish("interrupted")
        summarise(folder)
        write_report(folder)

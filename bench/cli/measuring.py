"""`run`: measure the engines and write the report."""

from __future__ import annotations

import signal
from contextlib import suppress
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from bench.campaign import Campaign
from bench.cli.codes import EXIT_ENGINE, EXIT_INTERRUPTED
from bench.cli.preparing import begin, default_engines
from bench.cli.progress import Progress, printable
from bench.cli.results import objections, summarise
from bench.cli.resuming import resumed
from bench.contract.errors import ChangedError, StorageError, UsageError
from bench.contract.project import PROJECT
from bench.contract.words import Track
from bench.observe.store import storing
from bench.plan import pipelines
from bench.plan.budgets import BUDGETS, CHAOS
from bench.questions.discovery import checked, groups
from reports.pages.render import REPORT, Written, write_report
from reports.pages.said import findings, of_broken

MOST_SEED = 2**32 - 1
"""NumPy's, https://numpy.org/doc/stable/reference/random/legacy.html."""


BESIDE_RESUME = ("resume", "redo", "data_file", "test_data", "quiet")
Seed = Annotated[int, typer.Option(min=0, max=MOST_SEED, help="Draws data, order and offsets.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Say nothing but where the report is, and what failed.")]


class BudgetName(StrEnum):
    """How much is measured: quick 8 minutes, standard 45, full without a deadline."""

    QUICK = "quick"
    STANDARD = "standard"
    FULL = "full"


def run(
    context: typer.Context,
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
    separator: Annotated[str | None, typer.Option(help="Between the fields of --data. [default: recognised]")] = None,
    decimal: Annotated[str | None, typer.Option(help="Mark in its numbers. [default: recognised]")] = None,
    encoding: Annotated[str | None, typer.Option(help="Of its text. [default: recognised]")] = None,
    na: Annotated[
        list[str] | None, typer.Option(help="A text that means missing, as empty does; repeatable. [default: ?]")
    ] = None,
    rule: Annotated[
        list[str] | None, typer.Option(help="Another limit for the data, as NAME=NUMBER; repeatable.")
    ] = None,
    seed: Seed = 7,
    output: Annotated[Path, typer.Option("-o", "--output", help="Where results are kept.")] = PROJECT / "results",
    resume: Annotated[Path | None, typer.Option(help="Finish this interrupted result.")] = None,
    redo: Annotated[
        bool, typer.Option("--redo", help="With --resume: measure engines anew whose code or lock has changed since.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Measure the engines and write the comparison report."""
    progress = Progress(quiet=quiet)
    if redo and not resume:
        raise UsageError("--redo goes with --resume RESULT: it measures anew what that has measured")
    if resume:
        _refuse_beside_resume(context)
        campaign = resumed(resume, progress, data_file, test_data, redo=redo)
    else:
        arguments = {
            "engine": list(dict.fromkeys(engine or default_engines())),
            "track": [str(t) for t in dict.fromkeys(track or BUDGETS[budget].tracks)],
            "with": list(dict.fromkeys(with_ or [])),
            "pipeline": list(dict.fromkeys(pipeline or pipelines.default())), "again": again,
            "budget": str(budget), "only": checked(list(dict.fromkeys(only or []))), "seed": seed, "target": target,
            "data": str(data_file.absolute()) if data_file else None,
            "test_data": str(test_data.absolute()) if test_data else None, "separator": separator, "decimal": decimal,
            "encoding": encoding, "na": na or [], "rule": rule or [],
        }  # fmt: skip
        campaign = begin(arguments, output, progress)
    conduct(campaign, progress)


def _refuse_beside_resume(context: typer.Context) -> None:
    """UsageError if an option is given that would change nothing: a result is gone on with as it was begun."""
    for name in context.params:
        source = context.get_parameter_source(name)
        if source and source.name == "COMMANDLINE" and name not in BESIDE_RESUME:
            option = f"--{name.rstrip('_').replace('_', '-')}"
            raise UsageError(f"{option}: a result is gone on with as it was begun; leave it out, or start a new one")


def conduct(campaign: Campaign, progress: Progress) -> None:
    """Measure, then summarise whatever was measured, also after Ctrl-C. StorageError if there is no room for it,
    ChangedError if code or data have changed meanwhile."""
    folder = campaign.ledger.store.folder
    campaign.sharpen = partial(_sharpen, campaign, progress)
    interrupt_once()
    try:
        with campaign.ledger.told_how_to_go_on(), storing(folder):
            interrupted = not _to_its_end(campaign, progress)
            failed = summarise(folder)
            written = write_report(folder)
    except (StorageError, ChangedError):
        _keep_what_is_there(campaign)
        raise
    if not progress.quiet:
        tell(written)
    typer.echo(f"report: {written.path}")
    if interrupted:
        typer.echo(f"interrupted; finish it with: {campaign.ledger.go_on}")
        raise typer.Exit(EXIT_INTERRUPTED)
    for failure in campaign.ledger.manifest.failures:
        said = f"{failure.engine} {failure.track}: failed in {failure.phase}: {failure.message}"
        typer.echo(printable(said), err=True)
    if campaign.ledger.manifest.failures:
        raise typer.Exit(EXIT_ENGINE)
    objections(failed)


def tell(written: Written) -> None:
    """Say what was found, in the words of the report."""
    broken = written.lookup.result.manifest.budget == CHAOS
    for line in of_broken(written.report, written.lookup) if broken else findings(written.report):
        typer.echo(printable(line))


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


def _sharpen(campaign: Campaign, progress: Progress, what: str) -> None:
    """Write the report of what there is so far. What cannot be shown yet ends no measurement; StorageError does."""
    folder = campaign.ledger.store.folder
    first = not (folder / REPORT).exists()
    try:
        with storing(folder):
            summarise(folder)
            path = write_report(folder).path
        said = f"the report so far: {path}" if first else "the report has been sharpened"
    except StorageError:
        raise
    except Exception as error:  # noqa: BLE001 - it is written once more at the end, where nothing is passed over
        said = f"the report could not be written so far: {type(error).__name__}: {error}"
    progress(f"{what}: {said}", campaign.clock.left_s())


def _keep_what_is_there(campaign: Campaign) -> None:
    """Say in the result that it is not finished, and write its report, as far as there is room for that."""
    folder = campaign.ledger.store.folder
    campaign.ledger.manifest.failures = list(campaign.not_installed)  # others may have failed for want of room
    with suppress(StorageError), storing(folder):
        campaign.finish("interrupted")
        summarise(folder)
        write_report(folder)

"""Commands between results: compare them, follow them over time, and hand their data on. No engine runs."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bench.analyse import sides as measured
from bench.analyse.comparability import incomparable
from bench.analyse.export import Format, TableName
from bench.analyse.export import export as write_table
from bench.cli.codes import EXIT_REGRESSION
from bench.cli.results import require_samples
from bench.contract.errors import UsageError
from bench.observe.reading import FILES, MANIFEST, SUMMARY
from core.instrument.artifacts import atomic
from reports.pages import comparison, pairs
from reports.pages import history as over_time
from reports.pages.document import Document, as_html, as_markdown, as_text


class Shape(StrEnum):
    """How a page is written: for the terminal, as Markdown, or as one HTML file."""

    TABLE = "table"
    MARKDOWN = "markdown"
    HTML = "html"


WRITERS: dict[Shape, Callable[[Document], str]] = {
    Shape.TABLE: as_text,
    Shape.MARKDOWN: as_markdown,
    Shape.HTML: as_html,
}

Shown = Annotated[Shape, typer.Option("--format", help="How it is written.")]
Into = Annotated[Path | None, typer.Option("-o", "--output", help="Write to this file instead of the terminal.")]
Chosen = Annotated[list[str] | None, typer.Option("--metric", help="Only metrics that start so; repeatable.")]


def compare(
    results: Annotated[list[Path], typer.Argument(help="Result folders; the first is the reference.")],
    *,
    arms: Annotated[str, typer.Option(help="Within one result: ENGINE@1.2.3,ENGINE; the first is the reference.")] = "",
    tracks: Annotated[str, typer.Option(help="Within one result: stock,tuned; the first is the reference.")] = "",
    metric: Chosen = None,
    shape: Shown = Shape.TABLE,
    output: Into = None,
    fail_above: Annotated[float | None, typer.Option(min=0, help="Exit code 4 if worse by more percent.")] = None,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="With --fail-above: what only the reference holds is no failure.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Compare what is not comparable, saying so.")] = False,
) -> None:
    """Compare results with each other, or arms or tracks within one; exit code 4 on a regression."""
    loaded = [measured.load(folder) for folder in results]
    sides = _sides(loaded, arms, tracks)
    if len(loaded) > 1:
        _refuse(loaded, sides, force=force)
        found = pairs.between_results(loaded, sides, metric or ())
    else:
        found = pairs.within_result(loaded[0], sides, metric or ())
    if not any(pair.rows for pair in found):
        why = f"starts with {' or '.join(metric)}; choose another --metric" if metric else "is in all that is compared"
        raise UsageError(f"{', '.join(map(str, results))}: no metric {why}")
    _write(comparison.document(loaded, sides, found), shape, output)
    if fail_above is not None:
        _judge(found, fail_above, allow_missing=allow_missing)


def history(
    folders: Annotated[list[Path], typer.Argument(help="Result folders, or folders of them.")],
    *,
    metric: Chosen = None,
    shape: Shown = Shape.TABLE,
    output: Into = None,
) -> None:
    """Show every metric over time, with each change of an engine's version."""
    places = list(dict.fromkeys(place.resolve() for folder in folders for place in _results(folder)))
    loaded = sorted(_loaded(places), key=lambda one: one.manifest.created_utc)
    _write(over_time.document(loaded, measured.of_results(loaded), metric or ()), shape, output)


def export(
    result: Annotated[Path, typer.Argument(help="A result folder.")],
    *,
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write.")],
    kind: Annotated[Format, typer.Option("--format", help="CSV, or Parquet, which keeps the types.")] = Format.CSV,
    table: Annotated[TableName, typer.Option(help="What is exported, one row for each.")] = TableName.SAMPLES,
) -> None:
    """Write a result's samples, records, runs or verdicts as one flat table."""
    rows = write_table(result.resolve(), table, kind, output)
    typer.echo(f"{output}: {rows} {table}")


def _sides(loaded: list[measured.Measured], arms: str, tracks: str) -> list[measured.Side]:
    chosen = {"--arms": (arms, measured.of_arms), "--tracks": (tracks, measured.of_tracks)}
    given = [(option, text, make) for option, (text, make) in chosen.items() if text]
    if len(loaded) > 1 and not given:
        return measured.of_results(loaded)
    if len(loaded) > 1 or len(given) != 1:
        raise UsageError("give two or more result folders, or one with either --arms A,B or --tracks A,B")
    option, text, make = given[0]
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if len(names) < 2:
        raise UsageError(f"{option} {text}: names one; give two or more, with commas, the reference first")
    return make(loaded[0], names)


def _refuse(loaded: list[measured.Measured], sides: list[measured.Side], *, force: bool) -> None:
    """What was measured on another host, other data or with other steps says nothing about the engines."""
    for one, side in zip(loaded[1:], sides[1:], strict=True):
        reasons = incomparable(loaded[0].manifest, one.manifest)
        if reasons and not force:
            what = f"{side.label} ({one.name}) is not comparable with A ({loaded[0].name})"
            raise UsageError(f"{what}: {'; '.join(reasons)}; --force compares all the same")


def _results(folder: Path) -> list[Path]:
    """The folder, or the results right below it."""
    if (folder / MANIFEST).exists():
        return [folder]
    known = (MANIFEST, SUMMARY, *FILES.values())  # a result that has lost one of them is named
    found = sorted({below.parent for name in known for below in folder.glob(f"*/{name}")})
    if not found:
        raise UsageError(f"{folder}: neither a result nor a folder of results; give one made by 'orchbench run'")
    return found


def _loaded(places: list[Path]) -> list[measured.Measured]:
    """Each result once, also if there is a copy of it; those that cannot be read are named, unless none can be."""
    found: list[measured.Measured] = []
    errors = []
    for place in places:
        try:
            require_samples(place)
            one = measured.load(place)
        except UsageError as error:
            errors.append(error)
            continue
        if all(_begun(one) != _begun(other) for other in found):
            found.append(one)
    if not found:
        raise errors[0]
    for each in errors:
        typer.echo(f"left out: {each}", err=True)
    return found


def _begun(one: measured.Measured) -> tuple[object, ...]:
    """What a result and its copies have in common, whatever has been made of them since."""
    return one.manifest.created_utc, one.manifest.seed


def _write(document: Document, shape: Shape, output: Path | None) -> None:
    text = WRITERS[shape](document)
    if output is None:
        typer.echo(text, nl=False)
        return
    try:
        with atomic(output) as temporary:
            temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{output}: cannot be written: {error.strerror}; choose another --output") from error
    typer.echo(f"written: {output}")


def _judge(found: list[pairs.Pair], percent: float, *, allow_missing: bool) -> None:
    """Name each regression, and what is not there to be judged, on the error stream; exit code 4 if there is one."""
    regressions = [(pair, row) for pair in found for row in pair.regressions(percent)]
    for pair, row in regressions:
        values = f"{row.before} in {pair.before.label}, {row.after} in {pair.after.label}"
        about = " ".join(part for part in (row.place.engine, row.place.metric, row.where) if part)
        change = f" ({row.change})" if row.change else ""
        typer.echo(" ".join(f"regression: {about}: {row.verdict.word}: {values}{change}".split()), err=True)
    missing = [] if allow_missing else [(pair.after.label, what) for pair in found for what in pair.missing()]
    for label, what in missing:
        typer.echo(f"missing: {what}: not in {label}; --allow-missing passes over it", err=True)
    if regressions or missing:
        raise typer.Exit(EXIT_REGRESSION)

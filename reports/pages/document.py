"""A page of plain tables in three forms: text for a terminal, Markdown, and one HTML file that needs no network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reports.draw.charts import Figure

STATIC = Path(__file__).parents[1] / "static"
STYLES = ("report.css", "document.css")


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table. `mark` names its look: better, worse, heading, or none."""

    cells: tuple[str, ...]
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """`numeric`: the columns that are set to the right. `folded`: in HTML it is opened by a click."""

    title: str
    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    numeric: frozenset[int] = frozenset()
    folded: bool = False

    @property
    def used(self) -> list[int]:
        """The columns in which anything stands, and the first."""
        return [n for n in range(len(self.columns)) if n == 0 or any(line.cells[n] for line in self.lines)]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands below it."""

    title: str
    paragraphs: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """`warnings` forbid to read on as if nothing were; `notes` are good to know."""

    title: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def as_text(document: Document) -> str:
    """For a terminal: columns set out with spaces, without colours and control characters."""
    return "\n".join(_blocks(document, _underlined, _aligned, _flat))


def as_markdown(document: Document) -> str:
    """GitHub's Markdown; nothing in a result can break out of its table or become markup."""
    return "\n".join(_blocks(document, _hashed, _piped, _escaped))


def as_html(document: Document) -> str:
    """One file with its styles and drawings in it, and no script."""
    style = "\n".join((STATIC / name).read_text(encoding="utf-8") for name in STYLES)
    return (
        _environment()
        .get_template("document.html.j2")
        .render(
            document=document,
            style=Markup(style),  # noqa: S704 - our own files
        )
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _blocks(
    document: Document,
    heading: Callable[[str, int], str],
    table: Callable[[Table], Iterator[str]],
    escape: Callable[[str], str],
) -> Iterator[str]:
    yield heading(document.title, 1)
    yield ""
    yield from (f"- {escape(name)}: {escape(text)}" for name, text in document.facts)
    yield from (f"- WARNING: {escape(text)}" for text in document.warnings)
    yield from (f"- note: {escape(text)}" for text in document.notes)
    for section in document.sections:
        yield from ("", heading(section.title, 2))
        for paragraph in section.paragraphs:
            yield from ("", escape(paragraph))
        for one in section.tables:
            yield from ("", *((heading(one.title, 3), "") if one.title else ()), *table(one))
    yield ""


def _hashed(text: str, level: int) -> str:
    return f"{'#' * level} {_escaped(text)}"


def _underlined(text: str, level: int) -> str:
    text = _flat(text)
    return f"{text}\n{'=-'[level - 1] * len(text)}" if level < 3 else text


def _aligned(table: Table) -> Iterator[str]:
    rows = [[_flat(cells[n]) for n in table.used] for cells in (table.columns, *(line.cells for line in table.lines))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    right = [n in table.numeric for n in table.used]
    for row in rows:
        cells = zip(row, widths, right, strict=True)
        yield "  ".join(cell.rjust(width) if aside else cell.ljust(width) for cell, width, aside in cells).rstrip()


def _piped(table: Table) -> Iterator[str]:
    rule = ["---:" if n in table.numeric else "---" for n in table.used]
    rows: list[Sequence[str]] = [[_escaped(table.columns[n]) for n in table.used], rule]
    rows += [[_escaped(line.cells[n]) for n in table.used] for line in table.lines]
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _flat(text: str) -> str:
    """On one line, and without characters that steer a terminal."""
    return "".join(character for character in " ".join(text.split()) if character.isprintable())


def _escaped(text: str) -> str:
    """What Markdown takes for markup is shown as it stands; underscores within words are none."""
    text = _flat(text)
    for character in "\\`*[]|<>":
        text = text.replace(character, f"\\{character}")
    return text

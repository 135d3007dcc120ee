"""The pipelines' code side by side: highlighted line by line, the counted lines marked."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_for_filename

from reports.read.loading import Source
from reports.read.lookup import Lookup


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    html: Markup
    counted: bool


@dataclass(frozen=True, slots=True)
class File:
    engine: str
    title: str
    lines: tuple[Line, ...]
    counted: int
    missing: bool = False


@dataclass(frozen=True, slots=True)
class FileRow:
    """The files of one name, one an engine."""

    name: str
    files: tuple[File, ...]


def code_rows(lookup: Lookup) -> tuple[FileRow, ...]:
    """Pair the files of the engines by name; the files with most code first."""
    engines = [engine for engine in lookup.engines if lookup.result.code.get(engine)]
    sources = {(e, source.name): source for e in engines for source in lookup.result.code[e] if _shown(source)}
    names = dict.fromkeys(name for _, name in sources)
    weight = {name: sum(len(s.counted) for (_, n), s in sources.items() if n == name) for name in names}
    return tuple(
        FileRow(name, tuple(_file(e, lookup.title(e), sources.get((e, name))) for e in engines))
        for name in sorted(names, key=lambda name: (-weight[name], name))
    )


def _shown(source: Source) -> bool:
    """A package's empty marker file is no code that anybody writes."""
    return bool(source.text.strip()) and (bool(source.counted) or not source.name.endswith("__init__.py"))


def _file(engine: str, title: str, source: Source | None) -> File:
    if source is None:
        return File(engine, title, (), 0, missing=True)
    lines = tuple(
        Line(number, Markup(html), number in source.counted)  # noqa: S704 - Pygments escapes the source
        for number, html in enumerate(_highlighted(source), 1)
    )
    return File(engine, title, lines, sum(line.counted for line in lines))


def _highlighted(source: Source) -> list[str]:
    """One balanced piece of HTML a line: the formatter closes and opens its spans at line ends."""
    html = highlight(
        source.text, get_lexer_for_filename(source.name, stripnl=False, ensurenl=False), HtmlFormatter(nowrap=True)
    )
    lines = html.split("\n")
    return lines[:-1] if lines and not lines[-1] else lines

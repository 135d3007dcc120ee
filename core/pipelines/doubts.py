"""What was recognised of a file and might be meant otherwise."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from core.pipelines.dialect import Dialect
from core.pipelines.encodings import WESTERN
from core.pipelines.numerals import clear_decimal, thousands
from core.pipelines.recognising import header, records, sample
from core.pipelines.wording import short

ALONE = re.compile(r"(?<!\r)\n|\r(?!\n)")
"""A line end of one character."""


def doubts(path: Path, dialect: Dialect, given: Collection[str]) -> Iterator[str]:
    """Remarks, but none on the marks that were `given`."""
    names, *rows = records(path, dialect)
    like_data = header(path, dialect)[1]
    named = [name for name in names if name]
    if like_data >= 1 or len(set(named)) < len(named):
        yield f"its first line looks like data, and is taken for names: {short(', '.join(names))}"
    for place, name in enumerate(names):
        if not name:
            yield f"column {place + 1} has no name, and is called 'Unnamed: {place}'"
    if rows and len(rows[0]) == len(names) + 1 and not rows[0][-1]:
        yield "rows end in a separator, the header does not: no column is made of it"
    if dialect.encoding == WESTERN and "encoding" not in given:
        yield f"taken for {WESTERN}, as it is not UTF-8: if letters look wrong give --encoding"
    if dialect.separator != "," and "decimal" not in given:
        yield from _of_points([field for row in rows for field in row])
    yield from _of_line_ends(sample(path, dialect))


def _of_points(fields: list[str]) -> Iterator[str]:
    found = thousands(fields, ".")
    if found and not clear_decimal(fields, ".") and not clear_decimal(fields, ","):
        yield f"the point of {found} is taken for a decimal one; if it parts thousands give --decimal ,"


def _of_line_ends(text: str) -> Iterator[str]:
    if "\r" not in text:
        return
    if "\n" not in text:
        yield "lines end in a carriage return alone"
    elif "\r\n" in text and ALONE.search(text):
        yield "lines end in different ways"

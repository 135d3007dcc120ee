"""What a user's CSV file is written in, recognised from its content: compression, encoding, separator, decimal mark."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from pathlib import Path

from core.instrument.errors import ConfigError, DataError
from core.pipelines.dialect import BLANKS, PLAIN, SEPARATORS, WORDS, Dialect
from core.pipelines.encodings import encoding_of, known
from core.pipelines.numerals import clear_decimal, is_number, thousands
from core.pipelines.packed import compression_of, opened
from core.pipelines.wording import listed, short

SAMPLE_CHARACTERS = 1_000_000
ALIKE, PLAUSIBLE = 0.9, 0.5
"""The share of records that have as many fields as the header where the separator is the right one, and may be."""
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?(\r\n|\r|\n)', re.IGNORECASE)
"""Above the header, as spreadsheets write it."""
NAMED = {"\\t": "\t", **{word: mark for mark, word in WORDS.items()}}


def recognise(path: Path, *, separator: str = "", decimal: str = "", encoding: str = "") -> Dialect:
    """Look at the whole file. What is given is believed, the rest is found out.

    DataError in one line if it is no file of text or something cannot be recognised; ConfigError if what is given
    cannot be meant.
    """
    compression = compression_of(path)
    encoding = known(encoding) if encoding else encoding_of(path, compression)
    separator = _mark("separator", NAMED.get(separator, separator))
    decimal = _mark("decimal", decimal)
    text = sample(path, Dialect(encoding=encoding, compression=compression))
    first = SEPARATOR_LINE.match(text)
    text = text[first.end() :] if first else text
    separator = separator or (first[1] if first else _separator(path, text))
    decimal = decimal or _decimal(path, parted(text, separator), separator)
    return Dialect(separator, decimal, encoding, compression, 1 if first else 0)


def header(path: Path, dialect: Dialect, missing: tuple[str, ...] = ()) -> tuple[list[str], float]:
    """The names of the columns, and the share of them that look like data: numbers over numbers, or a value that is
    met below.

    DataError if there are none, one is there twice, or the first line is a title.
    """
    names, *rows = records(path, dialect) or [[]]
    if not names:
        raise DataError(f"{path}: rule not_empty: the file has no header and no rows")
    width, alike = Counter(map(len, rows)).most_common(1)[0] if rows else (0, 0)
    if 2 * len(names) <= width and alike >= ALIKE * len(rows) - 1:  # the header proper may be beside them
        raise DataError(f"{path}: line 1 ({short(names[0])!r}) is no header, others have {width} fields; take it out")
    # files that were put behind one another have their header once more
    columns = list(zip(*(row for row in rows if len(row) == width and row != names), strict=True))
    like = [_like_data(*pair, dialect.decimal, {"", *missing}) for pair in zip(names, columns, strict=False)]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice and sum(like) < PLAUSIBLE * len(names):
        raise DataError(f"{path}: rule header: it names {listed(twice, quoted=True)} more than once; rename a column")
    return names, sum(like) / len(names)


def _like_data(name: str, below: tuple[str, ...], decimal: str, missing: set[str]) -> bool:
    if not name:
        return False
    if not is_number(name, decimal):
        return name in below
    values = [one for one in below if one not in missing]
    return bool(values) and all(is_number(one, decimal) for one in values)


def _mark(option: str, mark: str) -> str:
    if len(mark) > 1:
        raise ConfigError(f"--{option} {mark}: is more than one character")
    if mark and (not mark.isascii() or mark in "\r\n\"'\0"):
        raise ConfigError(f"--{option} {mark!r}: cannot be read by; give another character of ASCII")
    return mark


def sample(path: Path, dialect: Dialect) -> str:
    """The file's beginning; of a longer one without the line that it ends in."""
    try:
        with (
            opened(path, dialect.compression) as stream,
            io.TextIOWrapper(stream, encoding=dialect.encoding, newline="") as reader,
        ):
            text = reader.read(SAMPLE_CHARACTERS)
    except UnicodeError as error:
        raise DataError(f"{path}: cannot be read as {dialect.encoding} ({error}); give another --encoding") from error
    end = max(text.rfind("\n"), text.rfind("\r")) + 1
    return text if len(text) < SAMPLE_CHARACTERS or not end else text[:end]


def records(path: Path, dialect: Dialect) -> list[list[str]]:
    """Those of the file's beginning, from its header on."""
    text = sample(path, dialect)
    first = SEPARATOR_LINE.match(text) if dialect.skip else None
    return parted(text[first.end() :] if first else text, dialect.separator)


def parted(text: str, separator: str) -> list[list[str]]:
    """Fields without the spaces around them; lines that are empty are no records."""
    csv.field_size_limit(SAMPLE_CHARACTERS)
    if separator == BLANKS:
        text = re.sub(r"(?m)^ | (?=\r?$)", "", re.sub(r"[^\S\r\n]+", BLANKS, text))
    found = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    return [[field.strip() for field in record] for record in found if record]


def _separator(path: Path, text: str) -> str:
    """The one with which the header has fields, and most records as many; else that of the records alone."""
    below = text.partition("\n")[2]
    for marks, part, least in (
        (SEPARATORS, text, PLAUSIBLE), (BLANKS, text, ALIKE), (SEPARATORS, below, PLAUSIBLE), (SEPARATORS, text, 0.0),
    ):  # fmt: skip
        found = {one: fit for one in marks if (fit := _fit(part, one))[0] >= least and fit[1] > 1}
        if found:
            return max(found, key=lambda one: found[one])
    if len(words := text.partition("\n")[0].split()) > 1:
        raise DataError(
            f"{path}: no separator was recognised in {short(' '.join(words))!r}; give --separator CHARACTER"
        )
    return PLAIN.separator


def _fit(text: str, separator: str) -> tuple[float, int]:
    """The share of records that have as many fields as the first, as far as it matters, and how many these are."""
    found = parted(text, separator)
    width = len(found[0]) if found else 0
    return min(sum(len(record) == width for record in found) / max(len(found), 1), ALIKE), width


def _decimal(path: Path, found: list[list[str]], separator: str) -> str:
    """A comma where numbers are written with one and never with a point, and it does not part thousands."""
    fields = [field for record in found[1:] for field in record]
    comma, point = (clear_decimal(fields, mark) for mark in ",.")
    by_three, points_by_three = (thousands(fields, mark) for mark in ",.")
    in_commas = separator == ","  # a comma in a number is then a rare thing
    if comma and not point and not (in_commas and points_by_three):
        return ","
    if by_three and not (comma or point or in_commas):
        raise DataError(f"{path}: is the comma of {by_three} a decimal one? Give --decimal , or else --decimal .")
    return "."

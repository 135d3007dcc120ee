"""Reading a user's CSV in chunks whose columns all have the same types."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pandas.api.extensions import ExtensionDtype

from core.instrument.errors import DataError
from core.pipelines.dialect import BLANKS, PLAIN, Dialect
from core.pipelines.packed import BROKEN, opened

Kind = np.dtype[Any] | ExtensionDtype
INFINITE, EMPTY = "infinite", "empty"
"""In a chunk's attributes: how many infinite values each column had, where it had any; how many rows had no value."""
LARGEST = float(np.finfo("float32").max)
"""Features are stored in 32 bits."""
PADDING = [("", ""), (" ", ""), (" ", " "), ("", "\t"), *(("", " " * blanks) for blanks in range(1, 9))]
"""Blanks before and after a word that stands for a missing value."""


class Widened(Exception):  # noqa: N818 - a turn of the reading, not an error
    """A chunk needs a wider type for some columns than the chunks before it."""

    def __init__(self, types: dict[str, str]) -> None:
        super().__init__(f"columns need wider types: {types}")
        self.types = types


def options(dialect: Dialect, na_values: tuple[str, ...]) -> dict[str, Any]:
    """Of `pandas.read_csv`. Nothing is missing but what is empty or one of the given words: None, NA and null are names
    of classes and countries."""
    return {
        "sep": r"\s+" if dialect.separator == BLANKS else dialect.separator, "decimal": dialect.decimal,
        "encoding": dialect.encoding, "skiprows": dialect.skip, "skipinitialspace": True, "keep_default_na": False,
        "na_values": [before + word + after for word in ("", *na_values) for before, after in PADDING],
        "low_memory": False, "index_col": False,
    }  # fmt: skip


@contextmanager
def content(path: Path, dialect: Dialect) -> Iterator[Any]:
    """What `pandas.read_csv` reads: it would refuse an archive that holds folders too."""
    if dialect.compression:
        with opened(path, dialect.compression) as stream:
            yield stream
    else:
        yield path


def read_chunks(
    path: Path, chunk_rows: int, na_values: tuple[str, ...], types: dict[str, str], dialect: Dialect = PLAIN
) -> Iterator[pd.DataFrame]:
    """Yield a CSV file's rows in chunks that all have the same column types: int64, float64 or str.

    `types` gives the least type of some columns; others are taken from the first chunk. Blanks around names and texts
    are no part of them, and rows without any value are left out. Infinite numbers are missing values. `attrs` counts
    both. Raises Widened, naming the types to start again with, when a chunk needs more; DataError if the file cannot be
    read as CSV. A file with a header alone gives one empty chunk.
    """
    seen = dict(types)
    # numbers are cast afterwards: a fixed float64 could not be widened once more, to text
    text = {name: kind for name, kind in types.items() if kind == "str"}
    how = options(dialect, na_values)
    with _told(path):
        written = _written(path, dialect, how) if text else {}
        fixed = {written.get(name, name): kind for name, kind in text.items()}
        with content(path, dialect) as source, pd.read_csv(source, chunksize=chunk_rows, dtype=fixed, **how) as chunks:
            for chunk in _strictly(chunks):
                chunk.columns = [str(name).strip() for name in chunk.columns]
                full = _full(_stripped(chunk, na_values))
                ready = _finite(_cast(full, seen, text))
                ready.attrs[EMPTY] = len(chunk) - len(full)
                yield ready


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What goes wrong with reading as a DataError."""
    try:
        yield
    except pd.errors.EmptyDataError as error:
        raise DataError(f"{path}: rule not_empty: the file has no header and no rows") from error
    except pd.errors.ParserWarning as error:
        raise DataError(f"{path}: rule readable: rows have more fields than the header") from error
    except (*BROKEN, ValueError) as error:
        reason = " ".join(str(error).split())  # a parser's message may have two lines
        raise DataError(f"{path}: rule readable: cannot be read as CSV: {reason}") from error


def _written(path: Path, dialect: Dialect, how: dict[str, Any]) -> dict[str, str]:
    """The names of the columns as they stand in the header, by what they are without blanks."""
    with content(path, dialect) as source:
        return {str(name).strip(): str(name) for name in pd.read_csv(source, nrows=0, **how).columns}


def _strictly(chunks: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Surplus fields are an error and no warning, unless they are the empty ones behind a last separator."""
    while True:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            try:
                chunk = next(chunks)
            except StopIteration:
                return
        yield chunk


def _stripped(chunk: pd.DataFrame, na_values: tuple[str, ...]) -> pd.DataFrame:
    for name, kind in chunk.dtypes.items():
        if isinstance(kind, pd.StringDtype):
            text = pa.array(chunk[name])
            if not pc.utf8_trim_whitespace(text).equals(text):  # quicker than to strip all
                stripped = chunk[name].str.strip()
                chunk[name] = stripped.mask(stripped.isin(["", *na_values]))
    return chunk


def _full(chunk: pd.DataFrame) -> pd.DataFrame:
    """Spreadsheets write rows without any value behind the last one."""
    if not (len(chunk) and chunk.iloc[:, 0].isna().any()):
        return chunk
    return chunk[chunk.notna().any(axis=1)]


def _finite(chunk: pd.DataFrame) -> pd.DataFrame:
    """Without what a model would take for infinite."""
    numbers = chunk.select_dtypes("float64")
    infinite = (numbers.abs() > LARGEST).sum()
    infinite = infinite[infinite > 0]
    for name in infinite.index:
        chunk[name] = chunk[name].mask(chunk[name].abs() > LARGEST)
    chunk.attrs[INFINITE] = {str(name): int(count) for name, count in infinite.items()}
    return chunk


def _cast(chunk: pd.DataFrame, seen: dict[str, str], text: dict[str, str]) -> pd.DataFrame:
    """Cast to the types seen so far, adding those of new columns; Widened if they do not suffice."""
    found = {str(name): kind for name, kind in chunk.dtypes.items()}
    kinds = {name: _kind(kind) for name, kind in found.items()}
    wanted = {name: _wider(seen.get(name, kind), kind) for name, kind in kinds.items()}
    wider = {name: kind for name, kind in wanted.items() if kind != seen.get(name, kind)}
    # text must be read as text: a number or truth value turned back into text may look different
    wider |= {name: "str" for name, kind in wanted.items() if kind == "str" and not _faithful(found[name], name, text)}
    if wider:
        raise Widened(seen | wanted | wider)
    seen.update(wanted)
    return chunk.astype({name: kind for name, kind in wanted.items() if str(found[name]) != kind})


def _faithful(kind: Kind, name: str, text: dict[str, str]) -> bool:
    return name in text or isinstance(kind, pd.StringDtype)


def _kind(kind: Kind) -> str:
    """Whole numbers beyond 64 bits are identifiers in practice: text."""
    if pd.api.types.is_signed_integer_dtype(kind):
        return "int64"
    return "float64" if pd.api.types.is_float_dtype(kind) else "str"


def _wider(one: str, other: str) -> str:
    if one == other:
        return one
    return "str" if "str" in (one, other) else "float64"

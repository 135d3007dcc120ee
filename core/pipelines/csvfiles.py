"""Reading a user's CSV in chunks whose columns all have the same types."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from core.instrument.errors import DataError


class Widened(Exception):  # noqa: N818 - a turn of the reading, not an error
    """A chunk needs a wider type for some columns than the chunks before it."""

    def __init__(self, types: dict[str, str]) -> None:
        super().__init__(f"columns need wider types: {types}")
        self.types = types


def read_chunks(
    path: Path, chunk_rows: int, na_values: tuple[str, ...], types: dict[str, str]
) -> Iterator[pd.DataFrame]:
    """Yield a CSV file's rows in chunks that all have the same column types: int64, float64 or str.

    `types` gives the least type of some columns; others are taken from the first chunk. Raises
    Widened, naming the types to start again with, when a chunk needs more; DataError if the file
    cannot be read as CSV. A file with a header alone gives one empty chunk.
    """
    seen = dict(types)
    # numbers are cast afterwards: a fixed float64 could not be widened once more, to text
    text = {name: kind for name, kind in types.items() if kind == "str"}
    try:
        with pd.read_csv(
            path, chunksize=chunk_rows, skipinitialspace=True, dtype=text,
            na_values=list(na_values), low_memory=False,
        ) as chunks:  # fmt: skip
            rows = 0
            for chunk in chunks:
                # surplus fields on the left become the index, which otherwise counts the rows
                if not chunk.index.equals(pd.RangeIndex(rows, rows + len(chunk))):
                    raise DataError(f"{path}: rule readable: rows have more fields than the header")
                rows += len(chunk)
                yield _cast(chunk, seen, text)
    except pd.errors.EmptyDataError as error:
        raise DataError(f"{path}: rule not_empty: the file has no header and no rows") from error
    except (OSError, UnicodeDecodeError, pd.errors.ParserError) as error:
        raise DataError(f"{path}: rule readable: cannot be read as CSV: {error}") from error


def _cast(chunk: pd.DataFrame, seen: dict[str, str], text: dict[str, str]) -> pd.DataFrame:
    """Cast to the types seen so far, adding those of new columns; Widened if they do not suffice."""
    kinds = {str(name): _kind(chunk[name]) for name in chunk.columns}
    wanted = {name: _wider(seen.get(name, kind), kind) for name, kind in kinds.items()}
    wider = {name: kind for name, kind in wanted.items() if kind != seen.get(name, kind)}
    # text must be read as text: a number or truth value turned back into text may look different
    wider |= {name: "str" for name, kind in wanted.items() if kind == "str" and not _faithful(chunk[name], name, text)}
    if wider:
        raise Widened(seen | wanted | wider)
    seen.update(wanted)
    return chunk.astype(wanted)


def _faithful(column: pd.Series, name: str, text: dict[str, str]) -> bool:
    return name in text or isinstance(column.dtype, pd.StringDtype)


def _kind(column: pd.Series) -> str:
    """Whole numbers beyond 64 bits are identifiers in practice: text."""
    if pd.api.types.is_signed_integer_dtype(column):
        return "int64"
    return "float64" if pd.api.types.is_float_dtype(column) else "str"


def _wider(one: str, other: str) -> str:
    if one == other:
        return one
    return "str" if "str" in (one, other) else "float64"

"""Tables in Parquet files: how they are stored, and reading them by column."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, TypedDict

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq


class Storage(TypedDict):
    """Options that pandas and pyarrow share."""

    compression: Literal["lz4"]
    write_statistics: bool


STORAGE = Storage(compression="lz4", write_statistics=False)
"""Quick to write and to read again; nobody asks for a part of a table, which statistics would speed up."""
CELLS = 100_000
"""As many are read at once, where a single column has no more."""


def shape(path: Path) -> tuple[int, list[str]]:
    """A table's number of rows and the names of its columns."""
    metadata = pq.read_metadata(path)
    return metadata.num_rows, list(metadata.schema.to_arrow_schema().names)


def columns(path: Path, *, texts: bool = False) -> Iterator[tuple[str, pd.Series]]:
    """A table's columns by name, only those with text if so wished; a few at a time: all at once would take much more
    memory than its file."""
    with pq.ParquetFile(path) as file:
        names = [field.name for field in file.schema_arrow if not texts or _is_text(field.type)]
        width = max(CELLS // max(file.metadata.num_rows, 1), 1)
        for start in range(0, len(names), width):
            some = names[start : start + width]
            yield from file.read(columns=some).select(some).to_pandas().items()


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))

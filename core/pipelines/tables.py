"""Tables in Parquet files: how they are stored, and reading them by column."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, TypedDict

import pandas as pd
import pyarrow.parquet as pq


class Storage(TypedDict):
    """Options that pandas and pyarrow share."""

    compression: Literal["lz4"]
    write_statistics: bool


STORAGE = Storage(compression="lz4", write_statistics=False)
"""Quick to write and to read again; nobody asks for a part of a table, which statistics would speed up."""


def shape(path: Path) -> tuple[int, list[str]]:
    """A table's number of rows and the names of its columns."""
    metadata = pq.read_metadata(path)
    return metadata.num_rows, list(metadata.schema.to_arrow_schema().names)


def columns(path: Path) -> Iterator[tuple[str, pd.Series]]:
    """A table's columns by name, one after the other: all at once would take much more memory than its file."""
    with pq.ParquetFile(path) as file:
        for name in file.schema_arrow.names:
            yield name, file.read(columns=[name]).to_pandas()[name]

"""The source (and test) CSV as tables in Parquet files, read in chunks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from core.pipelines.csvfiles import EMPTY, INFINITE, Widened, read_chunks
from core.pipelines.dialect import Dialect
from core.pipelines.tables import STORAGE
from core.pipelines.training.layout import SOURCE, TEST
from core.pipelines.training.settings import Training

NO_VALUE, NO_LABEL = "without any value", "without a label"


@dataclass(frozen=True, slots=True)
class Converted:
    """What a file held."""

    rows: int
    types: dict[str, str]
    infinite: dict[str, int]
    """Column -> its infinite values, which are missing ones in the table."""
    left_out: dict[str, int]
    """Why -> as many rows."""


def convert(settings: Training, folder: Path) -> tuple[Converted, Converted | None]:
    """Write both files as tables into the folder; what they held. DataError if one cannot be read as CSV."""
    found, test = _convert(settings.data, folder / SOURCE, settings, settings.dialect, {}), None
    if settings.test_data:
        test = _convert(settings.test_data, folder / TEST, settings, settings.test_dialect, found.types)
    return found, test


def _convert(csv: Path, parquet: Path, settings: Training, dialect: Dialect, types: dict[str, str]) -> Converted:
    """Convert one file. Starts again when a column must widen."""
    while True:
        try:
            return _convert_once(csv, parquet, settings, dialect, types)
        except Widened as widened:
            types = widened.types


def _convert_once(csv: Path, parquet: Path, settings: Training, dialect: Dialect, types: dict[str, str]) -> Converted:
    rows, writer, kinds, infinite, left_out = 0, None, dict[str, str](), Counter[str](), Counter[str]()
    try:
        for chunk in read_chunks(csv, settings.chunk_rows, settings.na_values, types, dialect):
            infinite.update(chunk.attrs[INFINITE])
            kept = _labelled(chunk, settings) if csv == settings.data else chunk
            left_out.update({NO_VALUE: chunk.attrs[EMPTY], NO_LABEL: len(chunk) - len(kept)})
            table = pa.Table.from_pandas(kept, preserve_index=False).replace_schema_metadata(None)
            if writer is None:
                writer = pq.ParquetWriter(parquet, table.schema, **STORAGE)
                kinds = {str(name): str(kind) for name, kind in chunk.dtypes.items()}
            writer.write_table(table.cast(writer.schema))
            rows += table.num_rows
    finally:
        if writer:
            writer.close()
    return Converted(rows, kinds, dict(infinite), dict(+left_out))


def _labelled(chunk: pd.DataFrame, settings: Training) -> pd.DataFrame:
    """Nothing can be learned from rows without a label."""
    if not settings.leave_out or settings.target not in chunk:
        return chunk
    known = chunk[settings.target].notna()
    return chunk if known.all() else chunk[known]

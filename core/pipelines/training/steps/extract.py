"""extract: read the source (and test) CSV in chunks into Parquet."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from core.instrument.artifacts import Reference, atomic, refer
from core.instrument.step import Attempt, step
from core.pipelines.csvfiles import Widened, read_chunks
from core.pipelines.tables import STORAGE
from core.pipelines.training.layout import SOURCE, TEST
from core.pipelines.training.settings import Training


@step
def extract(attempt: Attempt) -> Reference:
    """Write `raw/source.parquet`, and `raw/test.parquet` if the run has a test file.

    Returns the reference to the folder, with the source's row count. Raises DataError if a file
    cannot be read as CSV.
    """
    settings = attempt.settings(Training)
    raw = attempt.config.run_dir / "raw"
    with atomic(raw) as temporary:
        temporary.mkdir()
        rows, types = _convert(settings.data, temporary / SOURCE, settings, {})
        if settings.test_data:
            _convert(settings.test_data, temporary / TEST, settings, types)
    return refer(raw, rows)


def _convert(csv: Path, parquet: Path, settings: Training, types: dict[str, str]) -> tuple[int, dict[str, str]]:
    """Convert one file; return its rows and column types. Starts again when a column must widen."""
    while True:
        try:
            return _convert_once(csv, parquet, settings, types)
        except Widened as widened:
            types = widened.types


def _convert_once(csv: Path, parquet: Path, settings: Training, types: dict[str, str]) -> tuple[int, dict[str, str]]:
    rows, writer, kinds = 0, None, dict[str, str]()
    try:
        for chunk in read_chunks(csv, settings.chunk_rows, settings.na_values, types):
            table = pa.Table.from_pandas(chunk, preserve_index=False).replace_schema_metadata(None)
            if writer is None:
                writer = pq.ParquetWriter(parquet, table.schema, **STORAGE)
                kinds = {str(name): str(kind) for name, kind in chunk.dtypes.items()}
            writer.write_table(table.cast(writer.schema))
            rows += table.num_rows
    finally:
        if writer:
            writer.close()
    return rows, kinds

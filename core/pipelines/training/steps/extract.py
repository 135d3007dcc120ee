"""extract: read the source (and test) CSV in chunks into Parquet."""

from __future__ import annotations

from core.instrument.artifacts import Reference, atomic, refer
from core.instrument.step import Attempt, step
from core.pipelines.training.reading import convert
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
        rows = convert(settings, temporary)[0].rows
    return refer(raw, rows)

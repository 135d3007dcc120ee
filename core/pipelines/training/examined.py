"""A user's file, looked through from its first row to its last before anything starts: what the steps would refuse is
refused here, and what they would pass over is remarked on."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.instrument.errors import DataError
from core.pipelines.tables import columns
from core.pipelines.training.encoding import encoded
from core.pipelines.training.layout import SOURCE, TEST
from core.pipelines.training.reading import NO_LABEL, Converted, convert
from core.pipelines.training.remarks import of_classes, of_counts, of_dropped, of_rows, of_text
from core.pipelines.training.rules import checked
from core.pipelines.training.settings import Training


@dataclass(frozen=True, slots=True)
class Examined:
    """What a file is like."""

    rows: int
    remarks: tuple[str, ...]


def examined(settings: Training) -> Examined:
    """Do with it what extract, validate and features do; their tables are gone afterwards.

    DataError in one line if no model can be trained on it.
    """
    with tempfile.TemporaryDirectory(prefix="orchbench-") as folder:
        raw = Path(folder)
        found, test = convert(settings, raw)
        if not found.rows and NO_LABEL in found.left_out:
            raise DataError(
                f"{settings.data}: rule target_not_null: target {settings.target!r} is empty in every row; give another"
            )
        _refuse_second_header(raw / SOURCE, settings)
        report = checked(raw / SOURCE, settings)
        dropped = encoded(raw, settings).encoding["dropped"]
        held = list(_held(raw / SOURCE, found, settings))
        if test and settings.test_data:
            held += [f"{settings.test_data.name}: {remark}" for remark in _held(raw / TEST, test, settings)]
    remarks = (*of_counts(report), *of_classes(report, settings), *held, *of_dropped(dropped, found.types))
    return Examined(found.rows, remarks)


def _held(table: Path, found: Converted, settings: Training) -> Iterator[str]:
    yield from of_rows(found.left_out, found.infinite)
    decimal = (settings.dialect if table.name == SOURCE else settings.test_dialect).decimal
    for name, column in columns(table, texts=True):
        yield from of_text(name, column, settings, decimal)


def _refuse_second_header(source: Path, settings: Training) -> None:
    """Files that were put behind one another have a header among their rows, and all columns are text because of it."""
    target = next((column for name, column in columns(source) if name == settings.target), None)
    if target is None:  # which is for the rules to say
        return
    places = set(target.index[target.astype(str) == settings.target])
    if not places:
        return
    for name, column in columns(source):
        places &= set(column.index[column.astype(str) == name]) if places else set()
    if places:
        raise DataError(f"{settings.data}: rule header: row {min(places) + 1} is the header once more; take it out")

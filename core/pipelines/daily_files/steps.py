"""day: file the rows of one day."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from core.instrument.artifacts import Reference, atomic, refer
from core.instrument.errors import ConfigError, DataError
from core.instrument.step import Attempt, step_of_many
from core.pipelines.daily_files.settings import Days
from core.pipelines.tables import STORAGE

ISO_DATE = r"\d{4}-\d{2}-\d{2}"
DAYS = 30
"""Among how many days the rows of a source without a time column are dealt."""


@step_of_many("{}")
def day(attempt: Attempt, date: str) -> Reference:
    """Write `days/<date>.parquet`: the source's rows of that day, every value as the text that it was.

    `date` is ISO 8601: `2026-01-03`. A day filed again is the same file. Returns its reference with
    its rows. Raises ConfigError if `date` is no such date, DataError if the source cannot be read or
    has no row of that day.
    """
    config = attempt.config
    rows = _rows_of(_parsed(date), attempt.settings(Days))
    path = config.run_dir / "days" / f"{date}.parquet"
    attempt.effect(f"day-{date}:{config.run_id}")
    with atomic(path) as temporary:
        rows.to_parquet(temporary, index=False, **STORAGE)
    return refer(path, len(rows))


def _parsed(date: str) -> dt.date:
    try:
        parsed = dt.date.fromisoformat(date)
    except ValueError as error:
        raise ConfigError(f"day: {date!r} is not a date; write it as 2026-01-03") from error
    if parsed.isoformat() != date:  # one day must not have two names
        raise ConfigError(f"day: {date!r} is not written as {parsed}")
    return parsed


def _rows_of(date: dt.date, settings: Days) -> pd.DataFrame:
    """The rows whose time begins with the date; in a source without times, every DAYSth row."""
    source, time = settings.data, settings.time
    try:
        table = pd.read_csv(source, dtype=str, keep_default_na=False, index_col=False)
    except (OSError, ValueError) as error:
        raise DataError(f"{source}: rule readable: cannot be read as CSV: {error}") from error
    if time in table and table[time].str.match(ISO_DATE).all():
        chosen = table[table[time].str.startswith(date.isoformat())]
    else:
        chosen = table[table.index % DAYS == date.toordinal() % DAYS]
    if chosen.empty:
        raise DataError(f"{source}: rule day: no row of {date}; ask for a day that the source holds")
    return chosen

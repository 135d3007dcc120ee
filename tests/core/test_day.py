"""day: each day's rows, once, whatever the source and however often it is tried."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from core.graphs import named

from core import steps
from core.instrument import journal
from core.instrument.config import RunConfig
from core.instrument.errors import ConfigError, DataError

FIRST = dt.date(2026, 1, 1)
MONTH = [(FIRST + dt.timedelta(days=number)).isoformat() for number in range(30)]
ROWS = [f"{number},word{number},{number % 2}" for number in range(95)]


def filed(config: RunConfig, dates: list[str]) -> pd.DataFrame:
    references = [steps.day(str(config.path), date) for date in dates]
    tables = [pd.read_parquet(reference["path"]) for reference in references]
    assert [len(table) for table in tables] == [reference["rows"] for reference in references]
    return pd.concat(tables)


def test_a_day_has_the_rows_of_its_date_as_they_were(config: RunConfig) -> None:
    rows = filed(config, ["2026-01-03"])
    source = pd.read_csv(config.data, dtype=str, keep_default_na=False)
    expected = source[source["time_utc"].str.startswith("2026-01-03")]
    assert rows.to_dict("records") == expected.to_dict("records")
    assert len(rows) > 0


@pytest.mark.parametrize("header", ["number,word,label", "number,time_utc,label"])
def test_without_times_the_rows_are_dealt_among_the_days(
    make_config: Callable[..., RunConfig], csv: Callable[[str], Path], header: str
) -> None:
    config = make_config(data=csv("\n".join([header, *ROWS, ""])), target="label")
    rows = filed(config, MONTH)
    assert sorted(",".join(row) for row in rows.itertuples(index=False)) == sorted(ROWS)


def test_all_days_together_are_the_source(config: RunConfig) -> None:
    source = pd.read_csv(config.data, dtype=str, keep_default_na=False)
    assert sorted(filed(config, MONTH)["transaction"]) == sorted(source["transaction"])


def test_a_day_filed_again_is_the_same_file_and_a_second_effect(config: RunConfig) -> None:
    first = steps.day(str(config.path), "2026-01-03")
    assert steps.day(str(config.path), "2026-01-03") == first
    assert [path.name for path in (config.run_dir / "days").iterdir()] == ["2026-01-03.parquet"]
    records = journal.read(config.run_dir)
    assert [(r["step"], r["attempt"], r["event"]) for r in records] == [
        ("day_2026-01-03", attempt, event) for attempt in (1, 2) for event in ("start", "effect", "end")
    ]
    assert {r["key"] for r in records if r["event"] == "effect"} == {f"day-2026-01-03:{config.run_id}"}


@pytest.mark.parametrize("date", ["tomorrow", "2026-02-30", "20260103", "", "../2026-01-03"])
def test_what_is_no_date_files_nothing(config: RunConfig, date: str) -> None:
    with pytest.raises(ConfigError, match="is not"):
        steps.day(str(config.path), date)
    assert not (config.run_dir / "days").exists()


@pytest.mark.parametrize(("data", "date"), [(None, "2031-01-01"), ("", "2026-01-01"), ("a,b\n", "2026-01-01")])
def test_a_day_without_rows_is_no_silent_success(
    make_config: Callable[..., RunConfig], csv: Callable[[str], Path], data: str | None, date: str
) -> None:
    config = make_config(**({} if data is None else {"data": csv(data)}))
    with pytest.raises(DataError, match=r"rule (day|readable)"):
        steps.day(str(config.path), date)
    assert "effect" not in [record["event"] for record in journal.read(config.run_dir)]


def test_the_pipeline_is_known_by_its_name() -> None:
    assert [step.function for step in named("daily").steps] == ["day"]

"""What is exported is what was measured: every row, every value, with its type."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow as pa
import pytest
from made_results import Made, sample, samples
from pyarrow import parquet

from bench.analyse.export import KINDS, Format, TableName, export
from bench.contract.errors import UsageError
from bench.contract.records import Run, Sample, Verdict
from bench.observe import reading, store

NASTY = 'a "quoted", note\nof two lines; =SUM(A1)'


@pytest.fixture
def result(tmp_path: Path) -> Path:
    observed = [
        *samples([0.1 + 0.2, 1e-9, 3.0]),
        sample(None, note=NASTY),
        sample("completed", metric="recovery.step_killed.outcome", unit="text"),
        sample(7.0, pipeline="chain", params={"n": 5, "channel": "engine"}, warm_up=True),
    ]
    folder = Made(observed).write(tmp_path / "result")
    kept = store.Store(folder)
    kept.append(Run(engine="airflow", pipeline="chain", run_id="r1", submit_ns=2**62 + 1, params={"n": 5}))
    kept.append(Verdict(run_id="r1", engine="airflow", checker="order", verdict="pass"))
    return folder


def test_parquet_keeps_values_and_types(result: Path, tmp_path: Path) -> None:
    output = tmp_path / "samples.parquet"
    assert export(result, TableName.SAMPLES, Format.PARQUET, output) == 6
    table = parquet.read_table(output)
    kinds = {name: table.schema.field(name).type for name in ("value", "value_text", "session", "warm_up", "params")}
    assert kinds == {
        "value": pa.float64(), "value_text": pa.string(), "session": pa.int64(), "warm_up": pa.bool_(),
        "params": pa.string(),
    }  # fmt: skip
    for row, one in zip(table.to_pylist(), reading.load(result, Sample), strict=True):
        assert row["value"] == (one.value if not isinstance(one.value, str) else None)
        assert row["value_text"] == (one.value if isinstance(one.value, str) else None)
        assert json.loads(row["params"]) == one.params
        assert (row["session"], row["warm_up"], row["note"]) == (one.session, one.warm_up, one.note)


def test_csv_has_every_digit_and_survives_any_text(result: Path, tmp_path: Path) -> None:
    output = tmp_path / "samples.csv"
    export(result, TableName.SAMPLES, Format.CSV, output)
    with output.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["value"] and float(row["value"]) for row in rows] == [0.1 + 0.2, 1e-9, 3.0, "", "", 7.0]
    assert rows[3]["note"] == NASTY
    assert rows[4]["value_text"] == "completed"
    assert [row["warm_up"] for row in rows] == ["false"] * 5 + ["true"]


@pytest.mark.parametrize("kind", Format)
@pytest.mark.parametrize("table", TableName)
def test_every_table_has_the_columns_of_its_struct(
    result: Path, tmp_path: Path, table: TableName, kind: Format
) -> None:
    output = tmp_path / f"out.{kind}"
    rows = export(result, table, kind, output)
    read = parquet.read_table(output) if kind is Format.PARQUET else None
    names = read.column_names if read else output.read_text().splitlines()[0].replace('"', "").split(",")
    assert [name for name in names if name != "value_text"] == list(KINDS[table].__struct_fields__)
    assert rows > 0


def test_nanoseconds_stay_whole(result: Path, tmp_path: Path) -> None:
    export(result, TableName.RUNS, Format.PARQUET, tmp_path / "runs.parquet")
    assert parquet.read_table(tmp_path / "runs.parquet")["submit_ns"].to_pylist() == [2**62 + 1]


def test_an_empty_table_still_has_its_columns(tmp_path: Path) -> None:
    folder = Made([]).write(tmp_path / "empty")
    assert export(folder, TableName.RUNS, Format.PARQUET, tmp_path / "runs.parquet") == 0
    assert "submit_ns" in parquet.read_table(tmp_path / "runs.parquet").column_names


def test_where_nothing_can_be_written_the_user_is_told(result: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        export(result, TableName.SAMPLES, Format.CSV, tmp_path / "file" / "out.csv")


def test_like_parameters_are_one_text_whatever_their_order(result: Path, tmp_path: Path) -> None:
    """So that rows can be grouped by them."""
    export(result, TableName.SAMPLES, Format.CSV, tmp_path / "samples.csv")
    with (tmp_path / "samples.csv").open(newline="") as stream:
        texts = {row["params"] for row in csv.DictReader(stream)}
    assert '{"channel": "engine", "n": 5}' in texts

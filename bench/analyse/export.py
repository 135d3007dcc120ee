"""A result's raw observations and records as one flat table, for tools of other people."""

from __future__ import annotations

import json
import typing
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
from pyarrow import csv, parquet

from bench.contract.errors import UsageError
from bench.contract.records import Record, Run, Sample, Value, Verdict
from bench.observe import reading
from core.instrument.artifacts import atomic


class Format(StrEnum):
    """CSV for every tool; Parquet keeps the types."""

    CSV = "csv"
    PARQUET = "parquet"


class TableName(StrEnum):
    """What is exported: one row for each."""

    SAMPLES = "samples"
    RECORDS = "records"
    RUNS = "runs"
    VERDICTS = "verdicts"


KINDS: dict[TableName, type[msgspec.Struct]] = {
    TableName.SAMPLES: Sample,
    TableName.RECORDS: Record,
    TableName.RUNS: Run,
    TableName.VERDICTS: Verdict,
}
TYPES = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), float | None: pa.float64()}
"""Of fields; every other one is text."""


def export(folder: Path, table: TableName, kind: Format, output: Path) -> int:
    """Write a table of the result to the file `output` and return its number of rows.

    Parameters are one column of JSON. A value is a number in `value` or a word in `value_text`; the
    other one is empty, and both are where nothing was measured. UsageError if the file cannot be written.
    """
    reading.load_manifest(folder)
    struct = KINDS[table]
    found = reading.load_summary(folder).records if struct is Record else reading.load(folder, struct)
    made = as_table(struct, found)
    write = csv.write_csv if kind is Format.CSV else parquet.write_table
    try:
        with atomic(output) as temporary:
            write(made, temporary)
    except OSError as error:
        raise UsageError(f"{output}: cannot be written: {error.strerror or error}; choose another --output") from error
    return int(made.num_rows)


def as_table(struct: type[msgspec.Struct], found: Iterable[msgspec.Struct]) -> pa.Table:
    """The records with the columns of their struct, in its order; also the empty table has them all."""
    fields = typing.get_type_hints(struct)
    columns: list[tuple[str, pa.DataType]] = []
    for name in struct.__struct_fields__:
        if fields[name] == Value:
            columns += [(name, pa.float64()), (f"{name}_text", pa.string())]
        else:
            columns.append((name, TYPES.get(fields[name], pa.string())))
    return pa.Table.from_pylist([_flat(one) for one in found], schema=pa.schema(columns))


def _flat(one: msgspec.Struct) -> dict[str, Any]:
    row: dict[str, Any] = msgspec.structs.asdict(one)
    if "params" in row:
        row["params"] = json.dumps(row["params"], sort_keys=True, ensure_ascii=False)
    if isinstance(row.get("value"), str):
        row |= {"value": None, "value_text": row["value"]}
    return row

"""The training pipeline's data: the built-in transactions or a user's file, checked before anything starts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from core.declaration import Data
from core.instrument.artifacts import digest_of
from core.instrument.errors import ConfigError, DataError
from core.pipelines.csvfiles import Widened, read_chunks
from core.pipelines.training.generator import ROWS, TARGET, Transactions, write_transactions

PREVIEW_ROWS = 10_000
RENAMED_ROWS = 1000
"""As many rows of a source are kept when one of its columns is renamed: enough to be looked at."""


class TableSource:
    """A CSV file with a column to predict. See `core.declaration.Source`."""

    def generated(self, folder: Path, seed: int, rows: int | None = None) -> Data:
        """Card transactions that the seed draws."""
        path = folder / "transactions.csv"
        if not path.exists():
            write_transactions(Transactions(rows=ROWS if rows is None else rows, seed=seed), path)
        return prepared(path, TARGET, seed, name="generated card transactions")

    def given(self, options: Mapping[str, Any], seed: int) -> Data:
        """A user's own file or files; ConfigError or DataError in one line if they cannot serve."""
        data, target, test_data = Path(options["data"]), options.get("target"), options.get("test_data")
        if target is None:
            raise ConfigError(f"{data}: which column is to be predicted? Give --target COLUMN")
        test = Path(test_data) if test_data else None
        columns = columns_of(data)
        for path in (data, test) if test else (data,):
            if target not in columns_of(path):
                raise ConfigError(f"{path}: no column {target!r}; its columns are {', '.join(columns_of(path))}")
        if test and (missing := [name for name in columns if name not in columns_of(test)]):
            raise ConfigError(f"{test}: lacks columns of {data.name}: {', '.join(missing)}")
        return prepared(data.resolve(), target, seed, test.resolve() if test else None)

    def empty(self, data: Data, folder: Path) -> Mapping[str, Any]:
        """A header alone."""
        path = folder / "empty.csv"
        path.write_text(",".join(data.about["columns"]) + "\n")
        return {"data": str(path)}

    def renamed(self, data: Data, folder: Path) -> Mapping[str, Any]:
        """The first column that is not the target has another name."""
        path = folder / "renamed.csv"
        column = next(name for name in data.about["columns"] if name != data.about["target"])
        table = pd.read_csv(data.settings["data"], nrows=RENAMED_ROWS, dtype=str, keep_default_na=False)
        table.rename(columns={column: f"{column}_v2"}).to_csv(path, index=False)
        return {"data": str(path)}


SOURCE = TableSource()


def prepared(path: Path, target: str, seed: int, test: Path | None = None, *, name: str = "") -> Data:
    """A file that is there and has its columns; named after itself unless it was generated under a `name`."""
    columns = columns_of(path)
    with path.open("rb") as stream:
        rows = sum(1 for _ in stream) - 1
    return Data(
        settings={
            "data": str(path), "target": target, "test_data": str(test) if test else None, "seed": seed,
            "validation": {"columns": list(columns)},
        },
        about={
            "name": name or path.name, "generated": bool(name), "rows": rows, "columns": list(columns),
            "target": target, "test_name": test.name if test else "", "digest": digest_of(path),
        },
        files=(path, test) if test else (path,),
    )  # fmt: skip


def columns_of(path: Path) -> tuple[str, ...]:
    """Names of a CSV file's columns; DataError in one line if it cannot be read or has no rows."""
    try:
        first = _preview(path)
    except DataError as error:
        raise DataError(" ".join(str(error).split())) from error  # a parser's message may have two lines
    if first is None or first.empty:
        raise DataError(f"{path}: the file has a header but no rows; give a file with data")
    return tuple(str(name) for name in first.columns)


def _preview(path: Path) -> pd.DataFrame | None:
    types: dict[str, str] = {}
    while True:
        try:
            return next(read_chunks(path, PREVIEW_ROWS, (), types), None)
        except Widened as wider:
            types = wider.types

"""Tables in Parquet: what is read by column is what was stored."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from core.tables import STORAGE, columns, shape

TABLE = pd.DataFrame(
    {"a": [1, 2], "a.b": ["x", None], "a.1": [0.5, float("nan")], "": ["ü", ""], "with, sign": [1, -1]}
)


@pytest.mark.parametrize("table", [TABLE, TABLE.head(0)])
def test_columns_are_those_of_the_table_in_its_order(tmp_path: Path, table: pd.DataFrame) -> None:
    path = tmp_path / "table.parquet"
    table.to_parquet(path, index=False, **STORAGE)
    whole = pd.read_parquet(path)
    assert shape(path) == (len(table), list(table.columns))
    read = dict(columns(path))
    assert list(read) == list(whole.columns)
    for name, column in read.items():
        pd.testing.assert_series_equal(column, whole[name])

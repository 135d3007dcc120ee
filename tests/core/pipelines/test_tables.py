"""Tables in Parquet: what is read by column is what was stored."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from core.pipelines.tables import STORAGE, columns, shape

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


def test_many_short_columns_are_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, reads = tmp_path / "table.parquet", []
    pd.DataFrame({f"c{n}": [n, n] for n in range(300)} | {"text": ["x", "y"]}).to_parquet(path, index=False, **STORAGE)
    real = pq.ParquetFile.read
    monkeypatch.setattr(pq.ParquetFile, "read", lambda *given, **named: reads.append(named) or real(*given, **named))
    assert len(list(columns(path))) == 301
    assert len(reads) == 1
    assert [name for name, _ in columns(path, texts=True)] == ["text"]

"""Reading a user's CSV: types that do not depend on where the chunks end, and errors that say what to do."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.instrument.artifacts import check
from core.instrument.config import RunConfig
from core.instrument.errors import DataError
from core.pipelines.training import steps

MakeConfig = Callable[..., RunConfig]
MakeCsv = Callable[..., Path]
CELLS = st.sampled_from(["1", "007", "1.50", "2e3", "", " ", "?", "abc", "True", "FALSE", "-4"])


def extracted(config: RunConfig) -> pd.DataFrame:
    return pd.read_parquet(check(steps.extract(str(config.path))) / "source.parquet")


def small(folder: Path, text: str, chunk_rows: int) -> RunConfig:
    data = folder / "data.csv"
    data.write_text(text)
    settings = {"data": str(data), "target": "y", "chunk_rows": chunk_rows}
    run_dir = folder / f"run{chunk_rows}"
    return RunConfig(
        pipeline="training", run_id="r", run_dir=run_dir, effects_dir=folder / "effects", settings=settings
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cells=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=8), chunk_rows=st.integers(1, 4))
def test_chunks_never_change_what_is_read(cells: list[tuple[str, str]], chunk_rows: int) -> None:
    text = "a,b,y\n" + "".join(f"{a},{b},x\n" for a, b in cells)
    with tempfile.TemporaryDirectory() as folder:
        tables = []
        for rows in (chunk_rows, 1000):
            config = small(Path(folder), text, rows)
            config.save()
            tables.append(extracted(config))
    pd.testing.assert_frame_equal(tables[0], tables[1])
    assert len(tables[0]) == len(cells)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cells=st.lists(CELLS, min_size=1, max_size=8), chunk_rows=st.integers(1, 3))
def test_text_is_kept_as_it_was_written(cells: list[str], chunk_rows: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        config = small(Path(folder), "a,y\n" + "".join(f"{cell},x\n" for cell in [*cells, "text"]), chunk_rows)
        config.save()
        column = extracted(config)["a"]
    written = [cell if cell.strip() and cell != "?" else None for cell in [*cells, "text"]]
    assert [None if pd.isna(value) else value for value in column] == written


def test_blanks_among_numbers_are_missing_numbers(make_config: MakeConfig, csv: MakeCsv) -> None:
    config = make_config(data=csv("total,y\n29.85,No\n ,Yes\n108.15,No\n,Yes\n"), target="y", chunk_rows=1)
    column = extracted(config)["total"]
    assert column.dtype == "float64"
    assert column.isna().tolist() == [False, True, False, True]


@pytest.mark.parametrize("chunk_rows", [1, 10])
def test_numbers_too_large_for_64_bits_stay_text(make_config: MakeConfig, csv: MakeCsv, chunk_rows: int) -> None:
    table = extracted(make_config(data=csv("a,y\n9223372036854775808,x\n1,z\n"), target="y", chunk_rows=chunk_rows))
    assert table["a"].tolist() == ["9223372036854775808", "1"]


def test_own_markers_of_missing_values_are_honoured(make_config: MakeConfig, csv: MakeCsv) -> None:
    config = make_config(data=csv("a,y\n1,x\nunknown,x\n?,z\n"), target="y", na_values=("unknown", "?"))
    assert extracted(config)["a"].isna().tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        pytest.param(b"", "not_empty", id="empty"),
        pytest.param(b"\x89PNG\r\n\x1a\n\x00\xff\xfe" * 50, "readable", id="binary"),
        pytest.param(b"a,y\n1,2\n1,2,3,4\n", "readable", id="ragged"),
        pytest.param(b"a,y\n1,2,3\n1,2,3\n", "readable", id="more fields than header"),
        pytest.param(b"a,y\n5,2,3\n6,2,3\n", "readable", id="more fields than header, the first counting up"),
        pytest.param("a,y\nä,ö\n".encode("utf-16"), "readable", id="utf-16"),
    ],
)
def test_files_that_are_no_csv_name_file_and_rule(
    make_config: MakeConfig, tmp_path: Path, content: bytes, rule: str
) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"bad.csv: rule {rule}: "):
        steps.extract(str(make_config(data=path, target="y").path))


def test_missing_file_names_it(make_config: MakeConfig, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.csv: rule readable: .*No such file"):
        steps.extract(str(make_config(data=tmp_path / "nowhere.csv").path))


def test_header_alone_is_told_as_too_few_rows(make_config: MakeConfig, csv: MakeCsv) -> None:
    path = str(make_config(data=csv("a,y\n"), target="y").path)
    raw = steps.extract(path)
    assert raw["rows"] == 0
    with pytest.raises(DataError, match="rule min_rows: 0 rows"):
        steps.validate(path, raw)


def test_prose_is_told_as_a_missing_target(make_config: MakeConfig, csv: MakeCsv) -> None:
    path = str(make_config(data=csv("Dear reader\nthis is a letter\nno table\n"), target="y").path)
    raw = steps.extract(path)
    with pytest.raises(DataError, match="rule schema: missing columns: y"):
        steps.validate(path, raw)


def test_json_file_is_not_taken_for_a_table(make_config: MakeConfig, tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    path.write_text(json.dumps([{"a": 1, "y": 2}, {"a": 3, "y": 4}], indent=2))
    config = str(make_config(data=path, target="y").path)
    with pytest.raises(DataError, match=r"data\.json: rule (readable|schema)"):
        steps.validate(config, steps.extract(config))

"""The user's data are checked before anything starts; what is wrong is told in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from bench.contract.errors import UsageError
from bench.run import source as data
from core.datasets import TARGET
from core.instrument.artifacts import digest_of
from core.instrument.config import Fault, Hyperparameters, load_config

Csv = Callable[..., Path]


@pytest.fixture
def csv(tmp_path: Path) -> Csv:
    def write(text: str | bytes, name: str = "data.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def refused(path: Path, target: str | None = "y", test_data: Path | None = None) -> str:
    with pytest.raises(UsageError) as caught:
        data.users(path, target, test_data, 7)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_target_is_needed(csv: Csv) -> None:
    path = csv("a,y\n1,0\n")
    assert refused(path, target=None) == f"{path}: which column is to be predicted? Give --target COLUMN"


def test_missing_file(tmp_path: Path) -> None:
    message = refused(tmp_path / "none.csv")
    assert message.startswith(f"{tmp_path / 'none.csv'}: ")
    assert "No such file" in message


def test_folder(tmp_path: Path) -> None:
    assert "Is a directory" in refused(tmp_path)


def test_target_that_is_no_column(csv: Csv) -> None:
    path = csv("a,b\n1,0\n")
    assert refused(path) == f"{path}: no column 'y'; its columns are a, b"


def test_header_without_rows(csv: Csv) -> None:
    path = csv("a,y\n")
    assert refused(path) == f"{path}: the file has a header but no rows; give a file with data"


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_empty_file(csv: Csv, text: str) -> None:
    assert "no header" in refused(csv(text))


@pytest.mark.parametrize(
    "text",
    [b"a,y\n\xff\xfe\x00,0\n", b"a,y\n1,0\n1,0,3,4\n", b"a,y\nu,2,3\nv,5,6\n", b'a,y\n"1,0\n'],
    ids=["not UTF-8", "ragged", "more fields than the header", "open quote"],
)
def test_file_that_is_no_csv(csv: Csv, text: bytes) -> None:
    path = csv(text)
    assert refused(path).startswith(f"{path}: ")


def test_test_file_without_target(csv: Csv) -> None:
    test = csv("a\n1\n", "test.csv")
    assert refused(csv("a,y\n1,0\n"), test_data=test) == f"{test}: no column 'y'; its columns are a"


def test_test_file_lacking_columns(csv: Csv) -> None:
    test = csv("y,b\n1,2\n", "test.csv")
    message = refused(csv("a,b,c,y\n1,2,3,0\n"), test_data=test)
    assert message == f"{test}: lacks columns of data.csv: a, c"


def test_missing_test_file(csv: Csv, tmp_path: Path) -> None:
    assert refused(csv("a,y\n1,0\n"), test_data=tmp_path / "none.csv").startswith(f"{tmp_path / 'none.csv'}: ")


@pytest.mark.parametrize(
    "rows",
    ["1,a\n2,b\n3,c\n", "1,0\n2,1\n", "1,True\n2,False\n", "18446744073709551615,1\n1,0\n", "1,x\n,\n", "x,1.5\n2,?\n"],
    ids=["many classes", "two classes", "truth values", "beyond 64 bits", "nulls", "mixed"],
)
def test_file_that_can_serve(csv: Csv, rows: str) -> None:
    path = csv("a,y\n" + rows)
    source = data.users(path, "y", None, 3)
    assert source == data.Source(path.resolve(), "y", ("a", "y"), 3)


def test_column_that_changes_its_kind_after_the_preview(csv: Csv) -> None:
    path = csv("a,y\n" + "1,0\n" * (data.PREVIEW_ROWS + 5) + "text,1\n")
    assert data.users(path, "y", None, 7).columns == ("a", "y")


def test_relative_paths_become_absolute(csv: Csv, monkeypatch: pytest.MonkeyPatch) -> None:
    path = csv("a,y\n1,0\n")
    csv("y,a,more\n0,1,2\n", "test.csv")
    monkeypatch.chdir(path.parent)
    source = data.users(Path("data.csv"), "y", Path("test.csv"), 7)
    assert source.path == path.resolve()
    assert source.test_path == path.resolve().parent / "test.csv"


def test_configuration_is_read_back_as_it_was_made(csv: Csv, tmp_path: Path) -> None:
    test = csv("a,y\n1,0\n", "test.csv")
    source = data.users(csv("a,y\n1,0\n"), "y", test, 11)
    config = source.config(
        "r1", tmp_path / "run", tmp_path / "registry",
        threshold=1.1, hyperparameters=Hyperparameters(n_estimators=3), faults=(Fault("train", "defect", attempts=0),),
    )  # fmt: skip
    assert load_config(config.save()) == config
    assert (config.seed, config.target, config.test_data) == (11, "y", test)
    assert config.validation.columns == ("a", "y")
    assert config.data.is_absolute()


@pytest.mark.parametrize(("text", "rows"), [("a,y\n1,0\n2,1\n", 2), ("a,y\n1,0\n2,1", 2), ("a,y\r\n1,0\r\n", 1)])
def test_description_counts_rows_and_tells_no_path(csv: Csv, tmp_path: Path, text: str, rows: int) -> None:
    path = csv(text)
    told = data.users(path, "y", None, 7).describe()
    assert told["rows"] == rows
    assert told["name"] == "data.csv"
    assert told["digest"] == digest_of(path)
    assert not told["generated"]
    assert str(tmp_path) not in str(told)


def test_generated_data_are_made_once_and_by_the_seed(tmp_path: Path) -> None:
    source = data.generated(tmp_path / "one.csv", seed=7)
    assert source.generated
    assert source.target == TARGET
    assert source.describe()["rows"] == len(pd.read_csv(source.path)) == 50_000
    made = source.path.stat().st_mtime_ns
    assert data.generated(tmp_path / "one.csv", seed=7) == source
    assert source.path.stat().st_mtime_ns == made
    assert digest_of(data.generated(tmp_path / "other.csv", seed=8).path) != digest_of(source.path)

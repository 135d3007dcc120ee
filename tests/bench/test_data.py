"""The user's data are checked before anything starts; what is wrong is told in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from bench.contract.errors import UsageError
from bench.run import source as data
from core.declaration import pipeline
from core.instrument.artifacts import digest_of
from core.instrument.config import Fault, checked, load_config
from core.instrument.errors import ConfigError
from core.pipelines.training.generator import TARGET
from core.pipelines.training.settings import Training
from core.pipelines.training.source import PREVIEW_ROWS

Csv = Callable[..., Path]
TRAINING = pipeline("training")
TWELVE = "a,y\n" + "".join(f"{n},{n % 2}\n" for n in range(12))


def given(path: Path, target: str | None = "y", test_data: Path | None = None, seed: int = 7) -> data.Source:
    return data.given(TRAINING, {"data": str(path), "target": target, "test_data": test_data}, seed)


@pytest.fixture
def csv(tmp_path: Path) -> Csv:
    def write(text: str | bytes, name: str = "data.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def refused(path: Path, target: str | None = "y", test_data: Path | None = None) -> str:
    with pytest.raises(UsageError) as caught:
        given(path, target, test_data)
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
    assert refused(tmp_path).startswith(f"{tmp_path}: is no regular file")


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
    [
        "1,a\n2,b\n3,c\n",
        "1,0\n2,1\n",
        "1,True\n2,False\n",
        "18446744073709551615,1\n1,0\n",
        "1,x\n,z\n",
        "x,1.5\n2,3\n",
    ],
    ids=["many classes", "two classes", "truth values", "beyond 64 bits", "nulls", "mixed"],
)
def test_file_that_can_serve(csv: Csv, rows: str) -> None:
    path = csv("a,y\n" + rows * 6)
    told = given(path, seed=3).data
    assert told.files == (path.resolve(),)
    assert (told.settings["target"], told.settings["seed"], told.about["columns"]) == ("y", 3, ["a", "y"])


def test_column_that_changes_its_kind_after_the_preview(csv: Csv) -> None:
    path = csv("a,y\n" + "1,0\n" * (PREVIEW_ROWS + 5) + "text,1\n" * 2)
    assert given(path).data.about["columns"] == ["a", "y"]


def test_relative_paths_become_absolute(csv: Csv, monkeypatch: pytest.MonkeyPatch) -> None:
    path = csv(TWELVE)
    csv("y,a,more\n0,1,2\n", "test.csv")
    monkeypatch.chdir(path.parent)
    told = given(Path("data.csv"), test_data=Path("test.csv")).data
    assert told.files == (path.resolve(), path.resolve().parent / "test.csv")
    assert told.settings["data"] == str(path.resolve())


def test_configuration_is_read_back_as_it_was_made(csv: Csv, tmp_path: Path) -> None:
    test = csv("a,y\n1,0\n", "test.csv")
    source = given(csv(TWELVE), test_data=test, seed=11)
    config = source.config(
        "training", "r1", tmp_path / "run", tmp_path / "effects", (Fault("train", "defect", attempts=0),),
        threshold=1.1, hyperparameters={"n_estimators": 3},
    )  # fmt: skip
    assert load_config(config.save()) == config
    settings = checked(Training, config.settings)
    assert (settings.seed, settings.target, settings.test_data) == (11, "y", test)
    assert settings.hyperparameters.n_estimators == 3
    assert settings.validation.columns == ("a", "y")
    assert settings.data.is_absolute()


def test_settings_and_faults_are_checked_before_anything_runs(csv: Csv, tmp_path: Path) -> None:
    source = given(csv(TWELVE))
    with pytest.raises(ConfigError, match=r"threads"):
        source.config("training", "r1", tmp_path, tmp_path, threads=0)
    with pytest.raises(ConfigError, match="has no step 'trane'"):
        source.config("training", "r1", tmp_path, tmp_path, (Fault("trane", "defect"),))


def test_a_companion_is_given_what_it_knows_of_the_data(csv: Csv, tmp_path: Path) -> None:
    source = given(csv(TWELVE))
    assert source.config("daily_files", "r1", tmp_path, tmp_path).settings == {"data": source.data.settings["data"]}


@pytest.mark.parametrize(("text", "rows"), [(TWELVE, 12), (TWELVE.rstrip(), 12), (TWELVE.replace("\n", "\r\n"), 12)])
def test_description_counts_rows_and_tells_no_path(csv: Csv, tmp_path: Path, text: str, rows: int) -> None:
    path = csv(text)
    told = given(path).describe()
    assert told["rows"] == rows
    assert told["name"] == "data.csv"
    assert told["digest"] == digest_of(path)
    assert not told["generated"]
    assert str(tmp_path) not in str(told)


def test_generated_data_are_made_once_and_by_the_seed(tmp_path: Path) -> None:
    source = data.generated(TRAINING, tmp_path / "one", seed=7)
    assert source.describe()["generated"]
    assert source.describe()["target"] == TARGET
    (path,) = source.data.files
    assert source.describe()["rows"] == len(pd.read_csv(path)) == 50_000
    made = path.stat().st_mtime_ns
    assert data.generated(TRAINING, tmp_path / "one", seed=7) == source
    assert path.stat().st_mtime_ns == made
    (other,) = data.generated(TRAINING, tmp_path / "other", seed=8).data.files
    assert digest_of(other) != digest_of(path)

"""Classes: the same however they are spelled, and what is done with rows that have none."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from given_files import PLAIN, brought, features_of, lines
from hypothesis import given
from hypothesis import strategies as st

from core.instrument.errors import DataError
from core.pipelines.training.labels import label
from core.pipelines.training.layout import LABEL


@pytest.mark.parametrize(("of_train", "of_test"), [("{}", "{}.0"), ("{}.0", "{}"), ("{}.00", "{}.0"), ('"{}"', "{}.0")])
def test_labels_are_the_same_however_they_are_written(of_train: str, of_test: str, tmp_path: Path) -> None:
    def labelled(spelled: str) -> str:
        return "a,y\n" + "".join(f"{n},{spelled.format(n % 2)}\n" for n in range(40))

    made = features_of(brought(tmp_path, labelled(of_train), labelled(of_test)), tmp_path)
    assert set(pd.read_parquet(made / "test.parquet")[LABEL]) == {0, 1}


@given(st.integers(-(10**15), 10**15))
def test_a_whole_label_is_spelled_as_one(number: int) -> None:
    assert label(number) == label(float(number)) == label(f"{number}.0") == str(number)


@pytest.mark.parametrize("value", ["1.5", "a.0", "1.", ".0", "<=50K.", ""])
def test_any_other_label_is_itself(value: str) -> None:
    assert label(value) == value


def test_a_class_of_one_row_is_left_out_and_said(tmp_path: Path) -> None:
    data = brought(tmp_path, PLAIN + "1,2.5,rare\n")
    assert "y: left out as there is but one row of each: 'rare'" in data.about["remarks"]
    made = features_of(data, tmp_path)
    assert sum(len(pd.read_parquet(made / f"{part}.parquet")) for part in ("train", "test")) == 60


def test_labels_spelled_in_two_ways_are_one_class(tmp_path: Path) -> None:
    data = brought(tmp_path, lines(lambda n: f"{n},1,{'1' if n % 2 else 'x'}", more="4,1,1.0\n"))
    train = pd.read_parquet(features_of(data, tmp_path) / "train.parquet")
    assert set(train[LABEL]) == {0, 1}


@pytest.mark.parametrize(
    ("one", "other"), [("0.50", 0.5), ("-0.0", 0), ("+1", 1), (1e17, 10**17), (-0.0, "0"), ("-1.50", -1.5)]
)
def test_equal_numbers_are_one_label(one: object, other: object) -> None:
    assert label(one) == label(other)


def test_a_target_without_any_label_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="target 'y' is empty in every row; give another"):
        brought(tmp_path, lines(lambda n: f"{n},1,"))

"""features: impute, encode and split, learned from the training rows only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from core.instrument.artifacts import Reference, atomic, check, refer, write_json
from core.instrument.errors import DataError
from core.instrument.step import Attempt, step
from core.pipelines.tables import STORAGE, columns, shape
from core.pipelines.training.layout import ENCODING, LABEL, SOURCE, TEST
from core.pipelines.training.settings import Training


@dataclass(frozen=True, slots=True)
class Coded:
    """Rows in which texts and labels are whole numbers: cheaper to move and to count than what they stand for."""

    rows: pd.DataFrame
    meanings: dict[str, pd.Index]
    """By column, what its numbers stand for in order; -1 is a missing value."""


@step
def features(attempt: Attempt, raw: Reference) -> Reference:
    """Write `features/train.parquet`, `features/test.parquet` and `features/encoding.json`.

    Numbers: missing values become the training median. Text: codes by sorted training category;
    missing and unseen values get -1. Identifier columns are left out. The label column holds
    class codes by sorted class. Returns the folder's reference with the training row count.
    """
    settings = attempt.settings(Training)
    train, test = _split(check(raw), settings)
    encoding = learn_encoding(train, settings)
    folder = attempt.config.run_dir / "features"
    with atomic(folder) as temporary:
        temporary.mkdir()
        encode(train, encoding).to_parquet(temporary / "train.parquet", index=False, **STORAGE)
        encode(test, encoding).to_parquet(temporary / "test.parquet", index=False, **STORAGE)
        write_json(temporary / ENCODING, encoding)
    return refer(folder, len(train.rows))


def _split(raw: Path, settings: Training) -> tuple[Coded, Coded]:
    source = _coded(raw / SOURCE, settings.target)
    if settings.test_data:
        rows, found = shape(raw / TEST)
        missing = sorted(set(source.rows.columns) - set(found))
        if missing or not rows:
            what = f"missing columns: {', '.join(missing)}" if missing else "no rows"
            raise DataError(f"{settings.test_data}: rule test_schema: {what}; it needs the source's columns and rows")
        return source, _coded(raw / TEST, settings.target)
    classes = source.rows[settings.target].astype(
        np.min_scalar_type(len(source.meanings[settings.target]))
    )  # sorts faster
    try:
        train, test = train_test_split(
            source.rows, test_size=settings.test_fraction, random_state=settings.seed, stratify=classes
        )
    except ValueError as error:
        raise DataError(f"{settings.data}: rule splittable: cannot be split by class: {error}") from error
    return Coded(train, source.meanings), Coded(test, source.meanings)


def _coded(path: Path, target: str) -> Coded:
    """Read a table. Labels are numbered in their order, so that a split by number is the split by label."""
    rows: dict[str, Any] = {}
    meanings: dict[str, pd.Index] = {}
    for name, column in columns(path):
        if name == target or not pd.api.types.is_numeric_dtype(column):
            codes, meanings[name] = pd.factorize(column, sort=name == target)
            rows[name] = codes.astype(np.int32)
        else:
            rows[name] = column
    return Coded(pd.DataFrame(rows, copy=False), meanings)


def learn_encoding(train: Coded, settings: Training) -> dict[str, Any]:
    """Learn from training rows: classes, medians of numeric columns, categories of text columns."""
    medians: dict[str, float] = {}
    categories: dict[str, list[str]] = {}
    dropped: list[str] = []
    for name in (c for c in train.rows.columns if c != settings.target):
        if name not in train.meanings:
            median = train.rows[name].median()
            medians[name] = 0.0 if pd.isna(median) else float(median)
            continue
        counts = _counts(train, name)
        if np.count_nonzero(counts) >= settings.identifier_fraction * max(counts.sum(), 1):
            dropped.append(name)
        else:
            categories[name] = sorted(train.meanings[name][counts > 0])
    if not medians and not categories:
        raise DataError(f"{settings.data}: rule usable_features: every column is an identifier ({', '.join(dropped)})")
    classes = sorted(str(label) for label in train.meanings[settings.target][_counts(train, settings.target) > 0])
    return {
        "target": settings.target, "classes": classes, "medians": medians,
        "categories": categories, "dropped": dropped,
    }  # fmt: skip


def _counts(train: Coded, name: str) -> NDArray[np.intp]:
    """How often each of a column's values occurs."""
    codes = train.rows[name].to_numpy()
    return np.bincount(codes[codes >= 0], minlength=len(train.meanings[name]))


def encode(given: Coded, encoding: dict[str, Any]) -> pd.DataFrame:
    """Apply a learned encoding; DataError if the rows have a class that training had not."""
    encoded: dict[str, Any] = {}
    for name, median in encoding["medians"].items():
        if name in given.meanings:
            raise DataError(
                f"rule test_schema: column {name!r} holds text in the test rows, numbers in the training rows"
            )
        encoded[_feature(name)] = given.rows[name].fillna(median).astype("float32")
    for name, known in encoding["categories"].items():
        encoded[_feature(name)] = _positions(given, name, known).astype("float32")
    labels = _positions(given, encoding["target"], encoding["classes"])
    if (labels < 0).any():
        raise DataError(f"rule target_classes: test rows have a class of {encoding['target']!r} that training has not")
    encoded[LABEL] = labels.astype("int32")
    return pd.DataFrame(encoded)


def _positions(given: Coded, name: str, known: list[str]) -> NDArray[np.intp]:
    """Where in `known` each of a column's values is; -1 for a missing value and one that is not there."""
    position = {value: number for number, value in enumerate(known)}
    lookup = [position.get(str(value), -1) for value in given.meanings[name]]
    codes: NDArray[np.int32] = given.rows[name].to_numpy()
    return np.array([*lookup, -1])[codes]  # the last one is where -1 points to


def _feature(name: str) -> str:
    """XGBoost refuses these characters in the name of a feature."""
    return name.translate({ord("["): "(", ord("]"): ")", ord("<"): "lt "})

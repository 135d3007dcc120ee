"""features: impute, encode and split, learned from the training rows only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.model_selection import train_test_split

from core.artifacts import Reference, atomic, check, refer, write_json
from core.config import RunConfig
from core.errors import DataError
from core.layout import ENCODING, LABEL, SOURCE, TEST
from core.step import Attempt, step


@step
def features(attempt: Attempt, raw: Reference) -> Reference:
    """Write `features/train.parquet`, `features/test.parquet` and `features/encoding.json`.

    Numbers: missing values become the training median. Text: codes by sorted training category;
    missing and unseen values get -1. Identifier columns are left out. The label column holds
    class codes by sorted class. Returns the folder's reference with the training row count.
    """
    config = attempt.config
    train, test = _split(check(raw), config)
    encoding = learn_encoding(train, config)
    folder = config.run_dir / "features"
    with atomic(folder) as temporary:
        temporary.mkdir()
        encode(train, encoding).to_parquet(temporary / "train.parquet", index=False)
        encode(test, encoding).to_parquet(temporary / "test.parquet", index=False)
        write_json(temporary / ENCODING, encoding)
    return refer(folder, len(train))


def _split(raw: Path, config: RunConfig) -> tuple[pd.DataFrame, pd.DataFrame]:
    source = pd.read_parquet(raw / SOURCE)
    if config.test_data:
        test = pd.read_parquet(raw / TEST)
        missing = sorted(set(source.columns) - set(test.columns))
        if missing or test.empty:
            found = f"missing columns: {', '.join(missing)}" if missing else "no rows"
            raise DataError(f"{config.test_data}: rule test_schema: {found}; it needs the source's columns and rows")
        return source, test
    try:
        train, test = train_test_split(
            source, test_size=config.test_fraction, random_state=config.seed, stratify=source[config.target]
        )
    except ValueError as error:
        raise DataError(f"{config.data}: rule splittable: cannot be split by class: {error}") from error
    return train, test


def learn_encoding(train: pd.DataFrame, config: RunConfig) -> dict[str, Any]:
    """Learn from training rows: classes, medians of numeric columns, categories of text columns."""
    medians: dict[str, float] = {}
    categories: dict[str, list[str]] = {}
    dropped: list[str] = []
    for name in (c for c in train.columns if c != config.target):
        column = train[name]
        if pd.api.types.is_numeric_dtype(column):
            median = column.median()
            medians[name] = 0.0 if pd.isna(median) else float(median)
        elif column.nunique() >= config.identifier_fraction * max(column.count(), 1):
            dropped.append(name)
        else:
            categories[name] = sorted(column.dropna().unique())
    if not medians and not categories:
        raise DataError(f"{config.data}: rule usable_features: every column is an identifier ({', '.join(dropped)})")
    classes = sorted(str(label) for label in train[config.target].unique())
    return {
        "target": config.target, "classes": classes, "medians": medians,
        "categories": categories, "dropped": dropped,
    }  # fmt: skip


def encode(table: pd.DataFrame, encoding: dict[str, Any]) -> pd.DataFrame:
    """Apply a learned encoding; DataError if the table has a class that training had not."""
    columns: dict[str, Any] = {}
    for name, median in encoding["medians"].items():
        if not pd.api.types.is_numeric_dtype(table[name]):
            raise DataError(
                f"rule test_schema: column {name!r} holds text in the test rows, numbers in the training rows"
            )
        columns[_feature(name)] = table[name].fillna(median).astype("float32")
    for name, known in encoding["categories"].items():
        columns[_feature(name)] = pd.Index(known).get_indexer(table[name]).astype("float32")
    labels = pd.Index(encoding["classes"]).get_indexer(table[encoding["target"]].astype(str))
    if (labels < 0).any():
        raise DataError(f"rule target_classes: test rows have a class of {encoding['target']!r} that training has not")
    columns[LABEL] = labels.astype("int32")
    return pd.DataFrame(columns)


def _feature(name: str) -> str:
    """XGBoost refuses these characters in the name of a feature."""
    return name.translate({ord("["): "(", ord("]"): ")", ord("<"): "lt "})

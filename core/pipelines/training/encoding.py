"""Rows as the model sees them: imputed, encoded and split, learned from the training rows only."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from core.instrument.errors import DataError
from core.pipelines.numerals import is_number
from core.pipelines.tables import columns, shape
from core.pipelines.training.labels import label
from core.pipelines.training.layout import LABEL, SOURCE, TEST
from core.pipelines.training.settings import Training
from core.pipelines.wording import listed, na_options, short


@dataclass(frozen=True, slots=True)
class Coded:
    """Rows in which texts and labels are whole numbers: cheaper to move and to count than what they stand for."""

    rows: pd.DataFrame
    meanings: dict[str, pd.Index]
    """By column, what its numbers stand for in order; -1 is a missing value."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """The rows as the model sees them, and how they came to be so."""

    train: pd.DataFrame
    test: pd.DataFrame
    encoding: dict[str, Any]


def encoded(raw: Path, settings: Training) -> Encoded:
    """Split and encode the tables of a folder. DataError if that cannot be done."""
    train, test = _split(raw, settings)
    encoding = learn_encoding(train, settings)
    return Encoded(encode(train, encoding, settings), encode(test, encoding, settings), encoding)


def _split(raw: Path, settings: Training) -> tuple[Coded, Coded]:
    source = _coded(raw / SOURCE, settings.target)
    if settings.test_data:
        rows, found = shape(raw / TEST)
        missing = sorted(set(source.rows.columns) - set(found))
        if missing or not rows:
            what = f"missing columns: {', '.join(missing)}" if missing else "no rows"
            raise DataError(f"{settings.test_data}: rule test_schema: {what}; it needs the source's columns and rows")
        return source, _coded(raw / TEST, settings.target)
    if settings.leave_out:
        codes = source.rows[settings.target].to_numpy()
        source = Coded(source.rows[np.bincount(codes)[codes] > 1], source.meanings)
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
            if name == target:
                codes, meanings[name] = _merged(codes, meanings[name])
            rows[name] = codes.astype(np.int32)
        else:
            rows[name] = column
    return Coded(pd.DataFrame(rows, copy=False), meanings)


def _merged(codes: NDArray[np.intp], values: pd.Index) -> tuple[NDArray[np.intp], pd.Index]:
    """Labels that are spelled alike are one class."""
    numbers, names = pd.factorize(np.array([label(value) for value in values], dtype=object))
    if len(names) == len(values):
        return codes, values
    return np.append(numbers, -1)[codes], pd.Index(names)


def learn_encoding(train: Coded, settings: Training) -> dict[str, Any]:
    """Learn from training rows: classes, medians of numeric columns, categories of text columns."""
    medians: dict[str, float] = {}
    categories: dict[str, list[str]] = {}
    dropped: list[str] = []
    for name in (c for c in train.rows.columns if c != settings.target):
        if name not in train.meanings:
            median = train.rows[name].median()
            if pd.isna(median):
                dropped.append(name)
            else:
                medians[name] = float(median)
            continue
        counts = _counts(train, name)
        if np.count_nonzero(counts) >= settings.identifier_fraction * max(counts.sum(), 1):
            dropped.append(name)
        else:
            categories[name] = sorted(train.meanings[name][counts > 0])
    if not medians and not categories:
        raise DataError(
            f"{settings.data}: rule usable_features: every column is empty or an identifier ({listed(dropped)})"
        )
    classes = sorted({label(value) for value in train.meanings[settings.target][_counts(train, settings.target) > 0]})
    return {
        "target": settings.target, "classes": classes, "medians": medians,
        "categories": categories, "dropped": dropped,
    }  # fmt: skip


def _counts(train: Coded, name: str) -> NDArray[np.intp]:
    """How often each of a column's values occurs."""
    codes = train.rows[name].to_numpy()
    return np.bincount(codes[codes >= 0], minlength=len(train.meanings[name]))


def encode(given: Coded, encoding: dict[str, Any], settings: Training) -> pd.DataFrame:
    """Apply a learned encoding; DataError if the test rows have no class, or one that training has not."""
    made: dict[str, Any] = {}
    features = _features((*encoding["medians"], *encoding["categories"]))
    for name, median in encoding["medians"].items():
        if name in given.meanings:
            raise DataError(f"{settings.test_data}: rule test_schema: {_text(given, name, settings)}")
        made[features[name]] = given.rows[name].fillna(median).astype("float32")
    for name, known in encoding["categories"].items():
        made[features[name]] = _positions(given, name, known, str).astype("float32")
    labels = _positions(given, encoding["target"], encoding["classes"], label)
    if (labels < 0).any():
        raise DataError(f"{settings.test_data}: rule test_classes: {_unknown(given, encoding)}; mend the labels")
    made[LABEL] = labels.astype("int32")
    return pd.DataFrame(made)


def _text(given: Coded, name: str, settings: Training) -> str:
    """Which text stands in a column of test rows that holds numbers in training."""
    values = given.meanings[name]
    odd = np.array([not is_number(str(value), settings.test_dialect.decimal) for value in values], dtype=bool)
    most = int(np.argmax(_counts(given, name) * odd))
    row, word = int(np.argmax(given.rows[name].to_numpy() == most)) + 1, str(values[most])
    return (
        f"column {short(name)!r} holds text, and numbers in {settings.data}: {short(word)!r} in row {row}; "
        f"mend it, or if that means missing give {na_options((*settings.na_values, word))}"
    )


def _unknown(given: Coded, encoding: dict[str, Any]) -> str:
    """What is wrong with the labels of test rows."""
    target, known = encoding["target"], encoding["classes"]
    empty = int((given.rows[target] < 0).sum())
    if empty:
        row = int(np.argmax(given.rows[target].to_numpy() < 0)) + 1
        return f"target {target!r} is empty in {empty} of the test rows, first in row {row}"
    found = sorted({label(value) for value in given.meanings[target]})
    strange = [name for name in found if name not in known]  # first, as a long list is cut
    return (
        f"target {target!r} has the classes {listed([*strange, *(n for n in found if n in known)], quoted=True)}, "
        f"and {listed(known, quoted=True)} in the training rows"
    )


def _positions(given: Coded, name: str, known: list[str], spelled: Callable[[Any], str]) -> NDArray[np.intp]:
    """Where in `known` each of a column's values is; -1 for a missing value and one that is not there."""
    position = {value: number for number, value in enumerate(known)}
    lookup = [position.get(spelled(value), -1) for value in given.meanings[name]]
    codes: NDArray[np.int32] = given.rows[name].to_numpy()
    return np.array([*lookup, -1])[codes]  # the last one is where -1 points to


def _features(names: Iterable[str]) -> dict[str, str]:
    """XGBoost refuses some characters in the name of a feature; names that are the same without them get a number."""
    made, taken = dict[str, str](), {LABEL}
    for name in names:
        plain = feature = name.translate({ord("["): "(", ord("]"): ")", ord("<"): "lt "})
        number = 2
        while feature in taken:
            feature, number = f"{plain}_{number}", number + 1
        made[name] = feature
        taken.add(feature)
    return made

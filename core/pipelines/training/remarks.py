"""What is unusual about a user's data, though a model can be trained on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from core.pipelines.numerals import LONGEST, dressed, plain
from core.pipelines.training.settings import Training
from core.pipelines.wording import listed, na_options, short

MOSTLY, MANY = 0.5, 0.2
"""Shares from which on empty cells of a column, and rows that are there before, are remarked on."""
NUMBERS, SOME = 0.5, 0.05
"""The share of a text column's values that are numbers from which on they were probably meant to be: of those that are
not the commonest word, which may stand for a missing value, and of all."""
MOST_WORDS = 3


def of_counts(report: Mapping[str, Any]) -> Iterator[str]:
    """Of what the rules have counted."""
    yield from (f"{short(name)}: {share:.0%} empty" for name, share in report["nulls"].items() if share >= MOSTLY)
    if report["duplicates"] >= MANY:
        yield f"{report['duplicates']:.0%} of the rows were there before"


def of_classes(report: Mapping[str, Any], settings: Training) -> Iterator[str]:
    """Of classes that cannot be split."""
    alone = [name for name, count in report["classes"].items() if count == 1]
    if alone and not settings.test_data:
        yield f"{short(settings.target)}: left out as there is but one row of each: {listed(alone, quoted=True)}"


def of_rows(left_out: Mapping[str, int], infinite: Mapping[str, int]) -> Iterator[str]:
    """Of what was not taken over."""
    yield from (f"{count} row{'s' * (count > 1)} {why} left out" for why, count in left_out.items())
    yield from (f"{short(name)}: {count} infinite, taken as missing" for name, count in infinite.items())


def of_text(name: str, column: pd.Series, settings: Training, decimal: str) -> Iterator[str]:
    """Of a column with text that swallowed lines, or looks as if it held numbers."""
    values = column.dropna()
    over = values[values.str.contains("\n", regex=False)]
    if len(over):
        lines = int(over.str.count("\n").max()) + 1
        fields = f"{len(over)} field{'s' * (len(over) > 1)}"
        yield f"{short(name)}: {fields} over several lines, up to {lines}; is a quote not closed?"
    if name != settings.target:
        yield from _of_numbers(short(name), values, settings, decimal)


def _of_numbers(name: str, values: pd.Series, settings: Training, decimal: str) -> Iterator[str]:
    others = values[~values.str.fullmatch(plain(decimal))]
    if others.empty:
        return
    # long text is no number, and takes long to compare with one
    like = others[(others.str.len() <= LONGEST)]
    like = like[like.str.fullmatch(dressed(decimal))]
    words = others.drop(like.index).value_counts()
    numbers = len(values) - int(words.sum())
    if numbers < SOME * len(values) or numbers < NUMBERS * (len(values) - (words.max() if len(words) else 0)):
        return
    if len(like):
        yield f"{name}: looks like numbers ({short(like.iloc[0])}), read as text"
    elif len(words):
        missing = na_options((*map(str, words.index[:MOST_WORDS]), *settings.na_values))
        yield f"{name}: text in {words.sum()} rows, else numbers: read as text; with {missing} that means missing"


def of_dropped(dropped: list[str], types: Mapping[str, str]) -> Iterator[str]:
    """Of columns that are no features."""
    identifiers = [name for name in dropped if types[name] == "str"]
    if identifiers:
        yield f"not used, as nearly every row has another value: {listed(identifiers)}"
    if empty := [name for name in dropped if types[name] != "str"]:
        yield f"not used, as empty: {listed(empty)}"

"""Rules that the source data must keep, so that the steps fail fast on data that the rest must not see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from core.instrument.errors import DataError
from core.pipelines.tables import columns, shape
from core.pipelines.training.labels import label
from core.pipelines.training.settings import Training
from core.pipelines.wording import listed, short

KEY_ROWS = 1000
"""Few columns that are no key get past their first so many rows."""


def checked(source: Path, settings: Training) -> dict[str, Any]:
    """What the source is like: `rows`, `nulls` by column, share of `duplicates`, rows of the `classes`.

    DataError naming the file, the rule that it breaks, and the option that changes the rule.
    """
    rules = settings.validation
    rows, names = shape(source)
    _check_schema(names, settings)
    require(
        settings.data, "min_rows", rows >= max(rules.min_rows, 1),
        f"{rows} rows, at least {rules.min_rows} needed", rows or None,
    )  # fmt: skip
    nulls, classes, has_key = _look_through(source, settings.target)
    worst = max(nulls, key=lambda name: nulls[name])
    require(
        settings.data, "max_null_fraction", nulls[worst] <= rules.max_null_fraction,
        f"column {short(worst)!r} is {nulls[worst]:.1%} null, at most {rules.max_null_fraction:.1%} allowed", 1,
    )  # fmt: skip
    require(
        settings.data, "target_not_null", nulls[settings.target] == 0,
        f"target {settings.target!r} is empty in {round(nulls[settings.target] * rows)} rows",
    )  # fmt: skip
    duplicates = 0.0 if has_key else float(pd.read_parquet(source).duplicated().mean())
    require(
        settings.data, "max_duplicate_fraction", duplicates <= rules.max_duplicate_fraction,
        f"{duplicates:.1%} of the rows are duplicates, at most {rules.max_duplicate_fraction:.1%} allowed", 1,
    )  # fmt: skip
    _check_classes(classes, settings)
    return {"rows": rows, "nulls": nulls, "duplicates": duplicates, "classes": classes}


def _check_classes(classes: dict[str, int], settings: Training) -> None:
    most, target = settings.validation.max_classes, settings.target
    require(
        settings.data, "max_classes", len(classes) <= most,
        f"target {target!r} has {len(classes)} classes, at most {most} allowed", len(classes),
    )  # fmt: skip
    fewest = 1 if settings.test_data else 2
    if settings.leave_out:
        classes = {name: count for name, count in classes.items() if count >= fewest}
    require(settings.data, "target_classes", len(classes) >= 2, f"target {target!r} has {len(classes)} classes, not 2")
    rarest = min(classes, key=lambda label: classes[label])
    require(
        settings.data, "target_classes", classes[rarest] >= fewest,
        f"class {short(rarest)!r} of target {target!r} has {classes[rarest]} row, and rows are split by class",
    )  # fmt: skip


def _look_through(source: Path, target: str) -> tuple[dict[str, float], dict[str, int], bool]:
    """Each column's share of nulls, the rows of each class, and whether a column alone tells all rows apart.

    The last is much cheaper to find out than to compare whole rows.
    """
    nulls: dict[str, float] = {}
    classes: dict[str, int] = {}
    has_key = False
    for name, column in columns(source):
        nulls[name] = float(column.isna().mean())
        has_key = has_key or (column.head(KEY_ROWS).is_unique and column.is_unique)
        if name == target:
            for value, count in column.value_counts().items():
                classes[label(value)] = classes.get(label(value), 0) + int(count)
    return nulls, classes, has_key


def _check_schema(columns: list[str], settings: Training) -> None:
    expected = set(settings.validation.columns) | {settings.target}
    missing = sorted(expected - set(columns))
    unexpected = sorted(set(columns) - expected) if settings.validation.columns else []
    require(
        settings.data, "schema", not missing and not unexpected,
        f"missing columns: {listed(missing) or 'none'}; unexpected columns: {listed(unexpected) or 'none'}",
    )  # fmt: skip
    require(settings.data, "schema", len(columns) >= 2, "no column beside the target")


def require(source: Path, rule: str, holds: bool, found: str, would_hold: int | None = None) -> None:
    """DataError unless it holds. `would_hold`: the rule's value with which it would; none if it cannot be changed."""
    if not holds:
        change = "" if would_hold is None else f" or change the rule: --rule {rule}={would_hold}"
        raise DataError(f"{source}: rule {rule}: {found}; mend the source{change}")

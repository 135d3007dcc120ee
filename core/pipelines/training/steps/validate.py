"""validate: fail fast on data that the rest must not see."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from core.instrument.artifacts import Reference, check, write_json
from core.instrument.errors import DataError
from core.instrument.step import Attempt, step
from core.pipelines.tables import columns, shape
from core.pipelines.training.layout import SOURCE
from core.pipelines.training.settings import Training

KEY_ROWS = 1000
"""Few columns that are no key get past their first so many rows."""


@step
def validate(attempt: Attempt, raw: Reference) -> Reference:
    """Check the extracted source against the run's rules and write `validation.json`.

    Returns the same reference, now known to be good. Raises DataError naming the source file,
    the rule and what was found.
    """
    report = _check(check(raw) / SOURCE, attempt.settings(Training))
    write_json(attempt.config.run_dir / "validation.json", report)
    return raw


def _check(source: Path, settings: Training) -> dict[str, object]:
    rules = settings.validation
    rows, names = shape(source)
    _check_schema(names, settings)
    _require(
        settings.data, "min_rows", rows >= max(rules.min_rows, 1), f"{rows} rows, at least {rules.min_rows} needed"
    )
    nulls, classes, has_key = _look_through(source, settings.target)
    worst = max(nulls, key=lambda name: nulls[name])
    _require(
        settings.data, "max_null_fraction", nulls[worst] <= rules.max_null_fraction,
        f"column {worst!r} is {nulls[worst]:.1%} null, at most {rules.max_null_fraction:.1%} allowed",
    )  # fmt: skip
    _require(
        settings.data, "target_not_null", nulls[settings.target] == 0, f"target {settings.target!r} has missing values"
    )
    duplicates = 0.0 if has_key else float(pd.read_parquet(source).duplicated().mean())
    _require(
        settings.data, "max_duplicate_fraction", duplicates <= rules.max_duplicate_fraction,
        f"{duplicates:.1%} of the rows are duplicates, at most {rules.max_duplicate_fraction:.1%} allowed",
    )  # fmt: skip
    _require(
        settings.data, "target_classes", 2 <= len(classes) <= rules.max_classes and min(classes.values()) >= 2,
        f"target {settings.target!r} has {len(classes)} classes, the rarest with {min(classes.values())} rows; "
        f"2 to {rules.max_classes} classes of at least 2 rows needed",
    )  # fmt: skip
    return {"rows": rows, "nulls": nulls, "duplicates": duplicates, "classes": classes}


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
            classes = {str(label): int(count) for label, count in column.value_counts().items()}
    return nulls, classes, has_key


def _check_schema(columns: list[str], settings: Training) -> None:
    expected = set(settings.validation.columns) | {settings.target}
    missing = sorted(expected - set(columns))
    unexpected = sorted(set(columns) - expected) if settings.validation.columns else []
    _require(
        settings.data, "schema", not missing and not unexpected,
        f"missing columns: {', '.join(missing) or 'none'}; unexpected columns: {', '.join(unexpected) or 'none'}",
    )  # fmt: skip
    _require(settings.data, "schema", len(columns) >= 2, "no column beside the target")


def _require(source: Path, rule: str, holds: bool, found: str) -> None:
    if not holds:
        raise DataError(f"{source}: rule {rule}: {found}; mend the source or change the rule in the run's config")

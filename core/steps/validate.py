"""validate: fail fast on data that the rest must not see."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from core.artifacts import Reference, check, write_json
from core.config import RunConfig
from core.errors import DataError
from core.layout import SOURCE
from core.step import Attempt, step


@step
def validate(attempt: Attempt, raw: Reference) -> Reference:
    """Check the extracted source against the run's rules and write `validation.json`.

    Returns the same reference, now known to be good. Raises DataError naming the source file,
    the rule and what was found.
    """
    config = attempt.config
    table = pd.read_parquet(check(raw) / SOURCE)
    report = _check(table, config)
    write_json(config.run_dir / "validation.json", report)
    return raw


def _check(table: pd.DataFrame, config: RunConfig) -> dict[str, object]:
    rules = config.validation
    _check_schema(list(table.columns), config)
    enough = len(table) >= max(rules.min_rows, 1)
    _require(config.data, "min_rows", enough, f"{len(table)} rows, at least {rules.min_rows} needed")
    nulls = {str(name): float(share) for name, share in table.isna().mean().items()}
    worst = max(nulls, key=lambda name: nulls[name])
    _require(
        config.data, "max_null_fraction", nulls[worst] <= rules.max_null_fraction,
        f"column {worst!r} is {nulls[worst]:.1%} null, at most {rules.max_null_fraction:.1%} allowed",
    )  # fmt: skip
    _require(config.data, "target_not_null", nulls[config.target] == 0, f"target {config.target!r} has missing values")
    duplicates = float(table.duplicated().mean())
    _require(
        config.data, "max_duplicate_fraction", duplicates <= rules.max_duplicate_fraction,
        f"{duplicates:.1%} of the rows are duplicates, at most {rules.max_duplicate_fraction:.1%} allowed",
    )  # fmt: skip
    classes = {str(label): int(count) for label, count in table[config.target].value_counts().items()}
    _require(
        config.data, "target_classes", 2 <= len(classes) <= rules.max_classes and min(classes.values()) >= 2,
        f"target {config.target!r} has {len(classes)} classes, the rarest with {min(classes.values())} rows; "
        f"2 to {rules.max_classes} classes of at least 2 rows needed",
    )  # fmt: skip
    return {"rows": len(table), "nulls": nulls, "duplicates": duplicates, "classes": classes}


def _check_schema(columns: list[str], config: RunConfig) -> None:
    expected = set(config.validation.columns) | {config.target}
    missing = sorted(expected - set(columns))
    unexpected = sorted(set(columns) - expected) if config.validation.columns else []
    _require(
        config.data, "schema", not missing and not unexpected,
        f"missing columns: {', '.join(missing) or 'none'}; unexpected columns: {', '.join(unexpected) or 'none'}",
    )  # fmt: skip
    _require(config.data, "schema", len(columns) >= 2, "no column beside the target")


def _require(source: Path, rule: str, holds: bool, found: str) -> None:
    if not holds:
        raise DataError(f"{source}: rule {rule}: {found}; mend the source or change the rule in the run's config")

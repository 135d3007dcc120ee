"""What a run of the training pipeline is told."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from core.pipelines.dialect import Dialect


class Validation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rules that the source data must keep. Fractions are between 0 and 1."""

    columns: Annotated[tuple[str, ...], Meta(description="expected columns; empty: any, with the target")] = ()
    min_rows: Annotated[int, Meta(ge=0, description="fewest rows")] = 100
    max_null_fraction: Annotated[float, Meta(ge=0, le=1, description="of each column")] = 0.5
    max_duplicate_fraction: Annotated[float, Meta(ge=0, le=1, description="of the rows")] = 0.2
    max_classes: Annotated[int, Meta(ge=2, description="of the target")] = 50


class Hyperparameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Passed to `xgboost.XGBClassifier` under the same names."""

    n_estimators: Annotated[int, Meta(description="trees")] = 300
    max_depth: Annotated[int, Meta(description="levels of a tree")] = 4
    learning_rate: Annotated[float, Meta(description="share of each tree's correction that is taken")] = 0.1
    subsample: Annotated[float, Meta(description="share of the rows that each tree is shown")] = 1.0
    min_child_weight: Annotated[float, Meta(description="least weight of the rows in a leaf")] = 1.0


class Training(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Paths are absolute."""

    data: Annotated[Path, Meta(description="CSV file to learn from")]
    target: Annotated[str, Meta(min_length=1, description="the column to predict")]
    test_data: Annotated[Path | None, Meta(description="CSV file of held-out rows; without it rows are split off")] = (
        None
    )
    dialect: Annotated[Dialect, Meta(description="how the data are written")] = msgspec.field(default_factory=Dialect)
    test_dialect: Annotated[Dialect, Meta(description="and the test data")] = msgspec.field(default_factory=Dialect)
    test_fraction: Annotated[float, Meta(gt=0, lt=1, description="share of the rows that is split off")] = 0.25
    seed: Annotated[int, Meta(description="draws the split and the model")] = 7
    threshold: Annotated[float, Meta(description="accuracy from which on a model is deployed")] = 0.6
    chunk_rows: Annotated[int, Meta(ge=1, description="rows that are read at once")] = 100_000
    na_values: Annotated[
        tuple[str, ...], Meta(description="texts that stand for a missing value, beside the empty one")
    ] = ("?",)
    identifier_fraction: Annotated[
        float, Meta(gt=0, le=1, description="a text column whose share of distinct values reaches this is no feature")
    ] = 0.95
    leave_out: Annotated[
        bool, Meta(description="whether rows without a label, or alone in their class, are left out and not refused")
    ] = False
    threads: Annotated[int, Meta(ge=1, description="of XGBoost")] = 1
    webhook: Annotated[str, Meta(description="address that is told of a model that is not deployed; empty: none")] = ""
    validation: Annotated[Validation, Meta(description="rules that the source data must keep")] = msgspec.field(
        default_factory=Validation
    )
    hyperparameters: Annotated[Hyperparameters, Meta(description="of the model")] = msgspec.field(
        default_factory=Hyperparameters
    )

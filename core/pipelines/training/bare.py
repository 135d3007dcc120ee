"""The training job as one would write it with pandas and XGBoost alone: what core is compared with.

Run as `python -m core.pipelines.training.bare CONFIG FOLDER`; writes model.ubj and metrics.json into the folder.
Same rules, split, features, model and metrics as core's pipeline with its defaults, but nothing that
makes the steps independent of each other: all stays in memory, nothing is hashed, flushed or journalled.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pandas as pd
from sklearn.metrics import accuracy_score, f1_score, log_loss, roc_auc_score
from sklearn.model_selection import train_test_split
from xgboost import XGBClassifier

SEED = 7


def validate(table: pd.DataFrame, target: str) -> None:
    counts = table[target].value_counts()
    assert len(table) >= 100, f"{len(table)} rows"
    assert table.isna().mean().max() <= 0.5, "a column is mostly null"
    assert table[target].notna().all(), "target has missing values"
    assert table.duplicated().mean() <= 0.2, "too many duplicates"
    assert 2 <= len(counts) <= 50, f"{len(counts)} classes"
    assert counts.min() >= 2, "a class has one row"


def encode(train: pd.DataFrame, test: pd.DataFrame) -> None:
    """In place: training medians for missing numbers, codes for text; identifiers are left out."""
    for name in train.columns:
        if pd.api.types.is_numeric_dtype(train[name]):
            median = train[name].median()
            train[name] = train[name].fillna(median)
            test[name] = test[name].fillna(median)
        elif train[name].nunique() >= 0.95 * train[name].count():
            del train[name], test[name]
        else:
            categories = sorted(train[name].dropna().unique())
            train[name] = pd.Categorical(train[name], categories).codes
            test[name] = pd.Categorical(test[name], categories).codes


def main(config: Path, folder: Path) -> None:
    settings = json.loads(config.read_text())["settings"]
    csv, target = settings["data"], settings["target"]
    table = pd.read_csv(csv, keep_default_na=False, na_values=["", "?"], skipinitialspace=True)
    validate(table, target)
    train, test = train_test_split(table, test_size=0.25, random_state=SEED, stratify=table[target])
    del table
    classes = sorted(train[target].astype(str).unique())
    train_labels = pd.Categorical(train.pop(target).astype(str), classes).codes
    test_labels = pd.Categorical(test.pop(target).astype(str), classes).codes
    encode(train, test)
    model = XGBClassifier(n_estimators=300, max_depth=4, learning_rate=0.1, random_state=SEED, n_jobs=1)
    model.fit(train, train_labels)
    scores = model.predict_proba(test)
    predicted = scores.argmax(axis=1)
    metrics = {
        "accuracy": accuracy_score(test_labels, predicted),
        "f1": f1_score(test_labels, predicted),
        "roc_auc": roc_auc_score(test_labels, scores[:, 1]),
        "log_loss": log_loss(test_labels, scores),
        "rows": len(test),
        "classes": classes,
    }
    folder.mkdir(parents=True, exist_ok=True)
    model.save_model(folder / "model.ubj")
    (folder / "metrics.json").write_text(json.dumps(metrics))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

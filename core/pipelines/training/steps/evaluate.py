"""evaluate: metrics on held-out rows."""

from __future__ import annotations

import json

import pandas as pd
from sklearn.metrics import accuracy_score, f1_score, log_loss, roc_auc_score
from xgboost import XGBClassifier

from core.instrument.artifacts import Reference, check, refer, write_json
from core.instrument.step import Attempt, step
from core.pipelines.training.layout import ENCODING, LABEL, MODEL
from core.pipelines.training.settings import Training


@step
def evaluate(attempt: Attempt, features: Reference, model: Reference) -> Reference:
    """Write `metrics.json`: accuracy, f1, roc_auc, log_loss on the test rows.

    f1 is that of the last class in sorted order when there are two classes, else the mean over
    the classes; roc_auc is one-vs-rest and null when the test rows lack a class. Returns the
    file's reference with the number of test rows.
    """
    rows = pd.read_parquet(check(features) / "test.parquet")
    labels = rows.pop(LABEL)
    folder = check(model)
    classes = json.loads((folder / ENCODING).read_text())["classes"]
    classifier = XGBClassifier(n_jobs=attempt.settings(Training).threads)
    classifier.load_model(folder / MODEL)
    scores = classifier.predict_proba(rows)
    predicted = scores.argmax(axis=1)
    binary = len(classes) == 2
    complete = labels.nunique() == len(classes)
    roc_auc = roc_auc_score(labels, scores[:, 1] if binary else scores, multi_class="ovr") if complete else None
    metrics = {
        "accuracy": float(accuracy_score(labels, predicted)),
        "f1": float(f1_score(labels, predicted, average="binary" if binary else "macro", zero_division=0)),
        "roc_auc": None if roc_auc is None else float(roc_auc),
        "log_loss": float(log_loss(labels, scores, labels=list(range(len(classes))))),
        "rows": len(rows),
        "classes": classes,
    }
    path = attempt.config.run_dir / "metrics.json"
    write_json(path, metrics)
    return refer(path, len(rows))

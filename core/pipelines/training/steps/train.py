"""train: fit an XGBoost classifier."""

from __future__ import annotations

import msgspec
import pandas as pd
from xgboost import XGBClassifier

from core.instrument.artifacts import Reference, atomic, check, refer
from core.instrument.step import Attempt, step
from core.pipelines.training.layout import ENCODING, LABEL, MODEL
from core.pipelines.training.settings import Training


@step
def train(attempt: Attempt, features: Reference) -> Reference:
    """Fit on the training rows and write `model/` (the model and the encoding it needs).

    Returns the folder's reference with the number of rows trained on. The fit is deterministic
    for one thread and one XGBoost version.
    """
    settings = attempt.settings(Training)
    source = check(features)
    rows = pd.read_parquet(source / "train.parquet")
    labels = rows.pop(LABEL)
    model = XGBClassifier(
        **msgspec.structs.asdict(settings.hyperparameters),
        random_state=settings.seed,
        n_jobs=settings.threads,
    )
    model.fit(rows, labels)
    folder = attempt.config.run_dir / "model"
    with atomic(folder) as temporary:
        temporary.mkdir()
        model.save_model(temporary / MODEL)
        (temporary / ENCODING).write_bytes((source / ENCODING).read_bytes())
    return refer(folder, len(rows))

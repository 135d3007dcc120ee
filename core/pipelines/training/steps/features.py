"""features: impute, encode and split, learned from the training rows only."""

from __future__ import annotations

from core.instrument.artifacts import Reference, atomic, check, refer, write_json
from core.instrument.step import Attempt, step
from core.pipelines.tables import STORAGE
from core.pipelines.training.encoding import encoded
from core.pipelines.training.layout import ENCODING
from core.pipelines.training.settings import Training


@step
def features(attempt: Attempt, raw: Reference) -> Reference:
    """Write `features/train.parquet`, `features/test.parquet` and `features/encoding.json`.

    Numbers: missing values become the training median. Text: codes by sorted training category;
    missing and unseen values get -1. Identifier columns are left out. The label column holds
    class codes by sorted class. Returns the folder's reference with the training row count.
    """
    made = encoded(check(raw), attempt.settings(Training))
    folder = attempt.config.run_dir / "features"
    with atomic(folder) as temporary:
        temporary.mkdir()
        made.train.to_parquet(temporary / "train.parquet", index=False, **STORAGE)
        made.test.to_parquet(temporary / "test.parquet", index=False, **STORAGE)
        write_json(temporary / ENCODING, made.encoding)
    return refer(folder, len(made.train))

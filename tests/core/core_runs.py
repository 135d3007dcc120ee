"""Parts of a run that several tests need."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.instrument.artifacts import Reference
from core.instrument.config import RunConfig
from core.pipelines import models
from core.pipelines.training import steps
from core.pipelines.training.settings import Validation

LENIENT = Validation(min_rows=1, max_duplicate_fraction=1.0, max_null_fraction=1.0)
"""Rules for tables of a few rows."""


def registry_of(config: RunConfig) -> Path:
    """Where the models are that the run deploys."""
    return config.effects_dir / models.MODELS


def until_evaluated(config: RunConfig) -> dict[str, Any]:
    """Run the steps from extract to branch; return their results by name."""
    path = str(config.path)
    raw = steps.validate(path, steps.extract(path))
    features = steps.features(path, raw)
    model = steps.train(path, features)
    metrics = steps.evaluate(path, features, model)
    return {
        "raw": raw,
        "features": features,
        "train": model,
        "evaluate": metrics,
        "branch": steps.branch(path, metrics),
    }


def digests(results: dict[str, Reference | str]) -> dict[str, str]:
    return {name: result if isinstance(result, str) else result["digest"] for name, result in results.items()}

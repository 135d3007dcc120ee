"""deploy: promote the model in the registry."""

from __future__ import annotations

from core.instrument.artifacts import Reference, check, refer
from core.instrument.step import Attempt, step
from core.pipelines.models import MODELS, promote


@step
def deploy(attempt: Attempt, model: Reference, metrics: Reference) -> Reference:
    """Make the model the registry's current version and return the reference to that version."""
    config = attempt.config
    source, report = check(model), check(metrics)
    attempt.effect(f"deploy:{config.run_id}")
    return refer(promote(config.effects_dir / MODELS, source, report, config.run_id), model["rows"])

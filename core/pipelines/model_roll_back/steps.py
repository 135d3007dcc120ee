"""roll_back: make the last good model current again."""

from __future__ import annotations

from core.instrument.artifacts import Reference, refer
from core.instrument.step import Attempt, step
from core.pipelines import models


@step
def roll_back(attempt: Attempt) -> Reference:
    """Make the registry's previous version current and return the reference to it.

    A run goes back by one version, however often it is tried. Raises ArtifactError if no previous
    version is kept.
    """
    config = attempt.config
    attempt.effect(f"roll_back:{config.run_id}")
    return refer(models.roll_back(config.effects_dir / models.MODELS, config.run_id))

"""roll_back: make the last good model current again."""

from __future__ import annotations

from core import registry
from core.instrument.artifacts import Reference, refer
from core.instrument.step import Attempt, step


@step
def roll_back(attempt: Attempt) -> Reference:
    """Make the registry's previous version current and return the reference to it.

    A run goes back by one version, however often it is tried. Raises ArtifactError if no previous
    version is kept.
    """
    config = attempt.config
    attempt.effect(f"roll_back:{config.run_id}")
    return refer(registry.roll_back(config.registry, config.run_id))

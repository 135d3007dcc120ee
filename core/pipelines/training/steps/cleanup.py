"""cleanup: remove what killed attempts left behind."""

from __future__ import annotations

from core.instrument.artifacts import TEMPORARY_PREFIX, remove
from core.instrument.step import Attempt, step


@step
def cleanup(attempt: Attempt) -> int:
    """Remove the run's temporary files and return how many there were."""
    leftovers = list(attempt.config.run_dir.rglob(f"{TEMPORARY_PREFIX}*"))
    for path in leftovers:
        remove(path)
    return len(leftovers)

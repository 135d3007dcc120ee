"""What is only a matter of words: how abilities are called, in which unit a column is shown."""

from __future__ import annotations

from collections.abc import Iterable

from bench.questions.metric import Metric, Scale
from reports.words.numbers import scale_for

ABILITIES = {
    "resume": "Start a failed run again at the failed step",
    "cancel": "Stop a run",
    "deployment_error": "Tell that a pipeline file is broken, without a run",
    "step_timeout": "A time limit that stops a step",
    "retry_lost_step": "Retry a step whose process died",
    "cleanup_after_failure": "Clean up after a failed step",
    "backfill": "Run a range of past days",
}


def scale_of(metric: Metric, values: Iterable[float | str | None]) -> Scale:
    """One scale for all the values that are compared."""
    return metric.scale or scale_for(metric.unit, values)


def matters(name: str) -> bool:
    """Whether the isolation of steps has a price in this metric."""
    return name.startswith(
        ("runtime.", "recovery.", "scaling.", "concurrency.", "resources.cpu_per_task", "resources.run")
    )

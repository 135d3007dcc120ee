"""validate: fail fast on data that the rest must not see."""

from __future__ import annotations

from core.instrument.artifacts import Reference, check, write_json
from core.instrument.step import Attempt, step
from core.pipelines.training.layout import SOURCE
from core.pipelines.training.rules import checked
from core.pipelines.training.settings import Training


@step
def validate(attempt: Attempt, raw: Reference) -> Reference:
    """Check the extracted source against the run's rules and write `validation.json`.

    Returns the same reference, now known to be good. Raises DataError naming the source file,
    the rule and what was found.
    """
    report = checked(check(raw) / SOURCE, attempt.settings(Training))
    write_json(attempt.config.run_dir / "validation.json", report)
    return raw

"""Parts that look deeper into one engine: what it uses, what it survives, how it tells of errors."""

from __future__ import annotations

from bench.measures import debugging, recovery, resources
from bench.parts.bound import Bound


def resources_part(bound: Bound) -> None:
    """What the engine uses while nothing runs, and during a run that is not timed."""
    resources.idle(bound.conductor, bound.up)
    resources.during(bound.conductor, bound.up, lambda: bound.conductor.served(bound.up, "resources"))


def recovery_part(bound: Bound) -> None:
    """The recovery scenarios."""
    for scenario in recovery.UNATTENDED:
        recovery.unattended(bound.conductor, bound.up, scenario)
    failed, fixed = recovery.failing(bound.conductor, bound.up)
    bound.exception = failed, bound.up.adapter.logs(failed.run.engine_run_id, recovery.STEP)
    recovery.resume(bound.conductor, bound.up, failed, fixed)


def debugging_part(bound: Bound) -> None:
    """The planted bugs; the file that is broken on purpose comes last."""
    debugging.exception(bound.conductor, bound.up, bound.exception)
    debugging.renamed_column(bound.conductor, bound.up)
    debugging.import_error(bound.conductor, bound.up)

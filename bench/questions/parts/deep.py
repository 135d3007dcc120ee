"""Parts that look deeper into one engine: what it uses, and how it tells of errors."""

from __future__ import annotations

from bench.questions import debugging, resources
from bench.questions.parts.bound import Bound


def resources_part(bound: Bound) -> None:
    """What the engine uses while nothing runs, and during a run that is not timed."""
    resources.idle(bound.conductor, bound.up)
    resources.during(bound.conductor, bound.up, lambda: bound.conductor.served(bound.up, "resources"))


def debugging_part(bound: Bound) -> None:
    """The planted bugs; the file that is broken on purpose comes last."""
    debugging.exception(bound.conductor, bound.up, bound.exception)
    debugging.renamed_column(bound.conductor, bound.up)
    debugging.import_error(bound.conductor, bound.up)

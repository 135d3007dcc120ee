"""One vocabulary for all engines: tracks, states, abilities and what stands in the place of an absent one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any


class Track(StrEnum):
    """Under which settings an engine runs; see `Setting`."""

    STOCK = "stock"
    TUNED = "tuned"


class Status(StrEnum):
    """The state of a run or step, in one vocabulary for all engines."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"
    RETRYING = "retrying"

    @property
    def ended(self) -> bool:
        return self in (Status.COMPLETED, Status.FAILED, Status.SKIPPED)


class Ability(StrEnum):
    """What an engine may or may not offer; each is a callable of the endpoint, or a reason.

    Marked (run): `callable(run_id) -> run_id`, the run to watch afterwards.
    Marked (feature): the pipelines use it; the value is a sentence naming the engine's feature.
    """

    RESUME = "resume"  # (run) start again from the failed step, keeping finished steps
    CANCEL = "cancel"  # (run) stop a run
    DEPLOYMENT_ERROR = "deployment_error"  # callable() -> str, as it is known now; "" while the pipeline files load
    READ_AGAIN = "read_again"  # callable(name under which a pipeline is offered): ask once to read its file again
    STEP_TIMEOUT = "step_timeout"  # (feature) a step's time limit stops the step
    RETRY_LOST_STEP = "retry_lost_step"  # (feature) a step whose process died is retried by itself
    CLEANUP_AFTER_FAILURE = "cleanup_after_failure"  # (feature) cleanup also runs after a failed step
    BACKFILL = "backfill"  # a `Backfills`: one run for each day of a range


ABILITY_TITLES = {
    Ability.RESUME: "Start a failed run again at the failed step",
    Ability.CANCEL: "Stop a run",
    Ability.DEPLOYMENT_ERROR: "Tell that a pipeline file is broken, without a run",
    Ability.READ_AGAIN: "Read a pipeline file again on request",
    Ability.STEP_TIMEOUT: "A time limit that stops a step",
    Ability.RETRY_LOST_STEP: "Retry a step whose process died",
    Ability.CLEANUP_AFTER_FAILURE: "Clean up after a failed step",
    Ability.BACKFILL: "Run a range of past days",
}
"""What people would ask for."""


@dataclass(frozen=True, slots=True)
class Unsupported:
    """An ability that an engine lacks, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Feature:
    """An ability that lives in the pipelines' code or settings: what the engine calls it."""

    description: str


@dataclass(frozen=True, slots=True)
class Backfills:
    """How a pipeline is run for each day of a range, by the engine's own means."""

    start: Callable[[str, Path, Sequence[str]], str]
    """`(name under which the pipeline is offered, configuration file, consecutive days as ISO dates) -> id`."""
    status: Callable[[str], Status]
    """By the id: completed once every day has, failed once all have ended and one has not completed."""
    again: Callable[[str], str]
    """`id -> id to watch`: run the days once more that did not complete."""


AbilityTable = Mapping[Ability, Callable[..., Any] | Feature | Backfills | Unsupported]


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the engine's documentation lets its user expect of a scenario."""

    outcomes: tuple[str, ...]
    """Outcomes (see `bench.judge.outcome.Outcome`) that agree with it; empty: the documentation says nothing."""
    text: str
    """One sentence: what is documented, or that nothing was found."""
    source: str
    """Address of the documentation; empty where nothing was found."""

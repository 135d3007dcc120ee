"""The logical pipelines, as data. Every adapter and the inline runner conduct these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Trigger = Literal["all_success", "chosen", "joined"]


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a step is tried again: `retries` more times, `delay_s` seconds apart."""

    retries: int
    delay_s: float


@dataclass(frozen=True, slots=True)
class Step:
    """One unit of work.

    `trigger` says when it runs: `all_success`, all upstreams succeeded; `chosen`, the branch
    named it; `joined`, whichever branch ran has ended (and, by the engine's hook, after a failure).
    """

    name: str
    upstream: tuple[str, ...] = ()
    retry: Retry = Retry(retries=2, delay_s=2.0)
    timeout_s: float = 600.0
    trigger: Trigger = "all_success"


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A named graph of steps, in an order that respects `upstream`."""

    name: str
    steps: tuple[Step, ...]

    def step(self, name: str) -> Step:
        """Return the step called `name`; KeyError if there is none."""
        return next((s for s in self.steps if s.name == name), None) or self._missing(name)

    def _missing(self, name: str) -> Step:
        known = ", ".join(s.name for s in self.steps)
        raise KeyError(f"pipeline {self.name} has no step {name!r}; it has {known}")


TRAINING = Pipeline(
    name="training",
    steps=(
        Step("extract"),
        Step("validate", ("extract",)),
        Step("features", ("validate",)),
        Step("train", ("features",)),
        Step("evaluate", ("features", "train")),
        Step("branch", ("evaluate",)),
        Step("deploy", ("train", "evaluate", "branch"), trigger="chosen"),
        Step("notify", ("evaluate", "branch"), trigger="chosen"),
        Step("cleanup", ("deploy", "notify"), trigger="joined"),
    ),
)

PIPELINES = {pipeline.name: pipeline for pipeline in (TRAINING,)}

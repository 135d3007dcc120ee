"""The logical pipelines, as data. Every adapter and the inline runner conduct these."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Literal

Trigger = Literal["all_success", "chosen", "joined"]

STEP_TIMEOUT_S = float(os.environ.get("ORCHBENCH_STEP_TIMEOUT_S", "600"))
"""How long an attempt of a step may take: set when the pipelines are deployed."""
RUN_TIMEOUT_FACTOR = 3
RUN_TIMEOUT_S = RUN_TIMEOUT_FACTOR * STEP_TIMEOUT_S
"""How long a run of the training pipeline may take."""


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
    timeout_s: float = STEP_TIMEOUT_S
    trigger: Trigger = "all_success"
    call: str = ""
    """The function of `core.steps` that does the work; empty means the one of the step's own name."""
    index: int = 0
    """Which of several steps with the same function this is, from 1; 0 means that there is but one."""

    @property
    def function(self) -> str:
        """Name of the function of `core.steps` that does the work."""
        return self.call or self.name


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A named graph of steps, in an order that respects `upstream`."""

    name: str
    steps: tuple[Step, ...]
    timeout_s: float = 0.0
    """How long a run may take; 0 is without a limit."""

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
    timeout_s=RUN_TIMEOUT_S,
)

ROLL_BACK = Pipeline("roll_back", (Step("roll_back"),))
"""What people run after a bad deployment: the last good model is current again."""
DAILY = Pipeline("daily", (Step("day"),))
"""One run for each day: it files the day's rows, once. The step is named after its day: `day_2026-01-03`."""

FAN_OUT = "fan_out"


def work(index: int, *upstream: str) -> Step:
    """One of many like steps: `work_0001`, `work_0002`, ..."""
    return Step(f"work_{index:04d}", upstream, call="work", index=index)


def chain(n: int) -> Pipeline:
    """`chain_<n>`: n steps in sequence, each given what the one before it made."""
    first, *others = range(1, n + 1)
    return Pipeline(f"chain_{n}", (work(first), *(work(index, f"work_{index - 1:04d}") for index in others)))


def fan_out(n: int) -> Pipeline:
    """`fan_out`: n steps that need not wait for each other, between one that names them and one that joins them.

    Engines learn n when `plan` returns, not before.
    """
    many = tuple(work(index, "plan") for index in range(1, n + 1))
    return Pipeline(FAN_OUT, (Step("plan"), *many, Step("gather", tuple(step.name for step in many))))


def named(name: str, n: int = 0) -> Pipeline:
    """The pipeline that engines know by a name; `n` is what a fan-out learns when it runs.

    Raises KeyError if there is none of that name.
    """
    kind, _, length = name.rpartition("_")
    if kind == "chain" and length.isdecimal():
        return chain(int(length))
    known = {one.name: one for one in (TRAINING, fan_out(n), ROLL_BACK, DAILY)}
    if name not in known:
        raise KeyError(f"no pipeline {name!r}; there are {', '.join(known)} and chain_<n>")
    return known[name]


MANY = re.compile(r"work_\d{4,}|day_\d{4}-\d{2}-\d{2}")
"""Names of the steps of which a pipeline has as many as it is asked for."""


def may_name_a_step(name: str) -> bool:
    """Whether any pipeline has, or when asked for enough of them could have, a step of that name."""
    fixed = (*TRAINING.steps, *fan_out(0).steps, *ROLL_BACK.steps)
    return any(step.name == name for step in fixed) or MANY.fullmatch(name) is not None


def chains() -> tuple[Pipeline, ...]:
    """The chains to deploy, for engines that fix the shape of a graph when it is deployed.

    Their lengths are read from ORCHBENCH_CHAINS: "5,20". Raises KeyError if that is not set.
    """
    return tuple(chain(int(n)) for n in os.environ["ORCHBENCH_CHAINS"].split(","))

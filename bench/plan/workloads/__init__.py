"""What is run: the training pipeline, and synthetic ones of known size."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from bench.contract.records import Run
from core.graphs import FAN_OUT, ROLL_BACK, TRAINING, Pipeline, chain, named
from core.instrument.config import Synthetic

CHANNELS = ("engine", "reference")


@dataclass(frozen=True, slots=True)
class Workload:
    """One pipeline with its size. What is at its default is no parameter of the result's records."""

    name: str = TRAINING.name
    """training, chain or fan_out."""
    n: int = 0
    """Steps of a chain, or of a fan-out between its first and its last."""
    fib: int = 0
    """The Fibonacci number that each step computes naively."""
    payload_bytes: int = 0
    channel: str = ""
    """How a payload is handed on: through the `engine`, or by `reference`."""
    concurrent: int = 0
    """How many runs are submitted at once; 0 is one at a time."""

    @classmethod
    def of(cls, run: Run) -> Self:
        """The workload that a recorded run had."""
        return cls(run.workload, **run.params)

    @property
    def params(self) -> dict[str, Any]:
        """What tells it from others of its name in the records."""
        values = dataclasses.asdict(self)
        return {name: value for name, value in values.items() if value and name != "name"}

    @property
    def pipeline(self) -> Pipeline:
        """The pipeline that engines and the checkers know."""
        return named(self.deployed, self.n)

    @property
    def deployed(self) -> str:
        """The name under which engines offer it."""
        return chain(self.n).name if self.name == "chain" else self.name

    @property
    def changes(self) -> Mapping[str, Any]:
        """What it changes in a run's configuration."""
        if self.name in (TRAINING.name, ROLL_BACK.name):
            return {}
        reference = self.channel == "reference"
        return {"synthetic": Synthetic(max(self.n, 1), self.fib, self.payload_bytes, reference)}

    @property
    def steps(self) -> int:
        """How many steps a run has."""
        return len(self.pipeline.steps)

    @property
    def label(self) -> str:
        """A short name for runs: chain-5, fan_out-20-concurrent4."""
        return "-".join(filter(None, (self.name, *self._label_parts())))

    def _label_parts(self) -> list[str]:
        spelled = {"n": "", "payload_bytes": "bytes", "channel": ""}
        return [f"{spelled.get(name, name)}{value}" for name, value in self.params.items()]


TRAINING_RUN = Workload()
PROBE = Workload(FAN_OUT, 4)
"""As many steps at once as may run: whether an engine still has all its slots."""


def many(name: str, sizes: tuple[int, ...]) -> tuple[Workload, ...]:
    """The same synthetic pipeline in several sizes."""
    return tuple(Workload(name, n) for n in sizes)


def scaling(sizes: tuple[int, ...]) -> tuple[Workload, ...]:
    """Chains and fan-outs without work: what an engine's own conduct costs by size."""
    return (*many("chain", sizes), *many(FAN_OUT, sizes))

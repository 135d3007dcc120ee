"""What is run: a pipeline, with the settings that a question chooses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from bench.contract.records import Run
from core.declaration import Graph, Pipeline, Shape, pipeline, pipelines

CONCURRENT = "concurrent"
WITHOUT_NAME = {"n": "", "payload_bytes": "bytes", "channel": ""}
"""How settings are spelled in the names of runs, where not by their own name."""


@dataclass(frozen=True, slots=True)
class Workload:
    """One pipeline with its size. What is at its default is no parameter of the result's records."""

    pipeline: str
    chosen: tuple[tuple[str, Any], ...] = ()
    """Settings that differ from the pipeline's own, by name."""
    concurrent: int = 0
    """How many runs are submitted at once; 0 is one at a time."""

    @classmethod
    def make(cls, name: str, *, concurrent: int = 0, **settings: Any) -> Self:
        """A pipeline with some of its settings chosen; what is 0 or empty is left at its default."""
        return cls(name, tuple((key, value) for key, value in settings.items() if value), concurrent)

    @classmethod
    def of(cls, run: Run) -> Self:
        """The workload that a recorded run had."""
        params = dict(run.params)
        concurrent = params.pop(CONCURRENT, 0)
        return cls(run.pipeline, tuple(params.items()), concurrent)

    @property
    def settings(self) -> dict[str, Any]:
        """What it changes in a run's settings."""
        return dict(self.chosen)

    @property
    def params(self) -> dict[str, Any]:
        """What tells it from others of its pipeline in the records."""
        return self.settings | ({CONCURRENT: self.concurrent} if self.concurrent else {})

    @property
    def declared(self) -> Pipeline:
        """What its pipeline's folder declares."""
        return pipeline(self.pipeline)

    @property
    def graph(self) -> Graph:
        """As it is deployed; a run unrolls it."""
        return self.declared.graph(self.settings)

    @property
    def offered(self) -> str:
        """The name under which engines offer it."""
        return self.declared.offered(self.settings)

    @property
    def size(self) -> int:
        """The setting by which its pipeline grows; 0 if there is none."""
        return int(self.settings.get(self.declared.size, 0))

    @property
    def steps(self) -> int:
        """How many steps a run has, as far as that is known before: of a map as many as its size."""
        return sum(max(self.size, 1) if step.many else 1 for step in self.graph)

    @property
    def label(self) -> str:
        """A short name for runs: chain-5, fan_out-20-concurrent4."""
        parts = (f"{WITHOUT_NAME.get(name, name)}{value}" for name, value in self.params.items())
        return "-".join(filter(None, (self.pipeline, *parts)))


def sized(of: Pipeline, size: int, *, concurrent: int = 0, **settings: Any) -> Workload:
    """A pipeline in a size."""
    return Workload.make(of.name, concurrent=concurrent, **{of.size: size}, **settings)


def shaped(shape: Shape) -> Pipeline:
    """The pipeline of like steps that lie so; KeyError if there is none."""
    found = next((one for one in pipelines() if one.shape is shape), None)
    if found is None:
        raise KeyError(f"no pipeline has the shape {shape}")
    return found


def scaling(sizes: tuple[int, ...]) -> tuple[Workload, ...]:
    """Like steps without work, in each shape and size: what an engine's own conduct costs."""
    return tuple(sized(shaped(shape), size) for shape in Shape for size in sizes)


PROBE = sized(shaped(Shape.PARALLEL), 4)
"""As many steps at once as may run: whether an engine still has all its slots."""

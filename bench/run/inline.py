"""The reference: a pipeline as a plain Python loop over core.

Baseline of every overhead and oracle of every result. Run in a fresh interpreter as
`python -m bench.run.inline CONFIG`, where the configuration names the pipeline.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from core.declaration import Graph, Kind, Pipeline, Step, pipeline
from core.instrument.config import load_config


@dataclass
class Loop:
    """One run in the making."""

    pipeline: Pipeline
    graph: Graph
    config: str
    partitions: Sequence[str] = ()
    results: dict[str, Any] = field(default_factory=dict)
    """Step -> what it returned; of many like steps a list. A step that did not run is not in it."""

    def conduct(self) -> None:
        """Each step in turn; those that always run come last, also after a failure."""
        last = [step for step in self.graph if step.kind is Kind.ALWAYS]
        try:
            for step in self.graph:
                if step not in last and self._due(step):
                    self.results[step.name] = self._run(step)
        finally:
            for step in last:
                self.results[step.name] = self._run(step)

    def _due(self, step: Step) -> bool:
        """Whether its branch chose it, and what it needs has run."""
        branch = self.graph.branch_of(step)
        if branch and self.results.get(branch.name) != step.name:
            return False
        ran = [name in self.results for name in step.upstream]
        return any(ran) if step.kind is Kind.JOIN else all(ran)

    def _run(self, step: Step) -> Any:
        work = self.pipeline.work(step)
        given = [each for name in self.graph.inputs(step) if name in self.results for each in self._results(name)]
        if step.kind is Kind.MAP:
            return [work(self.config, item, *given) for item in self.results[step.over]]
        if step.kind is Kind.PARTITION:
            return [work(self.config, key, *given) for key in self.partitions]
        return work(self.config, *(() if step.item is None else (step.item,)), *given)

    def _results(self, name: str) -> list[Any]:
        """A step that comes after many like ones is given what each of them returned."""
        return list(self.results[name]) if self.graph.step(name).many else [self.results[name]]


def conduct(config_path: str, partitions: Sequence[str] = ()) -> dict[str, Any]:
    """Run a pipeline's steps in order, once each; return step -> result. Always-run steps run after a failure too."""
    config = load_config(config_path)
    declared = pipeline(config.pipeline)
    loop = Loop(declared, declared.graph(config.settings), config_path, partitions)
    loop.conduct()
    return loop.results


if __name__ == "__main__":
    conduct(sys.argv[1], sys.argv[2:])

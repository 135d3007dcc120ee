"""The reference: the pipeline as a plain Python loop over core.

Baseline of every overhead and oracle of every result. Run in a fresh interpreter as
`python -m bench.run.inline training CONFIG`.
"""

from __future__ import annotations

import sys
from typing import Any

from core import steps
from core.graphs import Pipeline, named
from core.instrument.config import load_config


def conduct(pipeline: Pipeline, config_path: str) -> dict[str, Any]:
    """Run a pipeline's steps in order, once each; return step -> result. Always-run steps run after a failure too."""
    results: dict[str, Any] = {}
    last = [step for step in pipeline.steps if step.trigger == "joined"]
    try:
        for step in pipeline.steps:
            if step in last or (step.trigger == "chosen" and results["branch"] != step.name):
                continue
            index = [step.index] if step.index else []
            references = [results[name] for name in step.upstream if isinstance(results[name], dict)]
            results[step.name] = getattr(steps, step.function)(config_path, *index, *references)
    finally:
        for step in last:
            results[step.name] = getattr(steps, step.function)(config_path)
    return results


if __name__ == "__main__":
    conduct(named(sys.argv[1], load_config(sys.argv[2]).synthetic.n), sys.argv[2])

"""Finds pipelines: a folder of `core.pipelines` with a pipeline.py is one; there is nothing else to register."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path

from core.declaration.pipeline import Pipeline

FOLDER = Path(__file__).parents[1] / "pipelines"


def names() -> list[str]:
    """Names of the pipelines found, sorted."""
    return sorted(path.parent.name for path in FOLDER.glob("*/pipeline.py"))


@cache
def pipeline(name: str) -> Pipeline:
    """The declaration of a pipeline; KeyError naming the known ones if there is none."""
    if name not in names():
        raise KeyError(f"no pipeline {name!r}; there are {', '.join(names())}")
    found: Pipeline = import_module(f"core.pipelines.{name}.pipeline").PIPELINE
    return found


def pipelines() -> tuple[Pipeline, ...]:
    """All declarations, by name."""
    return tuple(map(pipeline, names()))

"""Which of the declared pipelines can be measured, and which are where nobody names one."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from pathlib import Path

from bench.contract.errors import UsageError
from core.declaration import pipeline, pipelines


def known() -> tuple[str, ...]:
    """Names of the pipelines that can be asked for: those with a purpose of their own."""
    beside = {name for one in pipelines() for name in one.companions.values()}
    return tuple(one.name for one in pipelines() if one.shape is None and one.name not in beside)


def default() -> tuple[str, ...]:
    """Names of those that are measured where nobody asks for another one."""
    return tuple(one.name for one in pipelines() if one.default)


def require(names: Iterable[str]) -> None:
    """UsageError for the first of the names that is no pipeline that can be asked for."""
    for name in names:
        if name not in known():
            raise UsageError(f"--pipeline {name}: there is no such pipeline; there are {', '.join(known())}")


def source_file(name: str, step: str) -> str:
    """Name of the file in which the work of a pipeline's step stands; empty if it has no such step."""
    found = pipeline(name)
    declared = found.graph({}).declared(step)
    return Path(inspect.getsourcefile(inspect.unwrap(found.work(declared))) or "").name if declared else ""

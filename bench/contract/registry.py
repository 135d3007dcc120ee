"""Finds adapters: a folder impl_<name> with an adapter.py is an engine; there is nothing else to register."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Literal

from bench.contract.adapter import Adapter
from bench.contract.errors import UsageError
from bench.contract.project import PROJECT
from bench.contract.workspace import BINDING
from core.declaration import pipeline

Code = Literal["by hand", "binding", ""]
"""How an engine conducts a pipeline: by code of its own, by its binding of any graph, or not at all."""


def engines() -> list[str]:
    """Names of the engines found, sorted."""
    return sorted(path.parent.name.removeprefix("impl_") for path in PROJECT.glob("impl_*/adapter.py"))


def adapter(name: str) -> type[Adapter]:
    """The adapter of an engine; UsageError naming the known ones if there is none."""
    if name not in engines():
        raise UsageError(f"unknown engine {name!r}; found in {PROJECT.name}/impl_*: {', '.join(engines())}")
    module = importlib.import_module(f"impl_{name}.adapter")
    found: type[Adapter] = module.ADAPTER
    return found


def folder(name: str) -> Path:
    """Where an engine's code is."""
    return PROJECT / f"impl_{name}"


def in_order() -> list[type[Adapter]]:
    """The adapters of all engines, in the order in which engines are shown."""
    return sorted(map(adapter, engines()), key=lambda one: (one.place, one.name))


def code_for(engine: str, name: str) -> Code:
    """How an engine conducts a pipeline."""
    return code_of(adapter(engine), name)


def code_of(kind: type[Adapter], name: str) -> Code:
    """How the engine of an adapter conducts a pipeline."""
    own = folder(kind.name)
    if (own / "pipelines" / name).is_dir():
        return "by hand"
    kinds = {step.kind for step in pipeline(name).graph({})}
    return "binding" if kinds <= kind.binds and (own / BINDING).is_dir() else ""

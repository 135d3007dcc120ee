"""Finds adapters: a folder impl_<name> with an adapter.py is an engine; there is nothing else to register."""

from __future__ import annotations

import importlib

from bench.contract.adapter import Adapter
from bench.contract.errors import UsageError
from bench.contract.project import PROJECT


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

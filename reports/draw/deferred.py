"""Altair, loaded when the first chart is drawn: a command that draws none would take half as long again to start.

By the recipe for lazy imports in https://docs.python.org/3/library/importlib.html.
"""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import TYPE_CHECKING


def _deferred(name: str) -> ModuleType:
    """A module that is loaded when something of it is first asked for. ModuleNotFoundError if there is none."""
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(name)
    loader = importlib.util.LazyLoader(spec.loader)
    spec.loader = loader
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


if TYPE_CHECKING:
    import altair as alt
else:
    alt = _deferred("altair")

__all__ = ["alt"]

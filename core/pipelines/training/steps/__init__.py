"""The steps, one file each. Call them as `step(config_path, *references)`.

Each is loaded when it is first asked for: an engine that runs every step in a process of its own
should not load XGBoost to send a message.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.pipelines.training.steps.branch import branch
    from core.pipelines.training.steps.cleanup import cleanup
    from core.pipelines.training.steps.deploy import deploy
    from core.pipelines.training.steps.evaluate import evaluate
    from core.pipelines.training.steps.extract import extract
    from core.pipelines.training.steps.features import features
    from core.pipelines.training.steps.notify import notify
    from core.pipelines.training.steps.train import train
    from core.pipelines.training.steps.validate import validate

__all__ = [
    "branch",
    "cleanup",
    "deploy",
    "evaluate",
    "extract",
    "features",
    "notify",
    "train",
    "validate",
]


def __getattr__(name: str) -> Any:
    """Load a step on first use, and put it in the place of the module of the same name."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    function = getattr(import_module(f"{__name__}.{name}"), name)
    globals()[name] = function
    return function

"""The steps, one file each. Call them as `step(config_path, *references)`.

Each is loaded when it is first asked for: an engine that runs every step in a process of its own
should not load XGBoost to send a message.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.steps.branch import branch
    from core.steps.cleanup import cleanup
    from core.steps.day import day
    from core.steps.deploy import deploy
    from core.steps.evaluate import evaluate
    from core.steps.extract import extract
    from core.steps.features import features
    from core.steps.gather import gather
    from core.steps.notify import notify
    from core.steps.plan import plan
    from core.steps.roll_back import roll_back
    from core.steps.train import train
    from core.steps.validate import validate
    from core.steps.work import work

__all__ = [
    "branch",
    "cleanup",
    "day",
    "deploy",
    "evaluate",
    "extract",
    "features",
    "gather",
    "notify",
    "plan",
    "roll_back",
    "train",
    "validate",
    "work",
]


def __getattr__(name: str) -> Any:
    """Load a step on first use, and put it in the place of the module of the same name."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    function = getattr(import_module(f"{__name__}.{name}"), name)
    globals()[name] = function
    return function

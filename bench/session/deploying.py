"""What of an engine's pipelines is deployed in a session, and what its processes are told of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

from bench.contract.workspace import BINDING, Workspace
from core.declaration import SHARED_LIMIT
from core.declaration.deployment import Deployment

DEPLOYMENT = "deployment.json"
"""In a session's folder: what `core.declaration` reads in the engine's processes."""


def lay_out(engine: Path, space: Workspace) -> None:
    """Copy what is deployed from an engine's folder: of the pipelines those by hand, the binding, what all share."""
    space.pipelines.mkdir()
    for shared in (engine / "pipelines").iterdir():
        if shared.is_file():
            shutil.copy2(shared, space.pipelines)
    for name in space.by_hand:
        _copy(engine / "pipelines" / name, space.pipelines / name)
        if space.variants:
            _copy(engine / "variants" / name, space.pipelines / name)
    if space.bound:
        _copy(engine / BINDING, space.pipelines / BINDING)


def _copy(origin: Path, place: Path) -> None:
    if origin.is_dir():
        shutil.copytree(origin, place, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)


def tell(scratch: Path, space: Workspace, step_timeout_s: float) -> None:
    """Write down for the engine's processes what is bound, how long a step may take, and whether runs share a limit."""
    shared = SHARED_LIMIT if space.at_once_over_all else None
    (scratch / DEPLOYMENT).write_bytes(msgspec.json.encode(Deployment(step_timeout_s, space.bound, shared)))

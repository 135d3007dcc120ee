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
    space.pipelines.mkdir(mode=0o700)
    for shared in (engine / "pipelines").iterdir():
        if shared.is_file():
            shutil.copyfile(shared, space.pipelines / shared.name)
    for name in space.by_hand:
        _copy(engine / "pipelines" / name, space.pipelines / name)
        if space.variants:
            _copy(engine / "variants" / name, space.pipelines / name)
    if space.bound:
        _copy(engine / BINDING, space.pipelines / BINDING)


def _copy(origin: Path, place: Path) -> None:
    """Without modes: a checkout may be read-only, and what is deployed is edited, and removed at the end."""
    for path in sorted(origin.rglob("*")):
        into = place / path.relative_to(origin)
        if path.is_file() and "__pycache__" not in path.relative_to(origin).parts:
            into.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, into)


def tell(scratch: Path, space: Workspace, step_timeout_s: float) -> None:
    """Write down for the engine's processes what is bound, how long a step may take, and whether runs share a limit."""
    shared = SHARED_LIMIT if space.at_once_over_all else None
    (scratch / DEPLOYMENT).write_bytes(msgspec.json.encode(Deployment(step_timeout_s, space.bound, shared)))

"""A file registry of models: versioned, atomic, with the previous version kept for roll-back."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from core.instrument.artifacts import TEMPORARY_PREFIX, atomic, remove, write_json
from core.instrument.errors import ArtifactError

CURRENT = "current.json"
MODELS = "models"
"""Where the registry is, below the folder of what outlives a run."""


def promote(registry: Path, model: Path, metrics: Path, run_id: str) -> Path:
    """Make `model` the current version and return the version's folder.

    Safe to repeat: a run is promoted once. Told so again, even after a later promotion or a roll-back,
    nothing changes. The version is complete on disk before `current.json` names it, so a reader
    never sees half of one.
    """
    with _locked(registry):
        for leftover in registry.glob(f"{TEMPORARY_PREFIX}*"):
            remove(leftover)  # of an attempt that was killed: under the lock nobody else writes here
        state = read(registry)
        version = next((v for v in state["versions"] if v["run_id"] == run_id), None)
        if version is None:
            version = {"name": f"v{len(state['versions']) + 1:04d}", "run_id": run_id}
            _copy(model, metrics, registry / version["name"])
            state["versions"].append(version)
            state["previous"], state["current"] = state["current"], version["name"]
            write_json(registry / CURRENT, state)
        return registry / str(version["name"])


def roll_back(registry: Path, run_id: str) -> Path:
    """Make the previous version current again and return the folder of the version that is current then.

    Safe to repeat: a run goes back once. What it went back to is written together with its having
    done so, so that an attempt after one that was killed goes back no further. ArtifactError if no
    previous version is kept.
    """
    with _locked(registry):
        state = read(registry)
        if run_id not in state["roll_backs"]:
            if state["previous"] is None:
                raise ArtifactError(f"{registry}: no previous version to roll back to; deploy a model first")
            state["current"], state["previous"] = state["previous"], None
            state["roll_backs"].append(run_id)
            write_json(registry / CURRENT, state)
        return registry / str(state["current"])


def read(registry: Path) -> dict[str, Any]:
    """Return `{current, previous, versions: [{name, run_id}], roll_backs: [run_id]}`.

    The names are None before a deployment.
    """
    state: dict[str, Any] = {"current": None, "previous": None, "versions": [], "roll_backs": []}
    path = registry / CURRENT
    return state | json.loads(path.read_text()) if path.exists() else state


def state(effects_dir: Path) -> str:
    """Which version is current among those that runs have deployed there."""
    return str(read(effects_dir / MODELS)["current"])


def _copy(model: Path, metrics: Path, version: Path) -> None:
    with atomic(version) as temporary:
        temporary.mkdir()
        for file in [*model.iterdir(), metrics]:
            (temporary / file.name).write_bytes(file.read_bytes())


@contextmanager
def _locked(registry: Path) -> Iterator[None]:
    """Hold the registry's lock, which the kernel releases when its holder dies."""
    registry.mkdir(parents=True, exist_ok=True)
    with (registry / ".lock").open("w") as lock:
        with suppress(OSError):  # not every file system can; a run deploys once, so that seldom two meet
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield

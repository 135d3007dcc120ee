"""Where one session of an engine lives, and what it may use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.contract.settings import Setting
from bench.contract.words import Track
from core.declaration import Shaped, pipeline

STEP_TIMEOUT_S = 30.0
"""How long an attempt of a step may take in a session, so that a hung one is met within a run's limit."""
BINDING = "binding"
"""The folder that conducts any declared graph whose kinds of steps the adapter names."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where one session of an engine lives, and what it may use. Made by the harness."""

    home: Path
    """The engine's own folder, empty before `initialise`; removed after the session."""
    pipelines: Path
    """A copy of those of the adapter's pipelines that are deployed, and of what they share. Bugs are planted here."""
    environment: Path
    """The engine's virtual environment; commands are in `environment / "bin"`."""
    project: Path
    """The checkout; on PYTHONPATH of every process, so that `core` can be imported."""
    track: Track
    parallelism: int
    """Steps that may run at once within a run."""
    ports: Mapping[str, int]
    """Free loopback ports by the names in the adapter's `port_names`."""
    secrets: Mapping[str, str]
    """Random secrets (64 hexadecimal digits) by the names in the adapter's `secret_names`."""
    by_hand: tuple[str, ...] = ()
    """Pipelines that the engine has code for of their own: each in `pipelines / name`."""
    bound: tuple[Shaped, ...] = ()
    """Pipelines that are offered through the engine's binding, in `pipelines / "binding"`: it finds them declared in
    the file that ORCHBENCH_DEPLOYMENT names, as every process of the engine does."""
    variants: bool = False
    """Whether the engine's other isolations are deployed too, in the folders of their pipelines."""
    storage: tuple[Setting, ...] = ()
    """What chooses another place for what steps hand on, where that is measured: of the adapter's `storages`."""
    at_once_over_all: int | None = None
    """Steps that may run at once over all runs, by the engine's own limit that runs share. None: nothing is set, for
    this costs a single run something; what the engine then has of its own must be too high to bind such a run."""
    postgres: Path | None = None
    """Socket folder of this session's PostgreSQL (user postgres, no password), or None: SQLite.
    A database named like the engine exists in it and is empty."""

    def executable(self, name: str) -> str:
        """Path of a command of the engine's environment."""
        return str(self.environment / "bin" / name)

    @property
    def offered(self) -> tuple[str, ...]:
        """Names under which the deployed pipelines are offered."""
        return (*self.by_hand, *(pipeline(one.pipeline).offered(one.settings) for one in self.bound))

    def script(self, name: str) -> tuple[str, ...]:
        """The file, with its arguments, that people run for the pipeline that is offered under a name."""
        if name in self.by_hand:
            return (str(self.pipelines / name / f"{name}.py"),)
        return (str(self.pipelines / BINDING / f"{BINDING}.py"), name)

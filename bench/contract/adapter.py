"""What the harness does with an engine's processes, and what it has to know beforehand: one class an engine.

Adapters describe, the harness acts: an adapter says which processes and commands there are and where the engine can be
asked; it never starts, signals or waits for anything itself. What is asked of it: see `bench.contract.endpoint`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

import httpx

from bench.contract.earlier import Earlier
from bench.contract.endpoint import Endpoint
from bench.contract.engine import PYTHON, Database, EngineClass, Language, Mode, Submission
from bench.contract.errors import EngineError
from bench.contract.installing import Install
from bench.contract.processes import Command, Role
from bench.contract.settings import Polling, Setting, Storage, Variant
from bench.contract.targets import Targets
from bench.contract.words import Expectation, Track
from bench.contract.workspace import Workspace
from core.declaration import Kind


class Adapter(ABC):
    """One engine, bound to one workspace. What is the same wherever it runs stands in the class."""

    name: ClassVar[str]
    """Folder and environment name: impl_<name>."""
    title: ClassVar[str]
    """As people write it: Apache Airflow."""
    engine_class: ClassVar[EngineClass]
    install: ClassVar[Install]
    default: ClassVar[bool] = False
    """Whether it is measured where nobody asks for certain engines."""
    run_s: ClassVar[float]
    """Roughly how long a plain run takes, in seconds: only to choose what is cheap to repeat."""
    earlier: ClassVar[Earlier] = Earlier()
    """What earlier results showed of it, from which the number of its samples is planned."""

    place: ClassVar[int]
    """In which order engines are shown: the lower first. Then by name."""
    colour: ClassVar[str]
    """A colour of the report's palette: `engine-1` to `engine-6`, each with a light and a dark value."""
    shape: ClassVar[str]
    """Of its points in charts, a name of Vega's: circle, square, triangle-up, cross, ..."""

    language: ClassVar[Language] = PYTHON
    """What its pipelines are written in."""
    binds: ClassVar[frozenset[Kind]] = frozenset()
    """Of which kinds a graph's steps may be that its folder `binding` conducts."""
    published: ClassVar[Mapping[str, float]] = MappingProxyType({})
    """Seconds that a vendor has published of it, by the label of the workload, for `published_version`."""
    published_version: ClassVar[str] = ""

    modes: ClassVar[frozenset[Mode]] = frozenset(Mode)
    tracks: ClassVar[tuple[Track, ...]] = (Track.STOCK, Track.TUNED)
    databases: ClassVar[Mapping[Track, Database]]
    """Where it keeps its own data, by track. The session starts PostgreSQL where this says so."""
    submission: ClassVar[Submission] = Submission.API
    port_names: ClassVar[tuple[str, ...]]
    secret_names: ClassVar[tuple[str, ...]] = ()
    """Drawn for each session: its API answers only who knows them. None if the engine offers nothing of the kind."""
    variants: ClassVar[tuple[Variant, ...]] = ()
    """Other isolations of steps that can be asked for at submission."""
    local_variants: ClassVar[tuple[Variant, ...]] = ()
    """Those of them that there are without a server too."""
    storages: ClassVar[tuple[Storage, ...]] = ()
    """Other places for what steps hand on; on tuned settings. Its settings then have those of `workspace.storage`."""
    targets: ClassVar[Targets] = MappingProxyType({})
    """What faults from outside strike: step, run, worker, scheduler and api; the harness knows the others."""
    expectations: ClassVar[Mapping[str, Expectation]] = MappingProxyType({})
    """By the scenario's name: what the documentation lets expect, on tuned settings."""

    def __init__(self, workspace: Workspace, http: httpx.Client) -> None:
        self.workspace = workspace
        self.http = http

    @property
    @abstractmethod
    def endpoint(self) -> Endpoint:
        """Where the engine of this workspace can be asked. Always the same object."""

    @abstractmethod
    def settings(self) -> list[Setting]:
        """The settings of this track, each with source and reason. The environment is built from them."""

    @abstractmethod
    def polling(self) -> list[Polling]:
        """Every interval at which the engine looks for something that a run waits for, defaults included."""

    def initialise(self) -> list[Command]:
        """Commands that make database, user and configuration in the empty home, in order."""
        return []

    @abstractmethod
    def roles(self) -> list[Role]:
        """The long-running processes, in the order of starting; empty where there are none."""

    def deploy(self) -> list[Command]:
        """Commands that make the pipelines known to the running engine; may be empty."""
        return []

    def submit_command(self, pipeline: str, config: Path, run: str, variant: str = "") -> Command:  # noqa: ARG002
        """A process that submits a run, for `Submission.CLIENT`: the endpoint then knows it by the given id `run`."""
        raise EngineError(f"{self.title}: runs are submitted over its API, not by a client process")

    def local_initialise(self) -> list[Command]:
        """Commands that prepare the local mode, once a session; what it needs lives in `home / "local"`."""
        return []

    @abstractmethod
    def local(self, pipeline: str, config: Path, variant: str = "") -> Command:
        """The engine's way to run the pipeline without a server, in a fresh process.

        `variant` is a name of the adapter's `local_variants`, or empty for the usual way.

        Always on SQLite or no database, in `home / "local"`, so that no running server interferes.
        """

    @abstractmethod
    def local_note(self) -> str:
        """One sentence: what the local mode starts and needs, and its parallelism; or why there is none."""

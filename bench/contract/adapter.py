"""What the harness asks of an engine: the lowest layer of the harness.

Adapters describe, the harness acts: an adapter says which processes and commands there are and
speaks the engine's API; it never starts, signals or waits for anything itself.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import httpx


class Track(StrEnum):
    """Under which settings an engine runs; see `Setting`."""

    STOCK = "stock"
    TUNED = "tuned"


class Status(StrEnum):
    """The state of a run or step, in one vocabulary for all engines."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"
    RETRYING = "retrying"

    @property
    def ended(self) -> bool:
        return self in (Status.COMPLETED, Status.FAILED, Status.SKIPPED)


class Ability(StrEnum):
    """What an engine may or may not offer; each is a callable of the adapter, or a reason.

    Marked (run): `callable(run_id) -> run_id`, the run to watch afterwards.
    Marked (feature): the pipelines use it; the value is a sentence naming the engine's feature.
    """

    RESUME = "resume"  # (run) start again from the failed step, keeping finished steps
    CANCEL = "cancel"  # (run) stop a run
    DEPLOYMENT_ERROR = "deployment_error"  # callable() -> str, "" while the pipeline files load
    STEP_TIMEOUT = "step_timeout"  # (feature) a step's time limit stops the step
    RETRY_LOST_STEP = "retry_lost_step"  # (feature) a step whose process died is retried by itself
    CLEANUP_AFTER_FAILURE = "cleanup_after_failure"  # (feature) cleanup also runs after a failed step
    BACKFILL = "backfill"  # a `Backfills`: one run for each day of a range


@dataclass(frozen=True, slots=True)
class Unsupported:
    """An ability that an engine lacks, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Feature:
    """An ability that lives in the pipelines' code or settings: what the engine calls it."""

    description: str


@dataclass(frozen=True, slots=True)
class Backfills:
    """How the pipeline `daily` is run for each day of a range, by the engine's own means."""

    start: Callable[[Path, Sequence[str]], str]
    """`(configuration file, consecutive days as ISO dates) -> id`."""
    status: Callable[[str], Status]
    """By the id: completed once every day has, failed once all have ended and one has not completed."""
    again: Callable[[str], str]
    """`id -> id to watch`: run the days once more that did not complete."""


AbilityTable = Mapping[Ability, Callable[..., Any] | Feature | Backfills | Unsupported]


class Target(StrEnum):
    """What a fault from outside strikes, by its part in the work."""

    STEP = "step"
    """The process that runs a step's code."""
    RUN = "run"
    """The process that conducts one run and nothing else."""
    WORKER = "worker"
    """The process that starts the processes of runs or steps."""
    SCHEDULER = "scheduler"
    """The process that decides what runs next: scheduler or daemon."""
    API = "api"
    """The process that answers the users' requests."""
    CONTROL_PLANE = "control_plane"
    """All long-running processes of the engine at once."""
    DATABASE = "database"
    """The metadata database."""


@dataclass(frozen=True, slots=True)
class OfRole:
    """The target is a process that `roles()` names; the same one is started again to heal it."""

    kind: str
    text: str
    """One sentence: what this process does in the engine."""


@dataclass(frozen=True, slots=True)
class OfStep:
    """The target belongs to a running step: its own process, or the nearest one above it, by its command line."""

    text: str
    """One sentence: what this process does in the engine."""
    above: str = ""
    """A part of the command line of the process above the step's that is meant; empty means the step's own."""


Targets = Mapping[Target, OfRole | OfStep | Unsupported]


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the engine's documentation lets its user expect of a scenario."""

    outcomes: tuple[str, ...]
    """Outcomes (see `bench.judge.checkers.Outcome`) that agree with it; empty: the documentation says nothing."""
    text: str
    """One sentence: what is documented, or that nothing was found."""
    source: str
    """Address of the documentation; empty where nothing was found."""


class ApiError(Exception):
    """The engine's API answered, but with an error; the message is the engine's."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of the engine on a track. `name` is its public name (variable, key or flag)."""

    name: str
    value: str
    source: str
    """Address of the engine's documentation of it; for necessities (ports, folders), 'required'."""
    reason: str


@dataclass(frozen=True, slots=True)
class Variant:
    """Another way to keep the steps apart that the engine offers beside its usual one: an arm of its own."""

    name: str
    """Suffix of the arm's name: `processes`."""
    isolation: str
    """What it is: `in-process`, `threads`, `process pool` or `process per step`."""
    source: str
    """Address of the engine's documentation of it."""
    text: str
    """One sentence: what is different."""


@dataclass(frozen=True, slots=True)
class Polling:
    """How long something of the engine waits between two looks, on the workspace's track."""

    name: str
    """Public name of the setting."""
    seconds: float
    source: str


@dataclass(frozen=True, slots=True)
class Command:
    """A process to run. `env` is added to the workspace's clean environment."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    timeout_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Role:
    """A long-running process of the control plane.

    `ready` is asked again and again until it returns True; it may raise httpx errors meanwhile.
    The harness starts the roles in order and waits for each that has a check before the next.
    """

    kind: str
    command: Command
    ready: Callable[[], bool] | None = None


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where one session of an engine lives, and what it may use. Made by the harness."""

    home: Path
    """The engine's own folder, empty before `initialise`; removed after the session."""
    pipelines: Path
    """A copy of the adapter's `pipelines` folder: what is deployed. Bugs are planted here."""
    environment: Path
    """The engine's virtual environment; commands are in `environment / "bin"`."""
    project: Path
    """The checkout; on PYTHONPATH of every process, so that `core` can be imported."""
    track: Track
    parallelism: int
    """Steps that may run at once."""
    ports: Mapping[str, int]
    """Free loopback ports by the names in the adapter's `port_names`."""
    secrets: Mapping[str, str]
    """Random secrets (64 hexadecimal digits) by the names in the adapter's `secret_names`."""
    chains: tuple[int, ...] = ()
    """Lengths of the synthetic chains to deploy beside the training pipeline; with them goes the fan-out. The files of
    the adapter's `synthetic` folder are then in `pipelines` too, and ORCHBENCH_CHAINS is set. Empty: training only."""
    operations: bool = False
    """Whether the pipelines `roll_back` and `daily` are deployed too. The files of the adapter's `operations` folder
    are then in `pipelines`."""
    postgres: Path | None = None
    """Socket folder of this session's PostgreSQL (user postgres, no password), or None: SQLite.
    A database named like the engine (airflow, prefect, dagster) exists in it and is empty."""

    def executable(self, name: str) -> str:
        """Path of a command of the engine's environment."""
        return str(self.environment / "bin" / name)


@dataclass(frozen=True, slots=True)
class StepState:
    """The engine's own view of one step. Times are UTC, ISO 8601, or None if it has none."""

    status: Status
    attempts: int = 0
    started_utc: str | None = None
    ended_utc: str | None = None


@dataclass(frozen=True, slots=True)
class RunState:
    """The engine's own view of a run. `steps` by the logical step names of `core.graphs`."""

    status: Status
    steps: Mapping[str, StepState] = field(default_factory=dict)
    raw: Any = None
    """What the engine answered, kept as evidence (JSON)."""
    submit_retries: int = 0


class Adapter(ABC):
    """One engine, bound to one workspace. All HTTP goes through the harness's client `http`."""

    name: ClassVar[str]
    """Folder and environment name: impl_<name>."""
    title: ClassVar[str]
    """As people write it: Apache Airflow."""
    distribution: ClassVar[str]
    """The package whose version is the engine's."""
    import_name: ClassVar[str]
    """What `import` loads for the import-time measurement."""
    port_names: ClassVar[tuple[str, ...]]
    secret_names: ClassVar[tuple[str, ...]] = ()
    tracks: ClassVar[tuple[Track, ...]] = (Track.STOCK, Track.TUNED)
    variants: ClassVar[tuple[Variant, ...]] = ()
    """Other isolations of the training pipeline that can be asked for at submission."""
    targets: ClassVar[Targets] = MappingProxyType({})
    """What faults from outside strike: step, run, worker, scheduler and api; the harness knows the others."""
    expectations: ClassVar[Mapping[str, Expectation]] = MappingProxyType({})
    """By the scenario's name: what the documentation lets expect, on tuned settings."""

    def __init__(self, workspace: Workspace, http: httpx.Client) -> None:
        self.workspace = workspace
        self.http = http

    @abstractmethod
    def settings(self) -> list[Setting]:
        """The settings of this track, each with source and reason. The environment is built from them."""

    @abstractmethod
    def initialise(self) -> list[Command]:
        """Commands that make database, user and configuration in the empty home, in order."""

    @abstractmethod
    def roles(self) -> list[Role]:
        """The processes of the control plane, in the order of starting."""

    @abstractmethod
    def deploy(self) -> list[Command]:
        """Commands that make the pipelines known to the running engine; may be empty."""

    @abstractmethod
    def deployed(self, pipeline: str) -> bool:
        """Whether the engine's API offers the pipeline for submission. May raise httpx errors."""

    @abstractmethod
    def submit(self, pipeline: str, config: Path, variant: str = "") -> str:
        """Start a run with the configuration file as its native parameter; return the engine's run id.

        `pipeline` is `training`, `fan_out`, `chain_<n>` or `roll_back`; `variant` a name of `variants`, or empty for
        the usual way.
        """

    @abstractmethod
    def state(self, run: str) -> RunState:
        """The engine's own view of a run."""

    @abstractmethod
    def status(self, run: str) -> Status:
        """The engine's own view of a run alone, without its steps: one cheap request, whatever the number of steps."""

    @abstractmethod
    def polling(self) -> list[Polling]:
        """Every interval at which the engine looks for something that a run waits for, defaults included."""

    @abstractmethod
    def logs(self, run: str, step: str | None) -> str:
        """The log of a step's attempts, or with None of the run, as the engine's API gives it to a user."""

    def local_initialise(self) -> list[Command]:
        """Commands that prepare the local mode, once a session; what it needs lives in `home / "local"`."""
        return []

    @abstractmethod
    def local(self, pipeline: str, config: Path) -> Command:
        """The engine's way to run the pipeline without a server, in a fresh process.

        Always on SQLite or no database, in `home / "local"`, so that no running server interferes.
        """

    @abstractmethod
    def local_note(self) -> str:
        """One sentence: what the local mode starts and needs, and its parallelism."""

    @abstractmethod
    def abilities(self) -> AbilityTable:
        """Every Ability, with its callable, its feature, or the reason why it is absent."""

"""What one run is given: read from a JSON file, checked before anything starts."""

from __future__ import annotations

import dataclasses
import functools
import json
import types
import typing
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from core.graphs import may_name_a_step
from core.instrument.artifacts import write_json
from core.instrument.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Validation:
    """Rules that the source data must keep. Fractions are between 0 and 1."""

    columns: tuple[str, ...] = ()
    """Expected columns; empty means any, as long as the target is among them."""
    min_rows: int = 100
    max_null_fraction: float = 0.5
    max_duplicate_fraction: float = 0.2
    max_classes: int = 50


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """Passed to `xgboost.XGBClassifier` under the same names."""

    n_estimators: int = 300
    max_depth: int = 4
    learning_rate: float = 0.1
    subsample: float = 1.0
    min_child_weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Synthetic:
    """What the like steps of a chain or a fan-out do, beside passing on what they were given."""

    n: int = 1
    """How many steps a fan-out makes; a chain's length is part of its name."""
    fib: int = 0
    """Each step computes this Fibonacci number naively; 0 is no work."""
    payload_bytes: int = 0
    """Size of what a step hands to the next."""
    by_reference: bool = False
    """Whether the payload is handed over as a file's path instead of through the engine."""


class FaultKind(StrEnum):
    """What a step can suffer. Up to `DISK_FULL` before its work, the others after it."""

    TRANSIENT = "transient"
    """An error that goes away."""
    UNRETRYABLE = "unretryable"
    """An error of the type that engines are told not to retry."""
    DEFECT = "defect"
    """A programming error, of a type that engines know nothing of."""
    LATE = "late"
    """The step's data are not there until `until` exists, whatever the attempt."""
    KILL = "kill"
    """SIGKILL of the step's own process."""
    EXIT = "exit"
    """The process leaves without a word, with status 0."""
    SLOW = "slow"
    """`seconds` more of work, or less if `until` exists sooner."""
    HANG = "hang"
    """No progress in Python code, which signals can interrupt."""
    HANG_IN_C = "hang_in_c"
    """No progress in C code that holds the interpreter lock: no other thread runs either."""
    HANG_IN_SUBPROCESS = "hang_in_subprocess"
    """Waits for a process of its own that does not end."""
    MEMORY = "memory"
    """More memory than the process may have: a real MemoryError."""
    DISK_FULL = "disk_full"
    """No space left on the file system of `path`: the kernel's own error."""
    CORRUPT = "corrupt"
    """Each file of the artifact is changed in one byte."""
    EMPTY = "empty"
    """Each file of the artifact is empty."""
    TORN = "torn"
    """Each file of the artifact is cut to half, then SIGKILL."""
    SLOW_AFTER = "slow_after"
    """`seconds` more once all is done and before anybody is told."""
    KILL_AFTER = "kill_after"
    """SIGKILL once all is done and before anybody is told."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that a run is told to suffer inside a step.

    Raises ConfigError if there is no such kind, or if no pipeline could have a step of that name:
    the fault would never strike.
    """

    step: str
    kind: str
    """A `FaultKind`."""
    attempts: int = 1
    """The first so many attempts suffer it; 0 means every attempt."""
    until: str = ""
    """A path; once it exists the cause counts as fixed and no attempt suffers any more."""
    seconds: float = 0.0
    """For the kinds that last: how long, at most `hangs.HANG_LIMIT_S`; 0 for a hang means that limit."""
    path: str = ""
    """For `disk_full`: a folder on a bounded file system."""

    @property
    def fixed(self) -> bool:
        """Whether its cause is fixed."""
        return bool(self.until) and Path(self.until).exists()

    def __post_init__(self) -> None:
        if self.kind not in tuple(FaultKind):
            raise ConfigError(f"unknown fault {self.kind!r}; known: {', '.join(FaultKind)}")
        if not may_name_a_step(self.step):
            raise ConfigError(f"fault {self.kind}: no pipeline has a step {self.step!r}; it would never strike")


@dataclass(frozen=True, slots=True)
class RunConfig:
    """Everything that one run needs. Paths are absolute; `run_dir` belongs to this run alone."""

    run_id: str
    run_dir: Path
    data: Path
    target: str
    registry: Path
    test_data: Path | None = None
    test_fraction: float = 0.25
    seed: int = 7
    threshold: float = 0.6
    """Accuracy from which on a model is deployed; below it, `notify` runs."""
    chunk_rows: int = 100_000
    na_values: tuple[str, ...] = ("?",)
    identifier_fraction: float = 0.95
    """A text column whose share of distinct values reaches this is an identifier, not a feature."""
    threads: int = 1
    webhook: str = ""
    validation: Validation = field(default_factory=Validation)
    hyperparameters: Hyperparameters = field(default_factory=Hyperparameters)
    synthetic: Synthetic = field(default_factory=Synthetic)
    faults: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        checks = {
            "threads must be at least 1": self.threads >= 1,
            "chunk_rows must be at least 1": self.chunk_rows >= 1,
            "test_fraction must lie between 0 and 1": 0 < self.test_fraction < 1,
            "identifier_fraction must lie between 0 and 1": 0 < self.identifier_fraction <= 1,
            "run_id must not be empty": bool(self.run_id),
            "target must not be empty": bool(self.target),
        }
        for message, holds in checks.items():
            if not holds:
                raise ConfigError(f"run {self.run_id or '?'}: {message}")

    @property
    def path(self) -> Path:
        """Where this configuration is stored: the one parameter that engines are given."""
        return self.run_dir / "config.json"

    def save(self) -> Path:
        """Write the configuration into its run folder, creating it, and return its path."""
        self.run_dir.mkdir(parents=True, exist_ok=True)
        write_json(self.path, dataclasses.asdict(self))
        return self.path


def load_config(path: str | Path) -> RunConfig:
    """Read a run's configuration.

    Raises ConfigError if the file is missing, is not JSON, or has unknown, missing or ill-typed
    fields; the message names the file and the field.
    """
    try:
        raw = json.loads(Path(path).read_text())
    except OSError as error:
        raise ConfigError(f"{path}: cannot read the run's configuration: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"{path}: not JSON: {error}") from error
    return typing.cast("RunConfig", _build(RunConfig, raw, str(path)))


@functools.cache
def _hints(cls: Any) -> dict[str, Any]:
    """A class's field types; resolving them anew would cost each attempt more than all else here."""
    return typing.get_type_hints(cls)


def _build(cls: Any, raw: Any, where: str) -> Any:
    if not isinstance(raw, dict):
        raise ConfigError(f"{where}: expected an object with the fields of {cls.__name__}")
    hints = _hints(cls)
    unknown = sorted(raw.keys() - hints.keys())
    if unknown:
        raise ConfigError(f"{where}: unknown field {unknown[0]!r}; known: {', '.join(hints)}")
    values = {name: _convert(hints[name], value, f"{where}: {name}") for name, value in raw.items()}
    try:
        return cls(**values)
    except (TypeError, ConfigError) as error:
        raise ConfigError(f"{where}: {error}") from error


def _convert(hint: Any, value: Any, where: str) -> Any:
    if type(value) is hint:
        return value
    origin = typing.get_origin(hint)
    if origin is types.UnionType:
        inner = next(h for h in typing.get_args(hint) if h is not type(None))
        return None if value is None else _convert(inner, value, where)
    if origin is tuple and isinstance(value, list):
        item = typing.get_args(hint)[0]
        return tuple(_convert(item, v, f"{where}[{i}]") for i, v in enumerate(value))
    if dataclasses.is_dataclass(hint):
        return _build(hint, value, where)
    if hint is Path and isinstance(value, str):
        return Path(value)
    if hint is float and type(value) in (int, float):
        return float(value)
    raise ConfigError(f"{where}: expected {getattr(hint, '__name__', hint)}, got {value!r}")

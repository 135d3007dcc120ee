"""What one run is given: read from a JSON file, checked before anything starts."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from core.instrument.artifacts import write_json
from core.instrument.errors import ConfigError

S = TypeVar("S")
USUAL_BYTES = 16_384
"""More than a configuration has, unless its pipeline's settings are very long."""


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


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that a run is told to suffer inside a step. Raises ConfigError if there is no such kind."""

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


class RunConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that one run needs. Paths are absolute; `run_dir` belongs to this run alone."""

    pipeline: str
    run_id: str
    run_dir: Path
    effects_dir: Path
    """Where the run changes what outlives it."""
    settings: dict[str, Any] = {}
    """The pipeline's own, as JSON; see `checked`."""
    faults: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        if not self.run_id:
            raise ConfigError("run ?: run_id must not be empty")

    @property
    def path(self) -> Path:
        """Where this configuration is stored: the one parameter that engines are given."""
        return self.run_dir / "config.json"

    def save(self) -> Path:
        """Write the configuration into its run folder, creating it, and return its path."""
        self.run_dir.mkdir(parents=True, exist_ok=True)
        write_json(self.path, msgspec.to_builtins(self, enc_hook=str))
        return self.path


def load_config(path: str | Path) -> RunConfig:
    """Read a run's configuration.

    Raises ConfigError if the file is missing, is not JSON, or has unknown, missing or ill-typed
    fields; the message names the file and the field.
    """
    try:
        content = _read(path)
    except OSError as error:
        raise ConfigError(f"{path}: cannot read the run's configuration: {error.strerror}") from error
    try:
        return DECODER.decode(content)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {error}") from error
    except ValueError as error:
        raise ConfigError(f"{path}: not JSON: {error}") from error


def _read(path: str | Path) -> bytes:
    """All of a file, in a third of the time that a file object takes: every attempt waits for it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        content = os.read(descriptor, USUAL_BYTES)
        if len(content) == USUAL_BYTES:  # asking for the size first would cost every attempt as much as reading
            content += os.read(descriptor, os.fstat(descriptor).st_size)
        return content
    finally:
        os.close(descriptor)


def checked(kind: type[S], raw: Mapping[str, Any]) -> S:
    """Read `raw` as what it should be; ConfigError naming the field if it is not that."""
    try:
        return msgspec.convert(raw, kind, dec_hook=_from_json)
    except msgspec.ValidationError as error:
        raise ConfigError(str(error)) from error


def _from_json(kind: type[Any], value: Any) -> Any:
    """What JSON has no words for: paths."""
    if kind is Path and isinstance(value, str):
        return _path(value)
    raise ValueError(f"expected {kind.__name__}, got {value!r}")


@functools.lru_cache
def _path(text: str) -> Path:
    """The same for the same text: the attempts in one process share most of their paths, and parsing one takes as long
    as opening a file."""
    return Path(text)


DECODER = msgspec.json.Decoder(RunConfig, dec_hook=_from_json)
"""Made once: every attempt reads a configuration."""

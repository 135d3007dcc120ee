"""Acts out what a run is told to suffer inside a step; `core.instrument.config.FaultKind` says what each kind is."""

from __future__ import annotations

import functools
import os
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from core.instrument.config import Fault, FaultKind, RunConfig
from core.instrument.errors import ArtifactError, ConfigError, PermanentError, TransientError
from core.instrument.exhaustion import disk_full, memory
from core.instrument.hangs import HANG_LIMIT_S, hang, hang_in_c, hang_in_subprocess, slow
from core.instrument.journal import JournalWriter

Strike = Callable[[Fault, Any, Callable[..., None]], None]
"""Given the fault, what the work returned (None before it), and a way to record that it strikes now."""


def before(config: RunConfig, step: str, journal: JournalWriter) -> None:
    """Act out the faults that strike before the work of this attempt."""
    _suffer(config, step, journal, BEFORE, None)


def after(config: RunConfig, step: str, journal: JournalWriter, result: Any) -> None:
    """Act out the faults that strike after the work and before anybody knows of its end."""
    _suffer(config, step, journal, AFTER, result)


def _suffer(config: RunConfig, step: str, journal: JournalWriter, kinds: Mapping[str, Strike], result: Any) -> None:
    for fault in config.faults:
        if fault.step == step and fault.kind in kinds and _strikes(fault, journal.attempt):
            record = functools.partial(journal.write, "fault", kind=fault.kind)
            kinds[fault.kind](fault, result, record)


def _strikes(fault: Fault, attempt: int) -> bool:
    every = fault.attempts == 0 or fault.kind == FaultKind.LATE
    return not fault.fixed and (every or attempt <= fault.attempts)


def _recorded(strike: Callable[[Fault, Any], None]) -> Strike:
    """Record first: most strikes do not return."""

    def recorded(fault: Fault, result: Any, record: Callable[..., None]) -> None:
        record()
        strike(fault, result)

    return recorded


def _transient(fault: Fault, _: Any) -> None:
    raise TransientError(f"step {fault.step}: injected error, gone after {fault.attempts} attempts")


def _unretryable(fault: Fault, _: Any) -> None:
    raise PermanentError(f"step {fault.step}: injected error; no retry mends it")


def _defect(fault: Fault, _: Any) -> None:
    learning_rates: dict[str, float] = {}
    learning_rates[fault.step]


def _late(fault: Fault, _: Any) -> None:
    if not fault.until:
        raise ConfigError(f"fault late: step {fault.step}: `until` is empty; name the path that appears with the data")
    raise ArtifactError(f"step {fault.step}: no data yet; run it again once {fault.until} is there")


def _kill(_: Fault, __: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(HANG_LIMIT_S)  # the signal is the whole process's: this thread must not go on until it takes effect


def _exit(_: Fault, __: Any) -> None:
    os._exit(0)


def _corrupt(fault: Fault, result: Any) -> None:
    for file in _files(fault, result):
        content = bytearray(file.read_bytes() or b"\0")
        content[len(content) // 2] ^= 0xFF
        file.write_bytes(content)


def _empty(fault: Fault, result: Any) -> None:
    for file in _files(fault, result):
        file.write_bytes(b"")


def _torn(fault: Fault, result: Any) -> None:
    for file in _files(fault, result):
        os.truncate(file, file.stat().st_size // 2)
    _kill(fault, result)


def _files(fault: Fault, result: Any) -> list[Path]:
    path = Path(result["path"]) if isinstance(result, dict) and result.get("path") else None
    if path is None:
        raise ConfigError(f"fault {fault.kind}: step {fault.step} writes no artifact that could be spoilt")
    return [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]


BEFORE: Mapping[str, Strike] = {
    FaultKind.TRANSIENT: _recorded(_transient),
    FaultKind.UNRETRYABLE: _recorded(_unretryable),
    FaultKind.DEFECT: _recorded(_defect),
    FaultKind.LATE: _recorded(_late),
    FaultKind.KILL: _recorded(_kill),
    FaultKind.EXIT: _recorded(_exit),
    FaultKind.SLOW: _recorded(slow),
    FaultKind.HANG: _recorded(hang),
    FaultKind.HANG_IN_C: _recorded(hang_in_c),
    FaultKind.HANG_IN_SUBPROCESS: hang_in_subprocess,  # which process it is must be part of the record
    FaultKind.MEMORY: _recorded(memory),
    FaultKind.DISK_FULL: _recorded(disk_full),
}
AFTER: Mapping[str, Strike] = {
    FaultKind.CORRUPT: _recorded(_corrupt),
    FaultKind.EMPTY: _recorded(_empty),
    FaultKind.TORN: _recorded(_torn),
    FaultKind.SLOW_AFTER: _recorded(slow),
    FaultKind.KILL_AFTER: _recorded(_kill),
}

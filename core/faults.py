"""What a run is told to suffer inside a step.

Kinds that act before the work: `transient` (an error that goes away), `defect` (a programming
error), `kill` (SIGKILL of the step's own process), `exit` (leave without a word), `hang`, `slow`.
Kinds that spoil the artifact after it: `corrupt`, `empty`.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.config import Fault, RunConfig
from core.errors import ConfigError, TransientError
from core.journal import Journal

HANG_LIMIT_S = 3600.0


def before(config: RunConfig, step: str, journal: Journal) -> None:
    """Act out the faults that strike before the work of this attempt."""
    _suffer(config, step, journal, BEFORE, None)


def after(config: RunConfig, step: str, journal: Journal, result: Any) -> None:
    """Act out the faults that spoil what this attempt wrote."""
    _suffer(config, step, journal, AFTER, result)


def _suffer(config: RunConfig, step: str, journal: Journal, kinds: dict[str, Callable[..., None]], result: Any) -> None:
    for fault in config.faults:
        if fault.kind not in BEFORE | AFTER:
            raise ConfigError(f"{config.path}: unknown fault {fault.kind!r}; known: {', '.join(BEFORE | AFTER)}")
        if fault.step == step and fault.kind in kinds and _strikes(fault, journal.attempt):
            journal.write("fault", kind=fault.kind)
            kinds[fault.kind](fault, result)


def _strikes(fault: Fault, attempt: int) -> bool:
    healed = bool(fault.until) and Path(fault.until).exists()
    return not healed and (fault.attempts == 0 or attempt <= fault.attempts)


def _transient(fault: Fault, _: Any) -> None:
    raise TransientError(f"step {fault.step}: injected error, gone after {fault.attempts} attempts")


def _defect(fault: Fault, _: Any) -> None:
    learning_rates: dict[str, float] = {}
    learning_rates[fault.step]


def _kill(_: Fault, __: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _exit(_: Fault, __: Any) -> None:
    os._exit(0)


def _slow(fault: Fault, _: Any) -> None:
    time.sleep(fault.seconds)


def _hang(fault: Fault, _: Any) -> None:
    """Hang until killed; the bound keeps a forgotten process from staying for ever."""
    time.sleep(fault.seconds or HANG_LIMIT_S)


def _corrupt(fault: Fault, result: Any) -> None:
    for file in _files(fault, result):
        content = bytearray(file.read_bytes() or b"\0")
        content[len(content) // 2] ^= 0xFF
        file.write_bytes(content)


def _empty(fault: Fault, result: Any) -> None:
    for file in _files(fault, result):
        file.write_bytes(b"")


def _files(fault: Fault, result: Any) -> list[Path]:
    if not isinstance(result, dict):
        raise ConfigError(f"fault {fault.kind}: step {fault.step} writes no artifact that could be spoilt")
    path = Path(result["path"])
    return [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]


BEFORE: dict[str, Callable[..., None]] = {
    "transient": _transient,
    "defect": _defect,
    "kill": _kill,
    "exit": _exit,
    "hang": _hang,
    "slow": _slow,
}
AFTER: dict[str, Callable[..., None]] = {"corrupt": _corrupt, "empty": _empty}

"""`@step`: the only instrument. Every engine's attempts pass through it and through nothing else."""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from core.instrument import faults
from core.instrument.config import RunConfig, checked, load_config
from core.instrument.journal import JournalWriter

P = ParamSpec("P")
R = TypeVar("R")
K = TypeVar("K")
S = TypeVar("S")
log = logging.getLogger("core")


class Attempt:
    """What a step is given beside its inputs: the configuration, and a way to record effects."""

    def __init__(self, config: RunConfig, journal: JournalWriter) -> None:
        self.config = config
        self._journal = journal

    def settings(self, kind: type[S]) -> S:
        """The pipeline's own settings, read as what its declaration says; ConfigError if they are not that."""
        return checked(kind, self.config.settings)

    def effect(self, key: str) -> None:
        """Record that something outside the run is changed now.

        Called wherever the step reaches the effect, also where its idempotence then makes the
        second time harmless: two records of one key mean that the engine ran the effect twice.
        """
        self._journal.write("effect", key=key)


def step(function: Callable[Concatenate[Attempt, P], R]) -> Callable[Concatenate[str, P], R]:
    """Turn `function(attempt, *inputs)` into a step called as `name(config_path, *inputs)`.

    The step is named after the function. Each attempt is journalled from its start to its end or
    error, logs its context first, and suffers the faults that the run's configuration names.
    """
    name = function.__name__

    @functools.wraps(function)
    def attempted(config_path: str, /, *inputs: P.args, **named: P.kwargs) -> R:
        return _attempted(name, config_path, lambda attempt: function(attempt, *inputs, **named))

    return attempted


def step_of_many(
    spelling: str,
) -> Callable[[Callable[Concatenate[Attempt, K, P], R]], Callable[Concatenate[str, K, P], R]]:
    """Turn `function(attempt, which, *inputs)` into many like steps, called as `name(config_path, which, *inputs)`.

    As `step`, but each is named after the function and what it is given first, formatted as
    `spelling`: with "{:04d}", `work_0001`; with "{}", `day_2026-01-03`.
    """

    def decorated(function: Callable[Concatenate[Attempt, K, P], R]) -> Callable[Concatenate[str, K, P], R]:
        @functools.wraps(function)
        def attempted(config_path: str, which: K, /, *inputs: P.args, **named: P.kwargs) -> R:
            name = f"{function.__name__}_{spelling.format(which)}"
            return _attempted(name, config_path, lambda attempt: function(attempt, which, *inputs, **named))

        return attempted

    return decorated


def _attempted(name: str, config_path: str, work: Callable[[Attempt], R]) -> R:
    config = load_config(config_path)
    with JournalWriter(config.run_dir, config.run_id, name) as journal:
        journal.write("start")
        _log_context(config, name, journal.attempt)
        try:
            faults.before(config, name, journal)
            result = work(Attempt(config, journal))
            faults.after(config, name, journal, result)
        except BaseException as error:
            journal.write("error", error=type(error).__name__, message=str(error)[:500])
            raise
        journal.write("end", result=_recorded(result))
        return result


def _recorded(result: Any) -> Any:
    """What the journal keeps: small JSON. A payload's digest stands for it."""
    if isinstance(result, dict):
        return {name: value for name, value in result.items() if name != "payload"}
    return result if isinstance(result, str) else None


def _log_context(config: RunConfig, name: str, attempt: int) -> None:
    if not log.isEnabledFor(logging.INFO):
        return
    log.info(
        "run=%s step=%s attempt=%d memory_available_bytes=%s cpus=%s",
        config.run_id, name, attempt, _memory_available_bytes(), _cpus(),
    )  # fmt: skip


def _memory_available_bytes() -> int | str:
    if "SC_AVPHYS_PAGES" not in os.sysconf_names:  # told by Linux only
        return "unknown"
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _cpus() -> int | None:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()

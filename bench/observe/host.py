"""The machine that was measured on, and what runs on it beside us."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil

from bench.observe.quota import cpu_quota
from bench.session import usage
from bench.session.supervisor import Supervisor
from core.instrument.journal import now_ns

CLOCK_READINGS = 100_000
BUSY = (0, 1, 2, 5, 6, 7)
"""user, nice, system, irq, softirq and steal in /proc/stat; guests are within user and nice."""


def describe() -> dict[str, Any]:
    """What the manifest says of the host; no name, address or path of it."""
    quota = cpu_quota()
    return {
        "cpu_model": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else psutil.cpu_count(),
        **({} if quota is None else {"cpu_quota_cores": quota}),
        "memory_bytes": psutil.virtual_memory().total,
        "os": _os(),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "load_1m_at_start": round(os.getloadavg()[0], 2),
    }


def clock_resolution_s() -> float:
    """The smallest step seen of the clock that all times are taken with, in seconds."""
    readings = [now_ns() for _ in range(CLOCK_READINGS)]
    return min(later - earlier for earlier, later in pairwise(readings) if later > earlier) / 1e9


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


def _os() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return platform.system()


@dataclass(frozen=True, slots=True)
class HostCpu:
    """How long all cores of the host together were busy since it started, also for other guests (steal)."""

    t_s: float
    busy_s: float

    @classmethod
    def now(cls) -> HostCpu:
        """Counted by the kernel in ticks of some 10 ms a core. OSError where there is no /proc/stat."""
        ticks = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
        return cls(time.monotonic(), sum(int(ticks[n]) for n in BUSY) * usage.CLOCK_TICK_S)


def others_cores(before: HostCpu, after: HostCpu, own_cpu_s: float) -> float:
    """How many cores were busy on average with what is not ours, which used `own_cpu_s` in between."""
    return max(0.0, (after.busy_s - before.busy_s - own_cpu_s) / (after.t_s - before.t_s))


class LoadWatch:
    """Watches from its creation how busy others keep the host: all that is neither the session's nor the harness's.

    After the first `stop`: `others_cores`, and `engine_cpu_s` of the session's processes; None where the host does not
    tell.
    """

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self.engine_cpu_s: float | None = None
        self.others_cores: float | None = None
        if usage.AVAILABLE:
            self._host = HostCpu.now()
            self._engine_s, self._harness_s = self._own_cpu_s()

    def stop(self) -> float | None:
        """Cores used by others from its creation to the first call, on average; None where the host does not tell."""
        if not usage.AVAILABLE or self.others_cores is not None:
            return self.others_cores
        engine_s, harness_s = self._own_cpu_s()
        self.engine_cpu_s = engine_s - self._engine_s
        self.others_cores = others_cores(self._host, HostCpu.now(), self.engine_cpu_s + harness_s - self._harness_s)
        return self.others_cores

    def _own_cpu_s(self) -> tuple[float, float]:
        used = self._supervisor.usage()
        return used.total.cpu_s, used.guardian_cpu_s + time.process_time()

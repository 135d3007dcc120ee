"""The workloads of like steps that every adapter is put through."""

from __future__ import annotations

from typing import Any

from bench.plan.workloads import Workload, shaped, sized
from core.declaration import Shape

SERIES, PARALLEL = shaped(Shape.SERIES), shaped(Shape.PARALLEL)
SERVED = tuple(sized(SERIES, 3, fib=10, payload_bytes=100_000, channel=channel) for channel in ("engine", "reference"))
LOCAL = (sized(PARALLEL, 2),)
"""The chain is short, as each step may be a process; those of a fan-out are run at the same time as others."""


def fixed(workload: Workload) -> dict[str, Any]:
    """Those of its settings that fix its graph."""
    return {name: workload.settings[name] for name in workload.declared.fixed_by}

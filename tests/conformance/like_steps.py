"""The workloads of like steps that every adapter is put through."""

from __future__ import annotations

from typing import Any

from bench.plan.workloads import Workload, shaped, sized
from core.declaration import Shape

SERIES, PARALLEL = shaped(Shape.SERIES), shaped(Shape.PARALLEL)
SERVED = (
    sized(SERIES, 5, fib=10),
    sized(PARALLEL, 7),
    sized(SERIES, 2, payload_bytes=100_000, channel="engine"),
    sized(SERIES, 2, payload_bytes=100_000, channel="reference"),
)
LOCAL = (sized(SERIES, 2), sized(PARALLEL, 2))


def fixed(workload: Workload) -> dict[str, Any]:
    """Those of its settings that fix its graph."""
    return {name: workload.settings[name] for name in workload.declared.fixed_by}

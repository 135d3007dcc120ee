"""The same small run, submitted several times at once."""

from __future__ import annotations

from bench.plan.workloads import Workload

N = 5

WORKLOADS = tuple(Workload("chain", N, concurrent=runs) for runs in (1, 4, 16))

"""The same small run, submitted several times at once."""

from __future__ import annotations

from bench.plan.workloads import shaped, sized
from core.declaration import Shape

N = 5

WORKLOADS = tuple(sized(shaped(Shape.SERIES), N, concurrent=runs) for runs in (1, 4, 16))

"""Steps that hand on a payload, through the engine's own channel or by reference."""

from __future__ import annotations

from bench.plan.workloads import shaped, sized
from core.declaration import Shape

CHANNELS = ("engine", "reference")
SIZES_BYTES = (1_000, 100_000, 10_000_000)
N = 5

WORKLOADS = tuple(
    sized(shaped(Shape.SERIES), N, payload_bytes=size, channel=channel) for size in SIZES_BYTES for channel in CHANNELS
)

"""work: one of many like steps, in a chain or a fan-out."""

from __future__ import annotations

from core.instrument.step import Attempt, step_of_many
from core.pipelines.like_steps.fibonacci import fibonacci
from core.pipelines.like_steps.parcels import Parcel, pack, unpack
from core.pipelines.like_steps.settings import LikeSteps

SPELLING = "{:04d}"


@step_of_many(SPELLING)
def work(attempt: Attempt, index: int, *received: Parcel) -> Parcel:
    """Open what was received, compute a Fibonacci number as the run's configuration asks, and pass on a parcel."""
    for parcel in received:
        unpack(parcel)
    return pack(attempt, f"work_{index:04d}", str(fibonacci(attempt.settings(LikeSteps).fib)), received)

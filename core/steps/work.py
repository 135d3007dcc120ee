"""work: one of many like steps, in a chain or a fan-out."""

from __future__ import annotations

from core.fibonacci import fibonacci
from core.instrument.step import Attempt, step_of_many
from core.parcels import Parcel, pack, unpack


@step_of_many("{:04d}")
def work(attempt: Attempt, index: int, *received: Parcel) -> Parcel:
    """Open what was received, compute a Fibonacci number as the run's configuration asks, and pass on a parcel."""
    for parcel in received:
        unpack(parcel)
    return pack(attempt.config, f"work_{index:04d}", str(fibonacci(attempt.config.synthetic.fib)), received)

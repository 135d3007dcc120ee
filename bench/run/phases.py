"""Where in an interval something begins: evenly spread, from a random start."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

GOLDEN = (5**0.5 - 1) / 2


def spread(start: float) -> Iterator[float]:
    """Parts of an interval, from 0 to below 1, without end; `start` is the first.

    However many are taken one after another, no gap between them is larger than 1.9 of an even one: multiples of the
    golden ratio are spread more evenly than those of any other number (Knuth, The Art of Computer Programming 3,
    section 6.4, theorem S). Independent draws would leave gaps of several times an even one.
    """
    return ((start + number * GOLDEN) % 1.0 for number in count())

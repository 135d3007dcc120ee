"""What a run of the toy pipeline is told."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class Toy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By default the total is 55, which takes the middle arm."""

    n: Annotated[int, Meta(ge=1, description="numbers that are squared")] = 5
    middle_from: Annotated[int, Meta(description="total from which on the middle arm is taken")] = 20
    high_from: Annotated[int, Meta(description="total from which on the high arm is taken")] = 100
    work_s: Annotated[float, Meta(ge=0, description="seconds that adding up takes")] = 0.2

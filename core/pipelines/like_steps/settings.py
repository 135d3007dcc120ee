"""What the like steps of a chain or a fan-out do, beside passing on what they were given."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class LikeSteps(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By default nothing."""

    n: Annotated[int, Meta(ge=1, description="like steps")] = 1
    fib: Annotated[int, Meta(ge=0, description="each computes this Fibonacci number naively; 0 is no work")] = 0
    payload_bytes: Annotated[int, Meta(ge=0, description="size of what a step hands to the next")] = 0
    channel: Annotated[
        Literal["engine", "reference"],
        Meta(description="whether it is handed on through the engine, or as a file's path"),
    ] = "engine"

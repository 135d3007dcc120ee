"""How an engine looks everywhere: one colour and one shape, as its adapter declares them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from bench.contract.described import DeclaredEngine


class Look(NamedTuple):
    """A colour of the style sheet, and a shape of the charts."""

    colour: str
    shape: str


LOOKS = (
    Look("engine-1", "circle"), Look("engine-2", "square"), Look("engine-3", "triangle-up"), Look("engine-4", "cross"),
    Look("engine-5", "triangle-down"), Look("engine-6", "triangle-right"),
)  # fmt: skip
BASELINE_LOOK = Look("baseline", "diamond")


def looks(engines: Sequence[str], declared: Iterable[DeclaredEngine]) -> Mapping[str, Look]:
    """Of each engine: what it has declared, or else the next that no other has, in the order given."""
    told = {one.name: Look(one.colour, one.shape) for one in declared if one.colour}
    colours = {look.colour for look in told.values()}
    free = [look for look in LOOKS if look.colour not in colours] or list(LOOKS)
    others = [engine for engine in engines if engine not in told]
    return told | {engine: free[number % len(free)] for number, engine in enumerate(others)}

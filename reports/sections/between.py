"""Run times of two engines against each other: every pair with its own interval and what it could have shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from bench.analyse.tell_apart import Difference, tell_apart
from bench.questions.catalogue import metric as describe
from reports.read.lookup import Lookup
from reports.sections.tables import Cell, Column, Row, Table
from reports.words.numbers import MISSING, interval, number, scale_for, scaled
from reports.words.ranking import Reading

MAKESPAN = "runtime.makespan_s"
RATIO = scale_for("ratio", ())
SIDES = {"better": "faster", "worse": "slower", "": ""}
COLUMNS = (
    Column("Ratio of the makespans", "×", "the first engine's time divided by the second's, with its 95 % interval"),
    Column("Would have shown", "×", "the smallest ratio that this spread and number show in 80 of 100 results"),
    Column("The first is", numeric=False),
)
REMARK = (
    "Served runs. Each pair by its own blocks, or sessions where it shares fewer than two. Would have shown: the "
    "smallest ratio above 1 that a comparison of this spread and number tells in 80 of 100 results."
)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two engines on a track; how the first is seen from the second."""

    track: str
    first: Reading
    second: Reading
    found: Difference


def pairs(lookup: Lookup) -> Iterator[Pair]:
    """Of each track, all pairs that have a value."""
    for track in lookup.tracks:
        readings = [r for r in lookup.readings(MAKESPAN, track, "served") if r.measured]
        for one, other in combinations(readings, 2):
            yield Pair(track, one, other, tell_apart(
                other.values, one.values, describe(MAKESPAN), floor=lookup.noise.ratio, paired=True
            ))  # fmt: skip


def table(lookup: Lookup) -> Table | None:
    """None if no two engines have a time, or none is ranked yet."""
    if lookup.early:
        return None
    rows = tuple(
        Row(pair.first.engine, f"{lookup.title(pair.first.engine)} against {lookup.title(pair.second.engine)}",
            pair.track, _cells(pair))
        for pair in pairs(lookup)
    )  # fmt: skip
    return (
        Table("table-between", "Run times of two engines", COLUMNS, rows, REMARK, heading="Engines") if rows else None
    )


def _cells(pair: Pair) -> tuple[Cell, ...]:
    change, n = pair.found.change, min(pair.first.n, pair.second.n)
    if change is None:
        return Cell(MISSING), Cell(MISSING), Cell(pair.found.word, numeric=False)
    ratio = Cell(scaled(change.value, RATIO), "", repr(change.value), interval(change.low, change.high, RATIO), n)
    least = change.detectable
    shown = Cell(scaled(least, RATIO), "", repr(least)) if least else Cell(MISSING, note=pair.found.why)
    return ratio, shown, Cell(SIDES[pair.found.turn] or pair.found.word, note=pair.found.why, numeric=False)


def least_shown(lookup: Lookup) -> str:
    """What a newcomer needs to know of the noise: what the pairs of the first track could have shown; empty if nothing.

    A pair says nothing of another one: each has its own spread.
    """
    changes = [pair.found.change for pair in pairs(lookup) if pair.track == lookup.tracks[0]]
    known = sorted(change.detectable for change in changes if change and change.detectable)
    if not known:
        return ""
    ends = dict.fromkeys(f"{number(ratio, whole=False)}×" for ratio in (known[0], known[-1]))
    said = f"Smallest ratio of run times that would have been told apart, on {lookup.tracks[0]} settings"
    return f"{said}: {' to '.join(ends)}{', by pair of engines' if len(known) > 1 else ''}."

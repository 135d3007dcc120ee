"""A budget is a deadline: what is to be measured, in which order, at what estimated cost, and what still fits."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from enum import StrEnum

from bench.contract import Track

AGAIN = "-again"
"""Second name of an engine that is measured twice: the A/A comparison."""
AGAIN_ENGINE = "prefect"
INLINE = "inline"
RENDER_S = 15.0


class Part(StrEnum):
    """One part of a session, in the order of running. `first` is the bring-up and a warm-up run."""

    CODE = "code"
    INSTRUMENT = "instrument"
    INLINE = "inline"
    ENVIRONMENT = "environment"
    FIRST = "first"
    SAMPLES = "samples"
    RECOVERY = "recovery"
    DEBUGGING = "debugging"
    LOCAL = "local"


class Group(StrEnum):
    """What `--only` names."""

    CODE = "code"
    SETUP = "setup"
    RUNTIME = "runtime"
    RECOVERY = "recovery"
    DEBUGGING = "debugging"


GROUPS: dict[Part, tuple[Group, ...]] = {
    Part.CODE: (Group.CODE,),
    Part.INSTRUMENT: (Group.RUNTIME,),
    Part.INLINE: tuple(Group),  # the oracle of every run
    Part.ENVIRONMENT: (Group.SETUP,),
    Part.FIRST: (Group.SETUP, Group.RUNTIME, Group.RECOVERY, Group.DEBUGGING),
    Part.SAMPLES: (Group.RUNTIME,),
    Part.RECOVERY: (Group.RECOVERY,),
    Part.DEBUGGING: (Group.DEBUGGING,),
    Part.LOCAL: (Group.RUNTIME,),
}
ESTIMATES_S: dict[Part, dict[Track, float]] = {
    Part.CODE: {Track.TUNED: 1, Track.STOCK: 1},
    Part.INSTRUMENT: {Track.TUNED: 3, Track.STOCK: 3},
    Part.INLINE: {Track.TUNED: 10, Track.STOCK: 10},
    Part.ENVIRONMENT: {Track.TUNED: 16, Track.STOCK: 16},
    Part.FIRST: {Track.TUNED: 30, Track.STOCK: 55},
    Part.SAMPLES: {Track.TUNED: 9, Track.STOCK: 25},
    Part.RECOVERY: {Track.TUNED: 45, Track.STOCK: 400},
    Part.DEBUGGING: {Track.TUNED: 22, Track.STOCK: 400},
    Part.LOCAL: {Track.TUNED: 16, Track.STOCK: 16},
}
"""Rough seconds on two cores; the same for every engine, so that none is favoured when time is short."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How much is measured at most, and until when."""

    name: str
    limit_s: float | None
    tracks: tuple[Track, ...]
    blocks: int
    """Whole blocks that are planned."""
    most_blocks: int
    """Whole blocks at most, while time remains."""
    samples: int
    """Served runs a session beside the warm-up."""
    again: bool
    """Whether one engine is measured a second time under another name (A/A)."""
    deep_blocks: int
    """In so many first blocks recovery and debugging are measured too."""
    environment_blocks: int
    deep_tracks: tuple[Track, ...] = (Track.TUNED,)
    cold: bool = False


BUDGETS = {
    "quick": Budget(
        "quick", 480, (Track.TUNED,), blocks=1, most_blocks=1, samples=1, again=False, deep_blocks=1,
        environment_blocks=1,
    ),
    "standard": Budget(
        "standard", 2700, tuple(Track), blocks=5, most_blocks=50, samples=1, again=True, deep_blocks=1,
        environment_blocks=5,
    ),
    "full": Budget(
        "full", None, tuple(Track), blocks=10, most_blocks=10, samples=3, again=True, deep_blocks=3,
        environment_blocks=5, deep_tracks=tuple(Track), cold=True,
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Planned:
    """One session of one arm in one block, with the parts to be measured in it."""

    name: str
    """Engine, or the second name of one, or `inline`."""
    track: Track
    block: int
    parts: tuple[Part, ...]

    @property
    def engine(self) -> str:
        """The engine behind the name."""
        return self.name.removesuffix(AGAIN)

    def cell(self, part: Part) -> str:
        """The name of a part in the manifest."""
        track = "" if self.name == INLINE else f" {self.track}"
        return f"block {self.block}: {self.name}{track}: {part}"


def plan(budget: Budget, engines: list[str], tracks: list[Track], only: list[Group], seed: int) -> list[list[Planned]]:
    """Blocks of sessions. In each block every arm has one session, in an order drawn from the seed."""
    wanted = set(only or Group)
    draw = random.Random(f"order {seed}")  # noqa: S311 - an order, not a secret
    names = engines + ([AGAIN_ENGINE + AGAIN] if budget.again and AGAIN_ENGINE in engines else [])
    blocks = []
    for block in range(1, budget.most_blocks + 1):
        sessions = [Planned(INLINE, Track.TUNED, block, _inline_parts(block, wanted))]
        for name in names:
            for track in tracks:
                if not (name.endswith(AGAIN) and track is not Track.TUNED):
                    parts = tuple(p for p in _parts(budget, name, track, block) if wanted & set(GROUPS[p]))
                    sessions.append(Planned(name, track, block, parts))
        draw.shuffle(sessions)
        blocks.append(_first_inline(sessions) if block == 1 else sessions)
    return blocks if Group.RUNTIME in wanted or Group.SETUP in wanted else blocks[: budget.deep_blocks]


def _first_inline(sessions: list[Planned]) -> list[Planned]:
    """In the first block inline goes first: its output is what every other run is checked against."""
    return sorted(sessions, key=lambda one: one.name != INLINE)


def _inline_parts(block: int, wanted: set[Group]) -> tuple[Part, ...]:
    first = (Part.CODE, Part.INSTRUMENT, Part.INLINE) if block == 1 else (Part.INLINE,)
    return tuple(part for part in first if wanted & set(GROUPS[part]))


def _parts(budget: Budget, name: str, track: Track, block: int) -> list[Part]:
    again = name.endswith(AGAIN)
    deep = track in budget.deep_tracks and block <= budget.deep_blocks and not again
    parts = []
    if track is Track.TUNED and block <= budget.environment_blocks and not again:
        parts.append(Part.ENVIRONMENT)
    parts += [Part.FIRST, Part.SAMPLES]
    if deep:
        parts += [Part.RECOVERY, Part.DEBUGGING]
    if track is Track.TUNED and not again:
        parts.append(Part.LOCAL)
    return parts


class Clock:
    """Time left until the deadline, with room for the report."""

    def __init__(self, limit_s: float | None) -> None:
        self._deadline = None if limit_s is None else time.monotonic() + limit_s - RENDER_S

    def left_s(self) -> float:
        """Seconds left; infinite without a deadline."""
        return float("inf") if self._deadline is None else self._deadline - time.monotonic()


class Estimates:
    """What parts cost: the table's guess until a part was measured, then what it took last."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, Track, Part], float] = {}

    def learn(self, one: Planned, part: Part, seconds: float) -> None:
        """Remember what a part took."""
        self._known[one.name, one.track, part] = seconds

    def part_s(self, one: Planned, part: Part) -> float:
        """Estimated seconds of one part."""
        return self._known.get((one.name, one.track, part), ESTIMATES_S[part][one.track])

    def total_s(self, sessions: list[Planned]) -> float:
        """Estimated seconds of some sessions."""
        return sum(self.part_s(one, part) for one in sessions for part in one.parts)

    def share_s(self, left_s: float, sessions: list[Planned]) -> float:
        """What the first of `sessions` may take, so that those after it get their part of the time left."""
        total = self.total_s(sessions)
        return left_s * self.total_s(sessions[:1]) / total if total else left_s

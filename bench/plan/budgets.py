"""What can be measured, what it costs, and how much of it each budget holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from bench.contract.errors import UsageError
from bench.contract.targets import Target
from bench.contract.words import Track
from bench.plan import scenarios
from bench.plan.sweep import MOMENTS, NO_POINTS, TARGETS, Sweep, moments
from bench.plan.workloads import Workload, concurrency, payload, published, shaped, sized
from core.declaration import Shape

ALL = 1_000


class Part(StrEnum):
    """One part of a session, in the order of running. `first` is the bring-up and a warm-up run."""

    CODE = "code"
    INSTRUMENT = "instrument"
    MICRO = "micro"
    INLINE = "inline"
    ENVIRONMENT = "environment"
    FIRST = "first"
    SAMPLES = "samples"
    SCALING = "scaling"
    PUBLISHED = "published"
    PAYLOAD = "payload"
    CONCURRENCY = "concurrency"
    RESOURCES = "resources"
    SOAK = "soak"
    RECOVERY = "recovery"
    DEBUGGING = "debugging"
    LOCAL = "local"
    LOCAL_SCALING = "local-scaling"


class Group(StrEnum):
    """What `--only` names."""

    CODE = "code"
    SETUP = "setup"
    RUNTIME = "runtime"
    SCALING = "scaling"
    RESOURCES = "resources"
    RECOVERY = "recovery"
    DEBUGGING = "debugging"
    PUBLISHED = "published"
    PAYLOAD = "payload"
    CONCURRENCY = "concurrency"
    SOAK = "soak"
    MICRO = "micro"


GROUPS: dict[Part, tuple[Group, ...]] = {
    Part.CODE: (Group.CODE,),
    Part.INSTRUMENT: (Group.RUNTIME,),
    Part.MICRO: (Group.MICRO,),
    Part.INLINE: tuple(Group),  # the oracle of every run
    Part.ENVIRONMENT: (Group.SETUP,),
    Part.FIRST: tuple(Group),  # without it nothing else of a session can be measured
    Part.SAMPLES: (Group.RUNTIME,),
    Part.SCALING: (Group.SCALING,),
    Part.PUBLISHED: (Group.PUBLISHED,),
    Part.PAYLOAD: (Group.PAYLOAD,),
    Part.CONCURRENCY: (Group.CONCURRENCY,),
    Part.RESOURCES: (Group.RESOURCES,),
    Part.SOAK: (Group.SOAK,),
    Part.RECOVERY: (Group.RECOVERY,),
    Part.DEBUGGING: (Group.DEBUGGING,),
    Part.LOCAL: (Group.RUNTIME,),
    Part.LOCAL_SCALING: (Group.SCALING,),
}
ALONE = (Part.CODE, Part.INSTRUMENT, Part.MICRO)
"""Parts that need no run: they belong to the plain loop's first session."""
SYNTHETIC = (Part.SCALING, Part.PUBLISHED, Part.PAYLOAD, Part.CONCURRENCY, Part.SOAK, Part.LOCAL_SCALING)
"""Parts that need the synthetic pipelines deployed."""
WORKLOADS: dict[Part, tuple[Workload, ...]] = {
    Part.PUBLISHED: published.WORKLOADS,
    Part.PAYLOAD: payload.WORKLOADS,
    Part.CONCURRENCY: concurrency.WORKLOADS,
    Part.SOAK: (sized(shaped(Shape.SERIES), 5),),
}
"""What is run in a part; in the parts of scaling, chains and fan-outs of the budget's sizes."""
ESTIMATES_S: dict[Part, dict[Track, float]] = {
    Part.CODE: {Track.TUNED: 1, Track.STOCK: 1},
    Part.INSTRUMENT: {Track.TUNED: 3, Track.STOCK: 3},
    Part.MICRO: {Track.TUNED: 30, Track.STOCK: 30},
    Part.INLINE: {Track.TUNED: 10, Track.STOCK: 10},
    Part.ENVIRONMENT: {Track.TUNED: 16, Track.STOCK: 16},
    Part.FIRST: {Track.TUNED: 24, Track.STOCK: 36},
    Part.SAMPLES: {Track.TUNED: 12, Track.STOCK: 24},
    Part.SCALING: {Track.TUNED: 30, Track.STOCK: 120},
    Part.PUBLISHED: {Track.TUNED: 60, Track.STOCK: 120},
    Part.PAYLOAD: {Track.TUNED: 60, Track.STOCK: 120},
    Part.CONCURRENCY: {Track.TUNED: 90, Track.STOCK: 180},
    Part.RESOURCES: {Track.TUNED: 22, Track.STOCK: 35},
    Part.SOAK: {Track.TUNED: 1500, Track.STOCK: 3000},
    Part.RECOVERY: {Track.TUNED: 45, Track.STOCK: 400},
    Part.DEBUGGING: {Track.TUNED: 22, Track.STOCK: 400},
    Part.LOCAL: {Track.TUNED: 22, Track.STOCK: 22},
    Part.LOCAL_SCALING: {Track.TUNED: 45, Track.STOCK: 45},
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
    measured: Mapping[Part, int]
    """In how many first blocks each part is measured; parts that are not named are left to `--only`."""
    again: bool = False
    """Whether one engine is measured a second time under another name (A/A)."""
    variants: bool = False
    """Whether the other isolations that engines offer are measured too."""
    sizes: tuple[int, ...] = (5, 20)
    """Lengths of the chains, and steps of the fan-outs."""
    deep_tracks: tuple[Track, ...] = (Track.TUNED,)
    """Tracks on which more is measured than setup and plain runs."""
    scenarios: tuple[str, ...] = scenarios.STANDARD
    """What goes wrong in the part about recovery."""
    sweep: Sweep = NO_POINTS
    """The kill points beside them."""
    thorough: bool = False
    """Whether each scenario also finds out what people have to do, and whether the next run has all its slots; with
    it the pipelines that people use are deployed."""
    apart: bool = False
    """Whether synthetic pipelines have sessions of their own: large ones would slow the deployment of all else."""
    cold: bool = False
    """Whether installing is also timed with an empty package cache."""
    rows: tuple[int, ...] = (10_000, 100_000)
    """Sizes of the micro-benchmarks."""
    pairs: int = 0
    """How often core's pipeline and a bare script run in turn, on a million rows."""


ESSENTIAL = (Part.INLINE, Part.FIRST, Part.SAMPLES)
"""What every block is for: other parts give way to it where time is short."""
CELLULAR = (Part.RECOVERY,)
"""Parts of many cells, each of which is begun only if it fits by itself."""
EVERY_BLOCK = dict.fromkeys(ESSENTIAL, ALL)
ONCE = dict.fromkeys((Part.CODE, Part.INSTRUMENT, Part.RECOVERY, Part.DEBUGGING), 1)
ONLY_BLOCKS = 3
"""In how many blocks a part is measured that the budget leaves to `--only`."""

BUDGETS = {
    "quick": Budget(
        "quick", 480, (Track.TUNED,), blocks=1, most_blocks=1, samples=1,
        measured=EVERY_BLOCK | ONCE | {Part.ENVIRONMENT: 1, Part.LOCAL: 1},
        scenarios=scenarios.BASIC,
    ),
    "standard": Budget(
        "standard", 2700, tuple(Track), blocks=5, most_blocks=50, samples=1, again=True, variants=True,
        measured=EVERY_BLOCK | ONCE | {
            Part.MICRO: 1, Part.ENVIRONMENT: 1, Part.LOCAL: 1, Part.SCALING: 1, Part.RESOURCES: 1,
        },
    ),
    "full": Budget(
        "full", None, tuple(Track), blocks=10, most_blocks=10, samples=3, again=True, variants=True,
        measured=dict.fromkeys(Part, 5) | EVERY_BLOCK | {
            Part.CODE: 1, Part.INSTRUMENT: 1, Part.MICRO: 1, Part.SOAK: 1, Part.RECOVERY: 3, Part.DEBUGGING: 3,
            Part.LOCAL: ALL,
        },
        sizes=(5, 20, 100, 300, 1000), deep_tracks=tuple(Track), apart=True, cold=True,
        rows=(10_000, 100_000, 1_000_000), pairs=5,
        scenarios=tuple(scenarios.SCENARIOS), sweep=Sweep(200), thorough=True,
    ),
}  # fmt: skip

RECOVERY_LIMIT_S = 5400.0
POINT_ACTIONS = ("kill", "crash", "pause", "restart")
"""What can be done at any point of a history."""


def chosen(arguments: Mapping[str, Any]) -> Budget:
    """The budget that a command's arguments ask for.

    `standard` for recovery alone is one of its own: every scenario, and some kill points.
    """
    if arguments.get("chaos"):
        return chaos_budget(arguments["chaos"])
    found = BUDGETS[arguments["budget"]]
    if found.name != "standard" or arguments["only"] != [Group.RECOVERY]:
        return found
    return replace(
        found, limit_s=RECOVERY_LIMIT_S, blocks=1, most_blocks=1, again=False, variants=False,
        scenarios=tuple(scenarios.SCENARIOS), sweep=Sweep(20), thorough=True,
    )  # fmt: skip


def chaos_budget(wish: Mapping[str, Any]) -> Budget:
    """What `orchbench chaos` asks for: scenarios by name, and points that are drawn. UsageError for an unknown word."""
    named = tuple(name for name in wish["fault"] if name in scenarios.SCENARIOS)
    actions = [name for name in wish["fault"] if name not in named]
    if unknown := set(actions) - set(POINT_ACTIONS):
        known = ", ".join((*scenarios.SCENARIOS, *POINT_ACTIONS))
        raise UsageError(f"--fault {unknown.pop()}: there is no such fault; there are {known}")
    sweep = Sweep(
        wish["count"] if actions or not named else 0,
        tuple(scenarios.Action(name) for name in actions or ("kill",)),
        tuple(Target(name) for name in wish["role"]) or TARGETS,
        tuple(moment for text in wish["at"] for moment in moments(text)) or MOMENTS,
    )
    return Budget(
        "chaos", None, (Track.TUNED,), blocks=1, most_blocks=1, samples=0,
        measured=dict.fromkeys((Part.INLINE, Part.FIRST, Part.RECOVERY), 1),
        deep_tracks=tuple(Track), scenarios=named, sweep=sweep, thorough=True,
    )  # fmt: skip

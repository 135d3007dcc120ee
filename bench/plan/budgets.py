"""A budget is a deadline, with tracks and sizes. Which questions it holds, in how many blocks, they say themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from math import inf
from typing import Any

from bench.contract.errors import UsageError
from bench.contract.targets import Target
from bench.contract.words import Track
from bench.plan import scenarios
from bench.plan.pipelines import default
from bench.plan.scenarios.record import Action
from bench.plan.sweep import NO_POINTS, TARGETS, Sweep, checked
from core.declaration import pipeline


@dataclass(frozen=True, slots=True)
class Often:
    """How often the arms of a track are measured."""

    blocks: float = inf
    """In so many first blocks, where other tracks are measured too."""
    samples: tuple[int, int] = (1, 1)
    """Served runs of a session beside its warm-ups, at least and at most: between them earlier results decide."""
    warm_ups: int = 1
    """At most, with the run that ends the bring-up: so many has the first block, before it is known how many do."""


DEEP, LOCAL, SYNTHETIC = "deep", "local", "synthetic"
"""Sessions beside the one in which an arm is timed: what takes long, what needs no server, large pipelines."""


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
    often: Mapping[Track, Often] = field(default_factory=lambda: dict.fromkeys(Track, Often()))
    local: int = 1
    """Runs without a server in a session."""
    sessions: Mapping[str, str] = field(default_factory=dict)
    """Kind of session -> the one in which its questions are asked, beside the session in which the arm is timed, so
    that the arms of a block stand close in time; what is not named is asked in the arm's one session."""
    again: bool = False
    """Whether one arm is measured a second time under another name (A/A)."""
    variants: bool = False
    """Whether the other isolations and storages that engines offer are measured too."""
    sizes: tuple[int, ...] = (5, 20)
    """Sizes of the pipelines that have no other purpose than to be conducted."""
    deep_tracks: tuple[Track, ...] = (Track.TUNED,)
    """Tracks on which more is measured than setup and plain runs."""
    scenarios: tuple[str, ...] = scenarios.of_budget("standard")
    """What goes wrong, or is done by people."""
    repeats: Mapping[str, int] = field(default_factory=dict)
    """Scenario -> how often in a block; others once."""
    sweep: Sweep = NO_POINTS
    """The kill points beside them."""
    thorough: bool = False
    """Whether each scenario also finds out what people have to do, and whether the next run has all its slots; with
    it the pipelines that people use are deployed."""
    cold: bool = False
    """Whether installing is also timed with an empty package cache."""
    rows: tuple[int, ...] = (10_000, 100_000)
    """Sizes of the micro-benchmarks."""
    pairs: int = 0
    """How often core's pipeline and a bare script run in turn, on a million rows."""


BUDGETS = {
    "quick": Budget(
        "quick", 480, (Track.TUNED,), blocks=1, most_blocks=1, scenarios=scenarios.of_budget("quick"),
    ),
    "standard": Budget(
        "standard", 2700, tuple(Track), blocks=5, most_blocks=50, again=True, variants=True,
        often={Track.TUNED: Often(samples=(4, 4), warm_ups=3), Track.STOCK: Often(blocks=2)},
        sessions={LOCAL: LOCAL, DEEP: DEEP, SYNTHETIC: DEEP},
    ),
    "full": Budget(
        "full", None, tuple(Track), blocks=10, most_blocks=10, again=True, variants=True,
        often={Track.TUNED: Often(samples=(4, 6), warm_ups=3), Track.STOCK: Often(samples=(3, 3), warm_ups=2)},
        local=3, sessions={LOCAL: LOCAL, DEEP: DEEP, SYNTHETIC: SYNTHETIC},
        sizes=(5, 20, 100, 300), deep_tracks=tuple(Track), cold=True,
        rows=(10_000, 100_000, 1_000_000), pairs=5,
        scenarios=scenarios.of_budget("full"), sweep=Sweep(200), thorough=True,
    ),
}  # fmt: skip
"""Larger sizes than 300 are left out: on two cores a chain of a thousand steps does not end in a bearable time."""
ALONE = {
    ("standard", "runtime"): replace(
        BUDGETS["standard"],
        often={Track.TUNED: Often(samples=(4, 6), warm_ups=3), Track.STOCK: Often(blocks=2, samples=(2, 2))},
    ),
    ("standard", "recovery"): replace(
        BUDGETS["standard"], limit_s=6600.0, blocks=1, most_blocks=1, again=False, variants=False, sessions={},
        scenarios=scenarios.of_budget("alone"), repeats=scenarios.repeats("alone"), sweep=Sweep(20), thorough=True,
    ),
}  # fmt: skip
"""What a budget is where this group of questions alone is asked for: as sharp as its time allows; every scenario, and
some kill points."""

CHAOS = "chaos"
"""The name of a budget that the command of this name asks for."""
POINT_ACTIONS = ("kill", "crash", "pause", "restart")
"""What can be done at any point of a run."""


def chosen(arguments: Mapping[str, Any]) -> Budget:
    """The budget that a command's arguments ask for."""
    if arguments.get("chaos"):
        return chaos_budget(arguments["chaos"], arguments.get("pipeline") or default())
    name, only = arguments["budget"], arguments["only"]
    return ALONE.get((name, *only), BUDGETS[name])


def chaos_budget(wish: Mapping[str, Any], measured: Iterable[str]) -> Budget:
    """What `orchbench chaos` asks for: scenarios by name, and points that are drawn in each `measured` pipeline.

    UsageError for an unknown word.
    """
    named = tuple(name for name in wish["fault"] if name in scenarios.SCENARIOS)
    actions = [name for name in wish["fault"] if name not in named]
    if unknown := set(actions) - set(POINT_ACTIONS):
        known = ", ".join((*scenarios.SCENARIOS, *POINT_ACTIONS))
        raise UsageError(f"--fault {unknown.pop()}: there is no such fault; there are {known}")
    for name, text in product(measured, wish["at"]):
        checked(text, pipeline(name))
    sweep = Sweep(
        wish["count"] if actions or not named else 0,
        tuple(Action(name) for name in actions or ("kill",)),
        tuple(Target(name) for name in wish["role"]) or TARGETS,
        tuple(wish["at"]),
    )
    return Budget(
        CHAOS, None, (Track.TUNED,), blocks=1, most_blocks=1,
        deep_tracks=tuple(Track), scenarios=named, sweep=sweep, thorough=True,
    )  # fmt: skip

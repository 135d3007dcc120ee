"""A budget is a deadline: what is to be measured, in which order, at what estimated cost, and what still fits."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bench.contract.words import Track
from bench.contract.workspace import STEP_TIMEOUT_S
from bench.plan import workloads
from bench.plan.budgets import ALONE, ESTIMATES_S, GROUPS, ONLY_BLOCKS, SYNTHETIC, WORKLOADS, Budget, Group, Part
from bench.plan.scenarios import RESUMED_S, SCENARIOS, batches
from bench.plan.sweep import NO_POINTS, SWEEP_STEP_TIMEOUT_S, Sweep, points_s
from bench.plan.workloads import PROBE, Workload

AGAIN = "-again"
"""Second name of an engine that is measured twice: the A/A comparison."""
AGAIN_ENGINE = "prefect"
VERSION = "@"
"""Between an engine and another version of it: `airflow@3.3.1`."""
INLINE = "inline"
RENDER_S = 15.0
STOCK_FACTOR = 5.0
PROBE_S = 7.0
SESSION_S = 7.0
"""What a session takes beside its parts: its folders and its database, and the end of its processes."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One session of one arm in one block, with the parts to be measured in it."""

    name: str
    """Engine, or the second name of one, or another version of one, or `inline`."""
    track: Track
    block: int
    parts: tuple[Part, ...]
    workloads: tuple[Workload, ...] = ()
    """The synthetic pipelines that are run."""
    chains: tuple[int, ...] = ()
    """Lengths of the chains that are deployed beside the training pipeline."""
    operations: bool = False
    """Whether the pipelines that people use for repair are deployed too."""
    scenarios: tuple[str, ...] = ()
    """What goes wrong in the part about recovery."""
    sweep: Sweep = NO_POINTS
    """The kill points beside them."""
    step_timeout_s: float = STEP_TIMEOUT_S
    """How long an attempt of a step may take at least."""
    topic: str = ""
    """Tells two sessions of an arm in one block apart."""

    @property
    def engine(self) -> str:
        """The engine behind the name."""
        return self.environment.partition(VERSION)[0]

    @property
    def environment(self) -> str:
        """The engine with its version, if that is not the locked one: the name of its environment."""
        return self.name.removesuffix(AGAIN)

    def cell(self, part: Part, topic: str | None = None) -> str:
        """The name of a part in the manifest, or of one of its topics."""
        track = "" if self.name == INLINE else f" {self.track}"
        below = "" if topic is None else f": {topic}"
        return f"block {self.block}: {self.name}{track}{self.topic}: {part}{below}"


def plan(budget: Budget, names: list[str], tracks: list[Track], only: list[Group], seed: int) -> list[list[Planned]]:
    """Blocks of sessions. In each block every arm has one session, in an order drawn from the seed.

    `names` are engines and other versions of engines. An arm that has nothing to measure in a block has
    no session in it; a block in which none has is not planned.
    """
    counts = _counts(budget, only)
    setup = not only or Group.SETUP in only
    draw = random.Random(f"order {seed}")  # noqa: S311 - an order, not a secret
    names = names + ([AGAIN_ENGINE + AGAIN] if budget.again and AGAIN_ENGINE in names else [])
    arms = [(name, track) for name in names for track in tracks if track is Track.TUNED or not name.endswith(AGAIN)]
    blocks = []
    for block in range(1, budget.most_blocks + 1):
        wanted = tuple(part for part in Part if block <= counts.get(part, 0))
        sessions = [one for arm in arms for one in _sessions(budget, *arm, block, wanted)]
        sessions = [one for one in sessions if setup or one.parts != (Part.FIRST,)]
        if sessions or set(wanted) & set(ALONE):
            sessions.append(_inline(budget, block, wanted))
            draw.shuffle(sessions)
            sessions.sort(
                key=lambda one: one.sweep.points > 0
            )  # where time is short, every engine's scenarios go first
            blocks.append(_first_inline(sessions) if block == 1 else sessions)
    return blocks


def _counts(budget: Budget, only: list[Group]) -> dict[Part, int]:
    """In how many first blocks each part is measured."""
    if not only:
        return dict(budget.measured)
    wanted = {part for part in Part if set(GROUPS[part]) & set(only)}
    return {part: budget.measured.get(part) or ONLY_BLOCKS for part in wanted}


def _first_inline(sessions: list[Planned]) -> list[Planned]:
    """In the first block inline goes first: its output is what every other run is checked against."""
    return sorted(sessions, key=lambda one: one.name != INLINE)


def _inline(budget: Budget, block: int, wanted: tuple[Part, ...]) -> Planned:
    """The plain loop runs every pipeline of the block, as what the engines' runs are held against."""
    parts = tuple(part for part in wanted if part in (*ALONE, Part.INLINE))
    return Planned(INLINE, Track.TUNED, block, parts, _workloads(budget, wanted))


def _workloads(budget: Budget, parts: tuple[Part, ...]) -> tuple[Workload, ...]:
    """The synthetic pipelines of some parts, each once, the small before the large."""
    scaled = workloads.scaling(budget.sizes)
    found = {one: None for part in parts if part in SYNTHETIC for one in WORKLOADS.get(part, scaled)}
    if Part.RECOVERY in parts and budget.thorough:
        found |= {PROBE: None}
    return tuple(sorted(found, key=lambda one: one.size))


def _sessions(budget: Budget, name: str, track: Track, block: int, wanted: tuple[Part, ...]) -> list[Planned]:
    """The arm's session; two where the budget keeps large synthetic pipelines apart from the training pipeline."""
    deep = track in budget.deep_tracks and not name.endswith(AGAIN)
    once = track is Track.TUNED and not name.endswith(AGAIN)
    suited = dict.fromkeys(Part, deep) | dict.fromkeys((*ALONE, Part.INLINE), False)
    suited |= dict.fromkeys((Part.FIRST, Part.SAMPLES), True)
    suited |= dict.fromkeys((Part.ENVIRONMENT, Part.LOCAL, Part.LOCAL_SCALING), once)
    parts = tuple(part for part in wanted if suited[part])
    points = [_kill_points(budget, name, track, block)] if Part.RECOVERY in parts and block == 1 else []
    return [one for one in (*_apart(budget, name, track, block, parts), *points) if not _idle(one)]


def _idle(one: Planned) -> bool:
    """Whether it would be brought up for recovery alone, with nothing to break."""
    return set(one.parts) == {Part.FIRST, Part.RECOVERY} and not (one.scenarios or one.sweep.points)


def _kill_points(budget: Budget, name: str, track: Track, block: int) -> Planned:
    """A session of its own for the points of the sweep, with time limits of its own."""
    one = _session(budget, name, track, block, (Part.FIRST, Part.RECOVERY))
    limit_s = SWEEP_STEP_TIMEOUT_S
    return replace(one, scenarios=(), sweep=budget.sweep, step_timeout_s=limit_s, topic=", kill points")


def _apart(budget: Budget, name: str, track: Track, block: int, parts: tuple[Part, ...]) -> list[Planned]:
    synthetic = tuple(part for part in parts if part in (Part.FIRST, *SYNTHETIC))
    if not budget.apart or synthetic in (parts, (Part.FIRST,)):
        return [_session(budget, name, track, block, parts)]
    plain = tuple(part for part in parts if part not in SYNTHETIC)
    large = replace(_session(budget, name, track, block, synthetic), topic=", synthetic")
    return [_session(budget, name, track, block, plain), large]


def _session(budget: Budget, name: str, track: Track, block: int, parts: tuple[Part, ...]) -> Planned:
    needed = _workloads(budget, parts)
    lengths = {one.size for one in needed if one.declared.fixed_by}
    if budget.variants and track in budget.deep_tracks:  # the other isolations are deployed with the chains
        lengths |= {min(budget.sizes)} if budget.apart else set(budget.sizes)
    broken = Part.RECOVERY in parts
    operations = broken and budget.thorough
    if operations:  # the probe of what is left behind is deployed with the chains
        lengths |= {min(budget.sizes)}
    return Planned(
        name, track, block, parts, needed, tuple(sorted(lengths)), operations=operations,
        scenarios=budget.scenarios if broken else (),
    )  # fmt: skip


def recovery_s(one: Planned) -> float:
    """Estimated seconds of a session's scenarios and kill points; on stock settings much is waited for longer."""
    seconds = sum(batch_s(one, names) for names in batches(one.scenarios)) + points_s(one.sweep)
    return seconds * (STOCK_FACTOR if one.track is Track.STOCK else 1.0)


def batch_s(one: Planned, names: Sequence[str]) -> float:
    """Estimated seconds of scenarios that are conducted at once, with the probe that may follow them."""
    batch = [SCENARIOS[name] for name in names if one.track in SCENARIOS[name].tracks]
    probed = PROBE in one.workloads and not all(scenario.harmless or scenario.remedy for scenario in batch)
    waits_s = max((scenario.seconds for scenario in batch), default=0.0) + RESUMED_S * max(0, len(batch) - 1)
    return waits_s + (PROBE_S if probed else 0.0)


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
        guess = recovery_s(one) if part is Part.RECOVERY else ESTIMATES_S[part][one.track]
        return self._known.get((one.name, one.track, part), guess)

    def total_s(self, sessions: list[Planned]) -> float:
        """Estimated seconds of some sessions."""
        return sum(self.part_s(one, part) for one in sessions for part in one.parts)

    def sessions_s(self, sessions: list[Planned], only: tuple[Part, ...] = tuple(Part)) -> float:
        """Estimated seconds of some sessions from their opening to their end, with some of their parts."""
        return sum(SESSION_S + sum(self.part_s(one, part) for part in one.parts if part in only) for one in sessions)

    def share_s(self, left_s: float, sessions: list[Planned]) -> float:
        """What the first of `sessions` may take: all the time left that those after it do not need.

        Where that is scarce, its part of the time left.
        """
        total = self.total_s(sessions)
        if not total:
            return left_s
        return max(left_s * self.total_s(sessions[:1]) / total, left_s - self.sessions_s(sessions[1:]))

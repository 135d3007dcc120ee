"""The smallest unit of a plan, and the session in which it is measured."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from bench.contract import records
from bench.contract.words import Track
from bench.plan.arms import AGAIN, INLINE, STORED, VERSION
from bench.plan.priced import Needs, Priced
from bench.plan.workloads import Workload
from core.declaration import Shaped, pipeline, pipelines

Key = tuple[str | int, ...]
"""What tells a cell from all others of a result."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One session of one arm in one block: what must be deployed in it. Cells that share it are measured in one."""

    name: str
    """Engine, or the second name of one, or another version of one, or either with a storage, or `inline`."""
    track: Track
    block: int
    pipeline: str
    workloads: tuple[Workload, ...] = ()
    """What is run beside the pipeline; of `inline` all that it runs."""
    chains: tuple[int, ...] = ()
    """Sizes that are fixed when a pipeline is deployed."""
    operations: bool = False
    """Whether what people run beside the pipeline is deployed too."""
    step_timeout_s: float = 0.0
    """How long an attempt of a step may take at least; 0: the usual limit."""
    topic: str = ""
    """Tells two sessions of an arm in one block apart: empty for the one in which it is timed."""
    limited: bool = False
    """Whether steps at once are limited over all runs too, and not only within each."""
    samples: int = 1
    """Served runs beside the warm-ups, where it is timed."""
    variants: bool = False
    """Whether the engine's other isolations are deployed too."""
    storage: str = ""
    """Name of the storage that the engine has instead of its usual one."""

    @property
    def engine(self) -> str:
        """The engine behind the name."""
        return self.environment.partition(VERSION)[0]

    @property
    def environment(self) -> str:
        """The engine with its version, if that is not the locked one: the name of its environment."""
        return self.name.removesuffix(STORED + self.storage if self.storage else AGAIN)

    @property
    def again(self) -> bool:
        """Whether it is the second of the A/A comparison."""
        return self.name.endswith(AGAIN)

    @property
    def loop(self) -> bool:
        """Whether it is the plain loop's, and no engine's."""
        return self.name == INLINE

    @property
    def deployed(self) -> list[Shaped]:
        """What the session has to offer: the pipeline, like steps of each size, and what people run beside it."""
        like = [each for each in pipelines() if each.shape]
        fixed = [Shaped(each.name, {each.size: n}) for each in like if each.fixed_by for n in self.chains]
        free = [Shaped(each.name) for each in like if not each.fixed_by and self.chains]
        beside = pipeline(self.pipeline).companions.values() if self.operations else ()
        return [Shaped(self.pipeline), *fixed, *free, *map(Shaped, beside)]

    @property
    def title(self) -> str:
        """For people: `block 1: double tuned`."""
        words = (self.name, "" if self.loop else str(self.track))
        return f"block {self.block}: {' '.join(filter(None, words))}{f', {self.topic}' if self.topic else ''}"


@dataclass(frozen=True, slots=True)
class Cell:
    """One question to one arm in one block, or one of its topics, or several that are measured at once."""

    planned: Planned
    question: Priced
    cost_s: float
    topics: tuple[str, ...] = ()
    subject: Any = None
    """What the question needs to measure it."""

    @property
    def title(self) -> str:
        """For people."""
        return ": ".join(filter(None, (self.planned.title, self.question.key, ", ".join(self.topics))))

    @property
    def essential(self) -> bool:
        """Whether its block is there for it."""
        return self.question.essential and not self.planned.topic

    @property
    def opening(self) -> bool:
        """Whether it is what brings the engine up, and so always measured in a session that is opened."""
        return self.question.base and not self.planned.loop

    @property
    def keys(self) -> tuple[Key, ...]:
        """One for each of its topics."""
        return tuple(key(one) for one in self.noted("done"))

    def noted(
        self, state: str, *, actual_s: float = 0.0, estimated_s: float = 0.0, reason: str = ""
    ) -> list[records.Cell]:
        """What the manifest says of it; topics that were measured at once have a part of the seconds each."""
        one, topics = self.planned, self.topics or ("",)
        return [
            records.Cell(
                name=": ".join(filter(None, (one.title, self.question.key, topic))),
                engine=one.name, track="" if one.loop else str(one.track), pipeline=one.pipeline, block=one.block,
                session=one.topic, question=self.question.key, topic=topic, estimated_s=estimated_s,
                state=state, actual_s=actual_s / len(topics), reason=reason,  # type: ignore[arg-type]
            )
            for topic in topics
        ]  # fmt: skip

    def without(self, done: Collection[Key]) -> Cell | None:
        """The cell with the topics that are still to be measured; None if there is none."""
        left = tuple(one.topic for one in self.noted("done") if key(one) not in done)
        return replace(self, topics=left if self.topics else ()) if left else None


def key(cell: records.Cell) -> Key:
    """What tells a cell in the manifest from all others."""
    return cell.engine, cell.track, cell.pipeline, cell.block, cell.session, cell.question, cell.topic


def sessions(cells: Iterable[Cell]) -> list[list[Cell]]:
    """Consecutive cells that are measured in one session."""
    return [list(own) for _, own in groupby(cells, key=lambda one: one.planned)]


def blocks(cells: Iterable[Cell]) -> list[list[Cell]]:
    """Consecutive cells of one block."""
    return [list(own) for _, own in groupby(cells, key=lambda one: one.planned.block)]


AFTER = "what follows the blocks"


def parts(cells: Iterable[Cell]) -> list[list[Cell]]:
    """Consecutive cells of one block's sessions in which arms are timed, or of those that follow them."""
    return [list(own) for _, own in groupby(cells, key=lambda one: (one.planned.block, bool(one.planned.topic)))]


def coming(cells: Iterable[Cell], blocks: int) -> list[str]:
    """The parts of some cells, as people call them; of so many blocks that were planned, and more for which there was
    time."""
    found = (part[0].planned for part in parts(cells))
    return list(dict.fromkeys(AFTER if one.topic else _titled(one.block, blocks) for one in found))


def _titled(block: int, blocks: int) -> str:
    return f"block {block} of {blocks}" if block <= blocks else f"block {block}"


def waiting(cells: Sequence[Cell], done: Collection[Key]) -> list[Cell]:
    """Those that are still to be measured."""
    return [left for one in cells if (left := one.without(done))]


def course(left: Sequence[Cell], queue: Iterable[Cell]) -> list[Cell]:
    """What is left of a session, with what of the queue has to be done again before it can be measured."""
    before = [one for one in left if one.question.needs is Needs.ENVIRONMENT]
    after = [one for one in left if one not in before]
    if not any(one.question.needs is Needs.UP for one in after):
        return list(left)
    base = [one for one in queue if one.planned == left[0].planned and one.opening and one not in left]
    return [*before, *base, *after]

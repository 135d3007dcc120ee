"""The queue: what is measured, in which order. Sessions are drawn into an order, blocks follow one another."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bench.contract.targets import Targets
from bench.contract.words import Track
from bench.plan import pipelines
from bench.plan.arms import INLINE, Arm
from bench.plan.budgets import Budget
from bench.plan.cell import Cell, Planned
from bench.plan.priced import ONLY_BLOCKS, Ask, Needs, Priced, Topic
from bench.plan.workloads import Workload

NOTHING_KNOWN: Mapping[str, Targets] = {}


def plan(
    budget: Budget,
    questions: Sequence[Priced],
    arms: Sequence[Arm],
    only: Sequence[str],
    *,
    seed: int,
    targets: Mapping[str, Targets] = NOTHING_KNOWN,
) -> list[Cell]:
    """All cells in their order. In each block every arm has its sessions, in an order drawn from the seed.

    `only` are groups of questions, all if empty; `targets` what faults can strike, by engine. An arm that has nothing
    to measure in a block has no session in it; a block in which none has is not planned.
    """
    return _Planner(budget, sorted(questions, key=lambda one: one.order), arms, only, seed, targets).queue()


@dataclass(frozen=True, slots=True)
class _Planner:
    budget: Budget
    questions: Sequence[Priced]
    arms: Sequence[Arm]
    only: Sequence[str]
    seed: int
    targets: Mapping[str, Targets]

    def _blocks(self, question: Priced) -> int:
        """In how many first blocks it is asked."""
        held = question.budgets.get(self.budget.name, 0)
        if not self.only:
            return held
        return held or ONLY_BLOCKS if question.base or question.group in self.only else 0

    def queue(self) -> list[Cell]:
        draw = random.Random(f"order {self.seed}")  # noqa: S311 - an order, not a secret
        found: list[Cell] = []
        for block in range(1, self.budget.most_blocks + 1):
            wanted = [one for one in self.questions if block <= self._blocks(one)]
            sessions = [own for arm in self.arms for own in self._sessions(arm, block, wanted)]
            if sessions or any(one.needs is Needs.NOTHING for one in wanted):
                sessions.append(self._loop(block, wanted))
                draw.shuffle(sessions)
                sessions.sort(key=lambda own: any(one.question.last for one in own))
                if block == 1:  # its output is what every other run is checked against
                    sessions.sort(key=lambda own: not own[0].planned.loop)
            found += [one for own in sessions for one in own]
        return found

    def _loop(self, block: int, wanted: Sequence[Priced]) -> list[Cell]:
        """The plain loop runs every pipeline of the block, as what the engines' runs are held against."""
        names = tuple(dict.fromkeys(arm.pipeline for arm in self.arms)) or pipelines.default()
        needed = (*map(Workload, names), *self._workloads(wanted))
        planned = Planned(INLINE, Track.TUNED, block, names[0], needed)
        own = [one for one in wanted if one.needs in (Needs.NOTHING, Needs.LOOP)]
        return [cell for one in own for cell in self._cells(planned, one)]

    def _sessions(self, arm: Arm, block: int, wanted: Sequence[Priced]) -> list[list[Cell]]:
        """The arm's session, and those that some of its questions have beside it."""
        first = arm.pipeline == self.arms[0].pipeline
        own = [one for one in wanted if one.suits(self.budget, arm.track, again=arm.again)]
        own = [one for one in own if first or not one.of_engine]
        places = {one.session_in(self.budget): one.last for one in own}
        found = [self._session(arm, block, place, own) for place in sorted(places, key=lambda name: places[name])]
        return [cells for cells in found if any(map(self._asked, cells))]

    def _asked(self, cell: Cell) -> bool:
        """Whether a session is opened for it: not for what it only takes to open one, unless that is the question."""
        question = cell.question
        return not question.base or (bool(self.only) and question.group in self.only and not cell.planned.topic)

    def _session(self, arm: Arm, block: int, place: str, own: Sequence[Priced]) -> list[Cell]:
        mine = [one for one in own if one.base or one.session_in(self.budget) == place]
        needed = self._workloads(mine)
        companions = self.budget.thorough and any(one.companions for one in mine)
        planned = Planned(
            arm.name, arm.track, block, arm.pipeline, needed, self._chains(arm, needed, companions=companions),
            companions, max((one.step_timeout_s for one in mine), default=0.0), place,
            limited=arm.track is Track.TUNED and any(one.limited for one in mine),
        )  # fmt: skip
        return [cell for one in mine for cell in self._cells(planned, one)]

    def _cells(self, planned: Planned, question: Priced) -> Iterable[Cell]:
        targets = self.targets.get(planned.engine, {})
        ask = Ask(self.budget, planned.track, planned.block, self.seed, targets, planned.pipeline)
        topics = [Topic((), question.cost_s[planned.track])] if question.cells is None else question.cells(ask)
        return [Cell(planned, question, one.cost_s, one.names, one.subject) for one in topics]

    def _workloads(self, questions: Iterable[Priced]) -> tuple[Workload, ...]:
        """What some questions need, each once, the small before the large."""
        found = {one: None for question in questions for one in question.workloads(self.budget)}
        return tuple(sorted(found, key=lambda one: one.size))

    def _chains(self, arm: Arm, needed: tuple[Workload, ...], *, companions: bool) -> tuple[int, ...]:
        """Sizes that are fixed at deployment: also those with which other isolations and the probe come."""
        found = {one.size for one in needed if one.declared.fixed_by}
        sizes = set(self.budget.sizes)
        if self.budget.variants and arm.track in self.budget.deep_tracks:
            found |= {min(sizes)} if self.budget.apart else sizes
        return tuple(sorted(found | ({min(sizes)} if companions else set())))

"""The queue: what is measured, in which order. Sessions are drawn into an order, blocks follow one another."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bench.contract.settings import Storage
from bench.contract.targets import Targets
from bench.contract.words import Track
from bench.plan import pipelines
from bench.plan.arms import AGAIN, INLINE, STORED, VERSION, Arm
from bench.plan.budgets import Budget
from bench.plan.cell import Cell, Planned
from bench.plan.priced import ONLY_BLOCKS, Ask, Needs, Priced, Topic
from bench.plan.workloads import Workload

NOTHING_KNOWN: Mapping[str, Targets] = {}
AT_LEAST: Mapping[str, int] = {}
THE_USUAL: Mapping[str, Sequence[Storage]] = {}


def plan(
    budget: Budget,
    questions: Sequence[Priced],
    arms: Sequence[Arm],
    only: Sequence[str],
    *,
    seed: int,
    targets: Mapping[str, Targets] = NOTHING_KNOWN,
    samples: Mapping[str, int] = AT_LEAST,
    storages: Mapping[str, Sequence[Storage]] = THE_USUAL,
) -> list[Cell]:
    """All cells in their order. In each block every arm has its sessions, in an order drawn from the seed.

    First those in which arms are timed, those of a track one after another; then what takes longer. `only` are groups
    of questions, all if empty; `targets` what faults can strike, by engine; `samples` how many a session has on tuned
    settings, by engine, where that is not the least of the budget; `storages` which an engine offers beside its usual
    one. An arm that has nothing to measure in a block has no session in it; a block in which none has is not planned.
    """
    counts = {one.key: _blocks(one, budget, only) for one in questions}
    wanted = sorted((one for one in questions if counts[one.key]), key=lambda one: one.order)
    longest = max((counts[one.key] for one in wanted if not one.base), default=1)
    last = min(budget.blocks, longest)
    return _Planner(budget, wanted, arms, only, seed, targets, samples, storages, counts, last).queue()


def _blocks(question: Priced, budget: Budget, only: Sequence[str]) -> int:
    """In how many blocks it is asked."""
    held = question.budgets.get(budget.name, 0)
    if not only:
        return held
    return held or ONLY_BLOCKS if question.base or question.group in only else 0


@dataclass(frozen=True, slots=True)
class _Planner:
    budget: Budget
    questions: Sequence[Priced]
    arms: Sequence[Arm]
    only: Sequence[str]
    seed: int
    targets: Mapping[str, Targets]
    samples: Mapping[str, int]
    storages: Mapping[str, Sequence[Storage]]
    counts: Mapping[str, int]
    """Question -> in how many blocks it is asked."""
    last: int
    """The last of the planned blocks."""

    def _asked(self, question: Priced, block: int) -> int:
        """How many-th block it is of those in which the question is asked; 0 if it is none of them."""
        held, apart = self.counts[question.key], question.session_in(self.budget) and not question.of_loop
        before = max(0, self.last - held) if apart else 0
        return block - before if before < block <= before + held else 0

    def queue(self) -> list[Cell]:
        draw = random.Random(f"order {self.seed}")  # noqa: S311 - an order, not a secret
        found: list[Cell] = []
        for block in range(1, self.budget.most_blocks + 1):
            wanted = [one for one in self.questions if self._asked(one, block)]
            sessions = [own for arm in self._arms(block) for own in self._sessions(arm, block, wanted)]
            if sessions or any(one.needs is Needs.NOTHING for one in wanted):
                sessions.append(self._loop(block, wanted, first=not found))
                draw.shuffle(sessions)
                tracks = list(dict.fromkeys(own[0].planned.track for own in sessions))
                sessions.sort(key=lambda own: (self._place(own), tracks.index(own[0].planned.track)))
                if not found:  # its output is what every other run is checked against
                    sessions.sort(key=lambda own: not own[0].planned.loop)
            found += [one for own in sessions for one in own]
        return found

    def _arms(self, block: int) -> list[Arm]:
        """Those that are measured in a block: all of a plan with one track, else of some tracks not in every block."""
        tracks = {arm.track for arm in self.arms}
        return [arm for arm in self.arms if len(tracks) == 1 or block <= self.budget.often[arm.track].blocks]

    def _place(self, own: list[Cell]) -> tuple[bool, int]:
        """Of a session in its block: those in which arms are timed are the first."""
        kinds, topic = ["", *self.budget.sessions.values()], own[0].planned.topic
        return any(one.question.last for one in own), kinds.index(topic) if topic in kinds else len(kinds)

    def _loop(self, block: int, wanted: Sequence[Priced], *, first: bool) -> list[Cell]:
        """The plain loop runs every pipeline of the block, as what the engines' runs are held against; first of all
        those of all blocks, so that no later one has need of another."""
        names = tuple(dict.fromkeys(arm.pipeline for arm in self.arms)) or pipelines.default()
        needed = (*map(Workload, names), *self._workloads(self.questions if first else wanted))
        planned = Planned(INLINE, Track.TUNED, block, names[0], needed)
        return [cell for one in wanted if one.of_loop for cell in self._cells(planned, one)]

    def _sessions(self, arm: Arm, block: int, wanted: Sequence[Priced]) -> list[list[Cell]]:
        """The session in which the arm is timed, and those that some of its questions have beside it."""
        first = arm.pipeline == self.arms[0].pipeline
        own = [one for one in wanted if one.suits(self.budget, arm.track, again=arm.again)]
        own = [one for one in own if first or not one.of_engine]
        places = dict.fromkeys(one.session_in(self.budget) for one in own)
        found = [self._session(arm, block, place, own) for place in places]
        stored = [one for one in own if one.base or one.stored]
        places = dict.fromkeys(one.session_in(self.budget) for one in own if one.stored)
        found += [self._session(arm, block, at, stored, other.name) for other in self._storages(arm) for at in places]
        return [cells for cells in found if any(map(self._opens, cells))]

    def _storages(self, arm: Arm) -> Sequence[Storage]:
        """The other storages that are measured of an arm: not of the second, A/A arm."""
        wanted = self.budget.variants and arm.track is Track.TUNED and not arm.again
        return self.storages.get(arm.name.partition(VERSION)[0], ()) if wanted else ()

    def _opens(self, cell: Cell) -> bool:
        """Whether a session is opened for it: not for what it only takes to open one, unless that is the question."""
        question = cell.question
        return not question.base or (bool(self.only) and question.group in self.only and not cell.planned.topic)

    def _session(self, arm: Arm, block: int, place: str, own: Sequence[Priced], storage: str = "") -> list[Cell]:
        mine = [one for one in own if not one.base and one.session_in(self.budget) == place]
        if not place or any(one.needs is Needs.UP for one in mine):  # what needs no server has none brought up
            mine = [one for one in own if one.base or one in mine]
        needed = self._workloads(mine)
        companions = self.budget.thorough and any(one.companions for one in mine)
        name, topic = (arm.name + STORED + storage, place or storage) if storage else (arm.name, place)
        planned = Planned(
            name, arm.track, block, arm.pipeline, needed, self._chains(needed, companions=companions),
            companions, max((one.step_timeout_s for one in mine), default=0.0), topic, storage=storage,
            limited=arm.track is Track.TUNED and any(one.limited for one in mine),
            samples=0 if topic else self._samples(arm),
            variants=not topic and self.budget.variants and arm.track in self.budget.deep_tracks,
        )  # fmt: skip
        return [cell for one in mine for cell in self._cells(planned, one)]

    def _samples(self, arm: Arm) -> int:
        """How many a session of the arm has; of the A/A arm as many as of the engine that it is once more."""
        least, _ = self.budget.often[arm.track].samples
        return self.samples.get(arm.name.removesuffix(AGAIN), least) if arm.track is Track.TUNED else least

    def _cells(self, planned: Planned, question: Priced) -> Iterable[Cell]:
        ask = Ask(
            self.budget, planned.track, self._asked(question, planned.block), self.seed,
            self.targets.get(planned.engine, {}), planned.pipeline, planned.samples,
            planned.variants and not planned.again,
        )  # fmt: skip
        topics = [Topic((), question.cost_s[planned.track])] if question.cells is None else question.cells(ask)
        return [Cell(planned, question, one.cost_s, one.names, one.subject) for one in topics]

    def _workloads(self, questions: Iterable[Priced]) -> tuple[Workload, ...]:
        """What some questions need, each once, the small before the large."""
        found = {one: None for question in questions for one in question.workloads(self.budget)}
        return tuple(sorted(found, key=lambda one: one.size))

    def _chains(self, needed: tuple[Workload, ...], *, companions: bool) -> tuple[int, ...]:
        """Sizes that are fixed at deployment: also the one with which the probe comes."""
        found = {one.size for one in needed if one.declared.fixed_by}
        return tuple(sorted(found | ({min(self.budget.sizes)} if companions else set())))

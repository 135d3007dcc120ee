"""What a plan has to know of a question: what it needs, what it costs, and of which cells it is made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from bench.contract.targets import Targets
from bench.contract.words import Track
from bench.plan.budgets import DEEP, Budget
from bench.plan.workloads import Workload

ALL = 1_000
"""Every block."""
ONLY_BLOCKS = 3
"""In how many blocks a question is asked that the budget leaves to `--only`."""


class Needs(StrEnum):
    """In what kind of session it is measured."""

    NOTHING = "nothing"
    """No run: it belongs to the plain loop's first session."""
    LOOP = "loop"
    """The plain loop."""
    ENVIRONMENT = "environment"
    """An engine's session, before anything is started in it."""
    UP = "up"
    """A server that is up."""
    LOCAL = "local"
    """The mode without a server, in the same session, with the server stopped."""


class Of(StrEnum):
    """Of which of an engine's arms it is asked. A second, A/A arm is asked what every arm is, and no more."""

    EVERY = "every"
    DEEP = "deep"
    """Those on the tracks on which the budget goes deeper."""
    TUNED = "tuned"
    """The one on tuned settings: what does not depend on them."""


class Topic(NamedTuple):
    """What one cell of a question is about."""

    names: tuple[str, ...]
    """One, or those that are measured at once; none where a question is one cell."""
    cost_s: float
    subject: Any = None
    """What the question needs to measure it."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What a question is told when it is asked for its cells."""

    budget: Budget
    track: Track
    block: int
    """How many-th block it is of those in which the question is asked."""
    seed: int
    targets: Targets
    """What faults can strike in the engine."""
    pipeline: str
    """The one that is measured."""
    samples: int = 1
    """Served runs of the session beside its warm-ups."""
    others: bool = False
    """Whether the engine's other isolations are measured in it."""


def no_workloads(_: Budget) -> tuple[Workload, ...]:
    """Of a question that conducts the arm's own pipeline alone."""
    return ()


@dataclass(frozen=True, kw_only=True)
class Priced:
    """A question as the plan sees it."""

    key: str
    group: str = ""
    """What `--only` names; empty if nobody asks for it alone."""
    order: int
    """Its place in a session."""
    needs: Needs
    of: Of = Of.DEEP
    budgets: Mapping[str, int] = field(default_factory=dict)
    """Budget -> in how many blocks it is asked; budgets that are not named leave it to `--only`. They are the first
    blocks; of what has a session beside those in which arms are timed, the last that are planned."""
    cost_s: Mapping[Track, float]
    """Rough seconds of a cell on two cores; the same for every engine, so that none is favoured when time is short."""
    base: bool = False
    """Whether nothing else of its session can be measured without it: it is asked whatever else is."""
    essential: bool = False
    """What every block is for: other questions give way to it where time is short."""
    of_engine: bool = False
    """Whether the answer is the same whichever pipeline is conducted: it is asked with the first alone."""
    breaks: bool = False
    """Whether it breaks things on purpose: what fails in a cell is that cell's alone, and a new session goes on."""
    workloads: Callable[[Budget], tuple[Workload, ...]] = no_workloads
    """What has to be deployed for it, and run by the plain loop before."""
    companions: bool = False
    """Whether what people run beside the pipeline is deployed, in budgets that are thorough."""
    cells: Callable[[Ask], Iterable[Topic]] | None = None
    """Of what it is made; None: one cell."""
    session: str = DEEP
    """In which kind of session it is asked; empty: in the one in which the arm is timed. See `Budget.sessions`."""
    apart: bool = False
    """Whether it has that session in every budget."""
    last: bool = False
    """Whether that session comes after those of all arms."""
    limited: bool = False
    """Whether several runs are up at once in that session, so that steps at once are limited over all of them. On
    tuned settings: the stock track keeps the defaults."""
    stored: bool = False
    """Whether it is asked once more of each other storage that an engine offers, in a session of that arm's own, where
    the budget measures what engines offer beside their usual way. On tuned settings."""
    step_timeout_s: float = 0.0
    """The time limit of a step that it wants in its session; 0: the usual one."""
    failed_as: str = ""
    """The metric in which an engine that failed gets a row that says so."""

    def session_in(self, budget: Budget) -> str:
        """Name of its session in a budget; empty for the arm's main one."""
        return self.session if self.apart else budget.sessions.get(self.session, "")

    @property
    def of_loop(self) -> bool:
        """Whether it is asked in the plain loop's session, and of no engine."""
        return self.needs in (Needs.NOTHING, Needs.LOOP)

    def suits(self, budget: Budget, track: Track, *, again: bool) -> bool:
        """Whether it is asked of an engine's arm."""
        if self.of_loop:
            return False
        if self.of is Of.EVERY:
            return True
        return not again and (track in budget.deep_tracks if self.of is Of.DEEP else track is Track.TUNED)

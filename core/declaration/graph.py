"""The shape of a pipeline, as data: what is done, after what, and when it is not done at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum


class Kind(StrEnum):
    """When a step runs, how often, and what it is given beside the results of the steps before it."""

    STEP = "step"
    """Once, after all before it have succeeded."""
    MAP = "map"
    """Once for each item of the list that the step `over` returned, which is known only then. Given the item first."""
    BRANCH = "branch"
    """As a step; it returns the name of the one of its `arms` that runs. The others do not."""
    JOIN = "join"
    """Once those before it that run at all have succeeded. Given the results of these."""
    PARTITION = "partition"
    """Once for each partition that is asked for, such as a day: a run has one. Given the partition's key first."""
    ALWAYS = "always"
    """Once all before it have ended in any way. Given no results."""


MANY = (Kind.MAP, Kind.PARTITION)
"""Kinds of which a run has as many instances as it is asked for."""


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a step is tried again: `retries` more times, `delay_s` seconds apart."""

    retries: int = 2
    delay_s: float = 2.0


@dataclass(frozen=True, slots=True)
class Step:
    """One unit of work, or as many like ones as a run turns out to have."""

    name: str
    upstream: tuple[str, ...] = ()
    kind: Kind = Kind.STEP
    over: str = ""
    """Of a map: the step whose list it is mapped over, which is one of `upstream`."""
    arms: tuple[str, ...] = ()
    """Of a branch: the steps of which one runs. Each has the branch among its `upstream`."""
    call: str = ""
    """The function that does the work; empty means the one of the step's own name."""
    item: str | int | None = None
    """What the function is given first: of an instance its item or key."""
    spelling: str = "{}"
    """How an instance's item is written behind the name: `work_0001` with "{:04d}"."""
    retry: Retry = field(default_factory=Retry)

    @property
    def function(self) -> str:
        """Name of the function that does the work."""
        return self.call or self.name

    @property
    def many(self) -> bool:
        """Whether a run has as many of it as it is asked for."""
        return self.kind in MANY

    def instance(self, item: str | int) -> Step:
        """One of many like steps, named after its item."""
        one = f"{self.name}_{self.spelling.format(item)}"
        return replace(self, name=one, kind=Kind.STEP, over="", call=self.function, item=item)

    def spells(self, name: str) -> bool:
        """Whether one of many like steps could be called so."""
        text = name.removeprefix(f"{self.name}_")
        if not self.many or not text or text == name:
            return False
        for item in (text, int(text)) if text.isdecimal() else (text,):
            with suppress(ValueError):  # of a text where the spelling is for numbers
                if self.instance(item).name == name:
                    return True
        return False


@dataclass(frozen=True, slots=True)
class Graph:
    """Steps in an order that respects `upstream`."""

    steps: tuple[Step, ...]

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def step(self, name: str) -> Step:
        """Return the step called `name`; KeyError if there is none."""
        found = next((one for one in self.steps if one.name == name), None)
        if found is None:
            raise KeyError(f"no step {name!r}; there are {', '.join(one.name for one in self.steps)}")
        return found

    def declared(self, name: str) -> Step | None:
        """The step of this name, or of which it is an instance; None if it is neither."""
        exact = next((one for one in self.steps if one.name == name), None)
        of_many = (one for one in self.steps if one.many and name.startswith(f"{one.name}_"))
        return exact or max(of_many, key=lambda one: len(one.name), default=None)

    def may_run(self, name: str) -> bool:
        """Whether a run could have a step of this name: of many like ones an instance."""
        found = self.declared(name)
        return found is not None and (found.spells(name) if found.many else True)

    def branch_of(self, step: Step) -> Step | None:
        """The branch of which the step is an arm."""
        return next((one for one in self.steps if step.name in one.arms), None)

    def inputs(self, step: Step) -> tuple[str, ...]:
        """The steps before it whose results it is given: not what it is mapped over, nor a branch's choice."""
        if step.kind is Kind.ALWAYS:
            return ()
        return tuple(n for n in step.upstream if n != step.over and self.step(n).kind is not Kind.BRANCH)

    def unrolled(self, names: Iterable[str]) -> Graph:
        """The graph of one run: in the place of each of many like steps stand its instances among `names`.

        Where there are none, what comes after them comes after what they would have waited for.
        """
        met = list(dict.fromkeys(names))
        stands_for: dict[str, tuple[str, ...]] = {}
        found: list[Step] = []
        for one in self.steps:
            upstream = tuple(dict.fromkeys(each for name in one.upstream for each in stands_for[name]))
            of_run = replace(one, upstream=upstream)
            if not one.many:
                stands_for[one.name] = (one.name,)
                found.append(of_run)
                continue
            instances = tuple(n for n in met if n != one.name and self.declared(n) is one)
            stands_for[one.name] = instances or upstream
            found += (replace(of_run, name=n, kind=Kind.STEP, over="", call=one.function) for n in instances)
        return Graph(tuple(found))

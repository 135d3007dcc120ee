"""What a pipeline's folder declares of itself: all that a harness or an engine has to know of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from core.declaration.graph import Graph, Step

NOTHING: Mapping[Any, Any] = MappingProxyType({})


class Part(StrEnum):
    """Which of its steps a fault may meet: scenarios name these, never a step."""

    EARLY = "early"
    """It comes before work worth keeping, and others use what it makes."""
    HEAVY = "heavy"
    """It comes after work worth keeping and before the effect."""
    EFFECT = "effect"
    """It changes something that outlives the run."""
    LAST = "last"
    """Nothing comes after it."""


class Shape(StrEnum):
    """How the like steps lie of a pipeline that has no other purpose than to be conducted."""

    SERIES = "series"
    PARALLEL = "parallel"


class Companion(StrEnum):
    """What people run beside a pipeline."""

    ROLL_BACK = "roll_back"
    """After a bad deployment it makes the last good state current again."""
    BY_DAY = "by_day"
    """One run for each day of a range."""


@dataclass(frozen=True, slots=True)
class Data:
    """The source data of every run of a result."""

    settings: Mapping[str, Any]
    """What every run's settings hold because of it. JSON; paths are absolute."""
    about: Mapping[str, Any]
    """For people and for comparisons: name, generated, rows, columns, digest ...; no path of this machine."""
    files: tuple[Path, ...] = ()
    """What must not change while it is used."""


class Source(Protocol):
    """Where a pipeline's data come from. Errors are ConfigError or DataError, in one line each."""

    def generated(self, folder: Path, seed: int, rows: int | None = None) -> Data:
        """The built-in data, written into the folder unless they are there already; None: as many rows as it likes."""

    def given(self, options: Mapping[str, Any], seed: int) -> Data:
        """A user's own data, checked: `data` and `test_data` are paths, `target` a name; each may be None."""

    def empty(self, data: Data, folder: Path) -> Mapping[str, Any]:
        """Settings that a run has instead when its source holds no rows; files of that go into the folder."""

    def renamed(self, data: Data, folder: Path) -> Mapping[str, Any]:
        """Settings that a run has instead when a column of its source has another name since yesterday."""


def always(graph: Graph) -> Callable[[Mapping[str, Any]], Graph]:
    """Of a pipeline whose graph is the same whatever its settings."""
    return lambda _: graph


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """A pipeline's folder, in one record."""

    name: str
    """The folder's."""
    title: str
    """In a sentence: 'the training pipeline'."""
    graph: Callable[[Mapping[str, Any]], Graph]
    """Settings -> graph. Only what `fixed_by` names may matter."""
    fixed_by: tuple[str, ...] = ()
    """Settings that fix the graph when it is deployed: it is offered once for each of their values, as `chain_5`."""
    settings: type[Any]
    """Its own configuration, a msgspec.Struct: validated, each field with its help."""
    code: str = ""
    """Module with the functions of its steps; empty: `core.pipelines.<name>.steps`."""
    bare: str = ""
    """Module that does the same job without core: run with a run's configuration and a folder, it leaves the artifact
    with the figures of merit in the folder. Empty: there is none."""
    source: str = ""
    """Module with its `SOURCE`, loaded only where data are made ready; empty: it has no source data."""
    artifacts: Mapping[str, str] = field(default_factory=dict)
    """Step -> what it leaves, below the run's folder unless it is an effect. All are digested by content."""
    merit: str = ""
    """The artifact with figures of merit, as JSON; empty if it has none."""
    effects: tuple[str, ...] = ()
    """Kinds of what it changes outside of a run."""
    with_effect: Mapping[str, Any] = field(default_factory=dict)
    """Settings with which the step that is `Part.EFFECT` runs whatever its data are, so that a fault can meet it."""
    outside: str = ""
    """Module with `state(effects_dir)`, which says what of that stands now; empty: nobody can tell."""
    parts: Mapping[Part, str] = field(default_factory=dict)
    """Part -> step; of many like steps one that every run has, except where each run has another, as of partitions."""
    bulky: tuple[str, ...] = ()
    """Folders of a run that may be dropped once it is judged."""
    rows: str = "rows"
    """What a reference counts."""
    size: str = ""
    """The setting by which it grows."""
    shape: Shape | None = None
    """Set if its steps do no work of their own: then it measures how it is conducted, by `size`."""
    family: str = ""
    """Pipelines of one family work on the same things; of those with a role each is a companion of the others."""
    role: Companion | None = None
    """What people run it for, beside the others of its family."""
    companions: Mapping[Companion, str] = field(default_factory=dict)
    """Role -> pipeline of its family. Filled in where pipelines are found."""
    timeout_factor: float = 0.0
    """How long a run may take, in time limits of a step; 0 is without a limit."""
    default: bool = False
    """Whether it is measured where nobody asks for another one."""

    def offered(self, settings: Mapping[str, Any] = NOTHING) -> str:
        """The name under which engines offer it with these settings."""
        return "_".join([self.name, *(str(settings[one]) for one in self.fixed_by)])

    def part(self, part: Part) -> str:
        """The step that is this part; KeyError if the pipeline declares none."""
        if part not in self.parts:
            raise KeyError(f"{self.name} declares no {part} step")
        return self.parts[part]

    def state(self, effects_dir: Path) -> str:
        """What its effects have left standing there: such as the version that is current."""
        return str(import_module(self.outside).state(effects_dir)) if self.outside else ""

    def data_source(self) -> Source | None:
        """Where its data come from."""
        found: Source | None = import_module(self.source).SOURCE if self.source else None
        return found

    @property
    def module(self) -> str:
        """The module with the functions of its steps."""
        return self.code or f"core.pipelines.{self.name}.steps"

    def work(self, step: Step) -> Callable[..., Any]:
        """The function of a step, loaded when it is first asked for."""
        function: Callable[..., Any] = getattr(import_module(self.module), step.function)
        return function

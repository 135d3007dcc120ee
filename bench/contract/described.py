"""What a result says of engines and pipelines as they declare themselves, and of what others have published."""

from __future__ import annotations

from typing import Any

import msgspec


class DeclaredEngine(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine's adapter declares of itself that a reader is shown."""

    name: str
    title: str
    """As people write it."""
    place: int = 0
    """Engines stand in this order, those alike by name."""
    colour: str = ""
    """Of the report's palette: engine-1 to engine-6; empty: the next that is free."""
    shape: str = ""
    """Of its points in charts; empty: the next that is free."""
    engine_class: str = ""
    """served, durable, library or local runner."""
    language: str = ""
    """Of its pipelines' code."""
    credentials: bool | None = None
    """Whether its API asks for them, drawn for each session; none if that was not recorded."""
    roles: dict[str, str] = {}
    """Role -> what it has in common with roles of others: 'scheduling', 'worker', 'database'."""


class DeclaredPipeline(msgspec.Struct, frozen=True, kw_only=True):
    """What a pipeline declares of itself, as it was measured."""

    name: str
    title: str
    """In a sentence: 'the training pipeline', 'a chain'."""
    steps: tuple[str, ...] = ()
    """In their order; of many like steps the one that is declared."""
    in_turn: bool = False
    """Whether no two of its steps are ever under way at once."""
    size: str = ""
    """The parameter by which it grows."""
    shape: str = ""
    """series or parallel, where its steps do no work of their own; empty for a pipeline with a purpose."""
    companion: bool = False
    """Whether people run it beside another one only."""
    effects: tuple[str, ...] = ()
    """Kinds of what it changes outside of a run."""

    @property
    def plain(self) -> bool:
        """Whether it is measured for its own sake, not for its size or beside another."""
        return not (self.shape or self.companion)


class PublishedFigure(msgspec.Struct, frozen=True, kw_only=True):
    """A figure that others have published, as its source gives it; not measured here."""

    system: str
    """As people write it."""
    version: str = ""
    engine: str = ""
    """The engine's name, where it is one that can be measured here."""
    pipeline: str
    params: dict[str, Any]
    """Of the pipeline that it stands beside."""
    label: str
    """What that is, for people: '40 × fib(10) in sequence'."""
    seconds: float


class PublishedSource(msgspec.Struct, frozen=True, kw_only=True):
    """Who has published figures, and what a reader must know of them."""

    name: str
    address: str
    machine: str
    remark: str

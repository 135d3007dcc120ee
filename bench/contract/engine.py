"""The words by which an adapter declares what sort of engine it is for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class EngineClass(StrEnum):
    """What people would call an engine, by what has to run for it."""

    SERVED = "served"
    """Services that conduct runs, and an API to ask them."""
    DURABLE = "durable"
    """Services that keep each run's history, and workers that replay it."""
    LIBRARY = "library"
    """Code in the process that starts a run, with a database at most."""
    RUNNER = "local runner"
    """A program that conducts one run and ends."""


class Mode(StrEnum):
    """How a run can be had."""

    SERVED = "served"
    """Submitted to an engine that is up."""
    LOCAL = "local"
    """In a fresh process, without a server."""


class Database(StrEnum):
    """Where an engine keeps its own data on a track."""

    NONE = "none"
    SQLITE = "sqlite"
    POSTGRES = "postgres"


class Submission(StrEnum):
    """How a run is submitted."""

    API = "api"
    """By a request to the endpoint."""
    CLIENT = "client"
    """By a client process that the harness starts."""


@dataclass(frozen=True, slots=True)
class Language:
    """What an engine's pipelines are written in."""

    name: str
    suffixes: tuple[str, ...]
    """Of the files that are counted and shown."""


PYTHON = Language("Python", (".py",))

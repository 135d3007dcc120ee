"""Counts code, by the language in which it is written."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from bench.questions.counting.python import Python


class Counter(Protocol):
    """What counts one language. OSError, SyntaxError or CalledProcessError if a file cannot be read."""

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Of the files in which it is written."""

    def lines(self, path: Path) -> list[int]:
        """Numbers, from 1, of the lines that count as code."""

    def sloc(self, paths: Sequence[Path]) -> int:
        """How many such lines some files have, formatted alike."""

    def modules(self, path: Path) -> set[str]:
        """Names of the modules that a file takes in, up to their first dot."""

    def symbols(self, paths: Sequence[Path], own: Collection[str]) -> set[str]:
        """Distinct names that the files take from elsewhere than `own` modules."""

    def count(self, paths: Sequence[Path], own: Collection[str]) -> dict[str, float]:
        """Size and complexity of the files together."""


PYTHON = "Python"
COUNTERS: Mapping[str, Counter] = {PYTHON: Python()}
"""By the language's name, as an engine declares it."""


def counter_of(path: Path) -> Counter | None:
    """What counts a file; None if nothing knows it."""
    return next((one for one in COUNTERS.values() if path.suffix in one.suffixes), None)


def counted_lines(path: Path) -> list[int]:
    """Numbers, from 1, of the lines of a file that count as code; none of a file that no counter knows."""
    counter = counter_of(path)
    return counter.lines(path) if counter else []

"""What a user's file holds, told in one line of bearable length."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

MOST_CHARACTERS, MOST_NAMES = 60, 10


def short(text: object) -> str:
    """Without line ends, and cut."""
    line = " ".join(str(text).split())
    return line if len(line) <= MOST_CHARACTERS else f"{line[: MOST_CHARACTERS - 3]}..."


def na_options(words: Iterable[str]) -> str:
    """How one says that they stand for missing values."""
    return " ".join(f"--na {shlex.quote(short(word))}" for word in dict.fromkeys(words))


def listed(names: Iterable[object], *, quoted: bool = False) -> str:
    """The first of them, and how many there are more."""
    every = [repr(short(name)) if quoted else short(name) for name in names]
    more = len(every) - MOST_NAMES
    return ", ".join(every[:MOST_NAMES]) + (f" and {more:,} more" if more > 0 else "")

"""What runs now and how much time is left: live on a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
import re
import sys
from types import TracebackType
from typing import Self

import typer
from rich.console import Console
from rich.text import Text

CONTROL = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # a terminal's commands, ECMA-48: CSI
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"  # OSC and its like
    r"|\x1b.|[\x00-\x08\x0b-\x1f\x7f-\x9f]",
    re.DOTALL,
)


def printable(text: str) -> str:
    """Without what a terminal obeys: logs of engines and data of users stand in what is said."""
    return CONTROL.sub("", text)


class Progress:
    """Call it with what begins now and the seconds left."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        terminal = sys.stderr.isatty() and not quiet  # whatever FORCE_COLOR says: a log is no terminal
        self._console = Console(stderr=True, force_terminal=terminal)
        self._status = self._console.status("starting", refresh_per_second=2) if terminal else None

    def __call__(self, what: str, left_s: float) -> None:
        left = "" if math.isinf(left_s) else f" ({max(left_s, 0) / 60:.1f} minutes left)"
        what = printable(what)
        if not self.quiet:
            self._console.print(f"{what}{left}", markup=False, highlight=False, emoji=False, soft_wrap=True)
        if self._status:
            self._status.update(Text(f"{what}{left}"))  # which no brackets in it can change

    def note(self, text: str) -> None:
        """Say what a user should know before it begins."""
        if not self.quiet:
            typer.echo(printable(text), err=True)

    def __enter__(self) -> Self:
        if self._status:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status:
            self._status.stop()

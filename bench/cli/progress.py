"""What runs now and how much time is left: live on a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
from types import TracebackType
from typing import Self

from rich.console import Console


class Progress:
    """Call it with what begins now and the seconds left."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._status = self._console.status("starting", refresh_per_second=2) if self._console.is_terminal else None

    def __call__(self, what: str, left_s: float) -> None:
        left = "" if math.isinf(left_s) else f" ({max(left_s, 0) / 60:.1f} minutes left)"
        self._console.print(f"{what}{left}", markup=False, highlight=False)
        if self._status:
            self._status.update(f"{what}{left}")

    def __enter__(self) -> Self:
        if self._status:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status:
            self._status.stop()

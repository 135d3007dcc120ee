"""What a metric means: title, unit, which way is better, and how fine a difference may be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.declaration import Shape

Better = Literal["low", "high", "none"]
Kind = Literal["time", "exact", "seen", "outcome", "flag", "info"]


@dataclass(frozen=True, slots=True)
class Scale:
    """How a column of values is shown: a common unit, and what to multiply by."""

    unit: str
    factor: float = 1.0
    whole: bool = False
    """Counts: a value without a fraction is shown without one."""


@dataclass(frozen=True, slots=True)
class Metric:
    """`kind` decides how values are compared: times with the noise floor; facts (exact ones, flags) as they stand; what
    is seen in a run, which another may show otherwise, by the number of runs."""

    name: str
    title: str
    better: Better = "low"
    kind: Kind = "time"
    unit: str = "s"
    resolution: float = 0.0
    """Differences up to this are a tie: the polling interval for what the harness learns by asking."""
    help: str = ""
    tolerance: float = 1.0
    """Of exact values: ratios up to this are a tie, for a few lines or megabytes decide nothing."""
    scale: Scale | None = None
    """How it is always shown, where the size of the values is not to decide."""
    table: str = ""
    """Which of the report's tables it is a column of, where there are several about its question."""


@dataclass(frozen=True, slots=True)
class Headline:
    """A row of the scorecard: which metric answers the question, in which mode, of pipelines of which shape."""

    metric: str
    title: str
    mode: str = ""
    shape: Shape | None = None
    """None: of the arm's own pipeline."""

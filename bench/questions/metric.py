"""What a metric means: title, unit, which way is better, and how fine a difference may be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Better = Literal["low", "high", "none"]
Kind = Literal["time", "exact", "outcome", "flag", "info"]


@dataclass(frozen=True, slots=True)
class Scale:
    """How a column of values is shown: a common unit, and what to multiply by."""

    unit: str
    factor: float = 1.0
    whole: bool = False
    """Counts: a value without a fraction is shown without one."""


@dataclass(frozen=True, slots=True)
class Metric:
    """`kind` decides how values are compared: times with the noise floor, exact ones as they stand."""

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

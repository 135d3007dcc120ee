"""What earlier results showed of an engine's plain runs: from this, and from nothing else, is planned how often each
arm is run in a session. Nothing of the result at hand is in it."""

from __future__ import annotations

from dataclasses import dataclass

SOURCE = (
    "standard result of 2026-11-22 and, of the spread of six, four blocks of six samples a session on a quiet machine "
    "with two cores; tuned settings, the pipeline that is measured where nobody asks for another"
)


@dataclass(frozen=True, slots=True)
class Earlier:
    """Spreads are standard deviations of the logarithm. The defaults are what all engines showed together."""

    session_s: float = 33.0
    """Seconds that a session takes beside its samples: to come up, to warm up and to end."""
    run_s: float = 9.0
    """Seconds from one sample to the next."""
    within: float = 0.06
    """Of runs within a session: 5 to 7 % were seen, too alike to part the engines by it."""
    of_six: float = 0.04
    """Of a session's value, where that is the median of six runs."""
    source: str = SOURCE

"""Whether values keep to a period: latencies that come in steps of an interval at which something is polled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

LEAST_RESULTANT = 0.5
"""Of phases: a smooth spread of half an interval or more gives less, however many values there are."""
NEAR = 0.05
"""Of an interval: as near to it as this, a latency counts as being it."""


def phase_locked(values: Sequence[float], period_s: float, p: float) -> str:
    """How the values keep to the period: `comes in steps of`, `is mostly within 5 % of`, or empty if they do not.

    Steps: Rayleigh's test of the phases 2πx ÷ period (Fisher, Statistical Analysis of Circular Data,
    1993, section 4.3), only of values that spread over half a period or more. The phases of narrower
    ones are alike whatever made them; of those only such that are the period itself are told.
    """
    x = np.asarray(values) / period_s
    resultant = float(np.abs(np.mean(np.exp(2j * np.pi * x))))
    if x.std(ddof=1) >= 0.5 and resultant >= LEAST_RESULTANT and rayleigh_p(resultant, len(x)) < p:
        return "comes in steps of"
    return f"is mostly within {100 * NEAR:g} % of" if np.mean(np.abs(x - 1) <= NEAR) > 0.5 else ""


def rayleigh_p(resultant: float, n: int) -> float:
    """Of n uniform phases, how probable a mean resultant of this length or more is (Zar 1999, equation 27.4)."""
    length = n * resultant
    return float(np.exp(np.sqrt(1 + 4 * n + 4 * (n**2 - length**2)) - (1 + 2 * n)))

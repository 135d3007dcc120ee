"""What do many runs in a row leave behind, in memory and in the database?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from bench.contract.words import Track
from bench.plan.cell import Cell
from bench.plan.priced import Needs
from bench.plan.workloads import shaped, sized
from bench.questions.bound import Bound
from bench.questions.metadata import metadata_bytes, store_growth
from bench.questions.metric import Metric, Scale
from bench.questions.record import Question
from bench.run.conductor import Conductor
from bench.run.observation import Observation
from bench.session.bring_up import Session
from bench.session.usage import AVAILABLE, NOTE
from core.declaration import Shape

RUNS = 200
WORKLOAD = sized(shaped(Shape.SERIES), 5)
FEWEST_RUNS = 10
"""Fewer runs say nothing of a slope."""
MOST_CORRELATED = 0.95


@dataclass(frozen=True, slots=True)
class Slope:
    """Growth of something per run, with a 95 % interval."""

    value: float
    low: float
    high: float


def measure(bound: Bound, _: Cell) -> None:
    """Many runs in a row: does the engine's memory grow, and how much does its database?"""
    conductor = bound.of(WORKLOAD)
    before = metadata_bytes(bound.up)
    soak(conductor, bound.up, lambda: conductor.served(bound.up, "soak"), RUNS)
    store_growth(bound, before, RUNS * WORKLOAD.steps)


def soak(conductor: Conductor, session: Session, observe: Callable[[], Observation], runs: int) -> Slope | None:
    """Conduct `runs` runs one after another; store the memory after each and its growth per run."""
    if not AVAILABLE or runs < FEWEST_RUNS:
        note = f"not measured: {runs} runs, at least {FEWEST_RUNS} are needed" if AVAILABLE else NOTE
        conductor.sample(None, "resources.soak.pss_bytes_per_run", "bytes", None, note)
        return None
    sizes = []
    for _ in range(runs):
        seen = observe()
        sizes.append(float(session.supervisor.usage(memory=True).total.memory_bytes))
        conductor.sample(seen, "resources.soak.pss_bytes", "bytes", sizes[-1])
    slope = memory_slope(sizes)
    note = f"95 % interval {slope.low:.0f} to {slope.high:.0f} over {runs} runs"
    conductor.sample(None, "resources.soak.pss_bytes_per_run", "bytes", slope.value, note)
    return slope


def memory_slope(sizes: Sequence[float]) -> Slope:
    """Growth per run of values taken one after another: Theil and Sen's slope, which jumps hardly move.

    Its interval supposes independent values; those of memory follow one another. It is widened by
    sqrt((1 + r) / (1 - r)), with r the residuals' correlation from one run to the next: so few values
    are worth counting (Santer et al., J. Geophys. Res. 105 (2000) 7337). (1 + 4 r) / n is added to r,
    which short series understate (Kendall, Biometrika 41 (1954) 403). Even so: with 20 runs and a
    true r of 0.6 nine in ten such intervals hold the truth; seven in ten unwidened.
    """
    values = np.asarray(sizes, dtype=float)
    slope, intercept, low, high = scipy.stats.theilslopes(values, alpha=0.95)
    residuals = values - intercept - slope * np.arange(len(values))
    residuals -= residuals.mean()
    variance = residuals @ residuals
    r = float(residuals[1:] @ residuals[:-1] / variance) if variance else -1.0
    r = min(max(0.0, r + (1 + 4 * r) / len(values)), MOST_CORRELATED)
    wider = np.sqrt((1 + r) / (1 - r))
    return Slope(float(slope), float(slope - (slope - low) * wider), float(slope + (high - slope) * wider))


METRICS = (
    Metric("resources.soak.pss_bytes", "Memory after a run", "none", "info", "bytes"),
    Metric(
        "resources.soak.pss_bytes_per_run", "Memory growth for each run", unit="bytes", scale=Scale("kB", 1e-3),
        help="over many runs in a row",
    ),
)  # fmt: skip
QUESTIONS = (
    Question(
        key="soak", group="soak", title="What do many runs leave behind?", order=130, place=11, needs=Needs.UP,
        of_engine=True, cost_s={Track.TUNED: 1500, Track.STOCK: 3000}, budgets={"full": 1}, session="synthetic",
        workloads=lambda _: (WORKLOAD,), measure=measure, metrics=METRICS,
    ),
)  # fmt: skip

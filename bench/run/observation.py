"""All that is known of one run."""

from __future__ import annotations

from dataclasses import dataclass

from bench.contract.endpoint import RunState
from bench.contract.records import Run, Verdict
from bench.judge import gate
from bench.observe.journal import Journal
from bench.observe.watching import Sighting


@dataclass(frozen=True, slots=True)
class Observation:
    """A run as the engine and its journal tell of it."""

    run: Run
    journal: Journal
    sightings: tuple[Sighting, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    cpu_s: float | None = None
    """CPU seconds of all the session's processes, from the submission until the last step was seen to have ended; None
    if it was not. What an engine records after that is not in it."""

    @property
    def state(self) -> RunState | None:
        """The engine's last word; None if it has no record."""
        return self.sightings[-1].state if self.sightings else None

    @property
    def right(self) -> bool:
        """Whether the gate is passed: the same artifacts as inline, in the right order."""
        return gate.passed(self.verdicts)

    @property
    def makespan_s(self) -> float | None:
        """Submit to the last step's end."""
        end = self.journal.last_end_ns()
        return (end - self.run.submit_ns) / 1e9 if end else None

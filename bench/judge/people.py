"""Whether what people did after something went wrong has put it right: journals in, findings out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.contract.words import Status
from bench.judge.aftermath import NS, UNSEEN, correct, detection_s
from bench.judge.findings import Finding, Found
from bench.judge.outcome import IGNORED, WHOLE
from bench.observe.journal import Journal
from bench.observe.watching import Sighting

RECOVERED = "completed after recovery"


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """A run that failed for good, and the one that was made of it once the cause was fixed: it, resumed, or another."""

    failed: Journal
    sightings: tuple[Sighting, ...]
    """The engine's own record of the failed one over time."""
    journal: Journal
    oracle: Journal
    outcome: str
    right: bool
    step: str
    """The one that failed."""
    begin_ns: int
    """When people began."""
    wasted_s: float

    def findings(self, actions: str) -> Found:
        """What it took."""
        right = self.right and self.outcome in WHOLE
        outcome, end = RECOVERED if right else self.outcome, self.journal.last_end_ns()
        since_ns, ahead_ns = _last_error_ns(self.failed, self.step), self.failed.ahead_ns()
        detected_s = detection_s(self.sightings, since_ns, final=True, ahead_ns=ahead_ns)
        tries = {(one.start_ns, one.pid) for h in (self.failed, self.journal) for one in h.attempts_of(self.step)}
        return {
            "outcome": Finding("text", outcome),
            "correct": Finding("boolean", float(correct(self.journal, self.oracle))),
            "detection_s": Finding("s", detected_s, UNSEEN if detected_s is None else ""),
            "recovery_s": _since(self.begin_ns, end if right else None, f"it ended: {outcome}"),
            "attempts": Finding("count", float(len(tries))),
            "wasted_s": Finding("s", self.wasted_s),
            "duplicates": Finding("count", float(len(self.journal.duplicates()))),
            "actions": Finding("text", actions),
        }


def _last_error_ns(journal: Journal, step: str) -> int | None:
    tries = journal.attempts_of(step)
    return max((one.end_ns for one in tries if one.end_ns and one.outcome == "error"), default=None)


def _since(begin_ns: int, end_ns: int | None, why: str) -> Finding:
    """Seconds until an end; without one, why there is none."""
    return Finding("s", None, why) if end_ns is None else Finding("s", (end_ns - begin_ns) / NS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """A run that people have stopped in the middle of a step."""

    journal: Journal
    sightings: tuple[Sighting, ...]
    outcome: str
    step: str
    asked_ns: int
    gone_s: float | None
    """Seconds until the step's process was gone; None if it lives on."""
    limit_s: float

    def findings(self, actions: str) -> Found:
        """What it took. A run that went on to its end has not been stopped, though it ended and its process is gone."""
        ignored = self.outcome == IGNORED
        ended = next((one.t_ns for one in self.sightings if one.state.status.ended and not ignored), None)
        gone_s = None if ignored else self.gone_s
        late = f"it ended: {self.outcome}" if ignored else f"> {self.limit_s:.0f} s"
        worked = (((one.end_ns or self.asked_ns) - one.start_ns) / NS for one in self.journal.attempts)
        return {
            "outcome": Finding("text", self.outcome),
            "detection_s": _since(self.asked_ns, ended, late),
            "gone_s": Finding("s", gone_s, "" if gone_s is not None else late),
            "attempts": Finding("count", float(len(self.journal.attempts_of(self.step)))),
            "wasted_s": Finding("s", sum(worked)),
            "duplicates": Finding("count", float(len(self.journal.duplicates()))),
            "actions": Finding("text", actions),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledBack:
    """A run that should make the last good state current again."""

    journal: Journal
    said: Status | None
    """The engine's last word; None if it has no record of the run."""
    timed_out: bool
    good: str
    bad: str
    current: str
    submit_ns: int

    @property
    def right(self) -> bool:
        """Whether the good state is current, and was not all the time."""
        return self.current == self.good != self.bad

    @property
    def outcome(self) -> str:
        """In the words of any run."""
        if self.timed_out or self.said is None:
            return "stuck" if self.said else "lost"
        if self.said is Status.COMPLETED:
            return RECOVERED if self.right else "false success"
        return "false failure" if self.right else "failed, reported"

    def findings(self, actions: str) -> Found:
        """What it took."""
        end = self.journal.last_end_ns()
        stands = f"{self.current} is current, {self.good} was the last good one"
        return {
            "outcome": Finding("text", self.outcome),
            "correct": Finding("boolean", float(self.right), stands),
            "recovery_s": _since(self.submit_ns, end if self.right else None, "" if self.right else self.outcome),
            "duplicates": Finding("count", float(len(self.journal.duplicates()))),
            "actions": Finding("text", actions),
        }


@dataclass(frozen=True, slots=True)
class Filed:
    """What the effects of a backfill say: which days were filed, and how often."""

    missing: tuple[str, ...]
    """Days that no attempt has ended for."""
    twice: tuple[str, ...]
    """Days that had their effect more than once."""
    end_ns: int | None = None
    """End of the last of its runs."""

    @classmethod
    def of(cls, journal: Journal, steps: Mapping[str, str]) -> Filed:
        """`steps`: of each day that was asked for, the name of the step that files it."""
        times, ended = Counter(effect.step for effect in journal.effects), journal.counted()
        return cls(
            tuple(day for day, step in steps.items() if step not in ended),
            tuple(day for day, step in steps.items() if times[step] > 1),
            journal.last_end_ns(),
        )

    def outcome(self, said: Status) -> str:
        """In the words of any run; `said` is the engine's last word on the backfill."""
        if not said.ended:
            return "stuck"
        if self.twice or self.missing:
            return "duplicated" if self.twice else "lost"
        return RECOVERED if said is Status.COMPLETED else "false failure"

    def findings(self, said: Status, begin_ns: int, actions: Sequence[str]) -> Found:
        """What it took."""
        outcome = self.outcome(said)
        end = self.end_ns if outcome == RECOVERED else None
        claims = "agrees" if (said is Status.COMPLETED) == (not self.missing) else f"the engine says {said}"
        return {
            "outcome": Finding("text", outcome),
            "correct": Finding("boolean", float(not self.missing)),
            "recovery_s": _since(begin_ns, end, f"it ended: {outcome}"),
            "missing": Finding("count", float(len(self.missing)), ", ".join(self.missing)),
            "twice": Finding("count", float(len(self.twice)), ", ".join(self.twice)),
            "duplicates": Finding("count", float(len(self.twice))),
            "record": Finding("text", claims),
            "actions": Finding("text", "; ".join(actions) or "none"),
        }

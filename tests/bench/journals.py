"""Invented histories, as the journal would have recorded them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bench.contract.records import Strike
from bench.judge.aftermath import Aftermath
from bench.observe.journal import Journal, parse
from core.pipelines.training.pipeline import GRAPH as TRAINING

ORDER = ("extract", "validate", "features", "train", "evaluate", "branch", "deploy", "cleanup")
STEP_S = dict(zip(ORDER, (1.0, 0.5, 2.0, 4.0, 1.0, 0.1, 0.3, 0.1), strict=True))
UTC = "2026-01-01T00:00:{:09.6f}+00:00"


@dataclass
class Script:
    """Writes journal records; times are seconds from the start of an invented minute."""

    run: str = "r1"
    records: list[dict[str, Any]] = field(default_factory=list)
    now_s: float = 1.0
    pid: int = 100
    thread: int = 100

    def write(self, event: str, step: str, attempt: int = 1, **details: Any) -> None:
        common = {"run": self.run, "step": step, "attempt": attempt, "pid": self.pid, "thread": self.thread}
        times = {"t_ns": round(self.now_s * 1e9), "utc": UTC.format(self.now_s)}
        self.records.append({**times, "event": event, **common, **details})

    def step(self, step: str, attempt: int = 1, *, end: str = "end", result: Any = ..., effect: bool = True) -> None:
        """One attempt that ends with `end`: end, error, or lost."""
        self.write("start", step, attempt)
        self.now_s += STEP_S[step]
        if effect and step == "deploy":
            self.write("effect", step, attempt, key=f"deploy:{self.run}")
        if end == "end":
            self.write("end", step, attempt, result=usual(step) if result is ... else result)
        if end == "error":
            self.write("error", step, attempt, error="ValueError", message="broken")
        self.now_s += 0.1

    def steps(self, *names: str) -> Script:
        for name in names:
            self.step(name)
        return self

    def journal(self) -> Journal:
        return parse(self.records)


def usual(step: str) -> Any:
    if step == "branch":
        return "deploy"
    return None if step == "cleanup" else {"path": f"/x/{step}", "digest": f"digest-{step}", "rows": 3}


def good(run: str = "r1") -> Journal:
    return Script(run).steps(*ORDER).journal()


def lost_end(step: str, *, effect: bool = True) -> Script:
    """All steps up to `step`, whose attempt is lost."""
    script = Script().steps(*ORDER[: ORDER.index(step)])
    script.step(step, end="lost", effect=effect)
    return script


def again(step: str, *, key: str = "deploy:r1") -> Journal:
    """The engine did not learn of the step's end, and ran it once more."""
    script = Script().steps(*ORDER)
    script.step(step, 2, effect=False)
    if step == "deploy":
        script.write("effect", step, 2, key=key)
    return script.journal()


def case(journal: Journal, outcome: str = "completed after recovery", **more: Any) -> Aftermath:
    """What the judge is given of a run in which `train` suffered; it came right unless told."""
    known: dict[str, Any] = {
        "journal": journal, "oracle": good("oracle"), "outcome": outcome, "right": True, "graph": TRAINING,
        "step": "train", "limit_s": 120.0, "retry_delay_s": 2.0,
    }  # fmt: skip
    return Aftermath(**known | more)


def strike(at_s: float, pid: int = 100, action: str = "kill", healed_s: float = 0.0) -> Strike:
    """A fault from outside, healed at `healed_s` or never."""
    return Strike(
        run_id="r1", action=action, target="worker", moment="in train", pids=(pid,),
        t_ns=round(at_s * 1e9), healed_ns=round(healed_s * 1e9),
    )  # fmt: skip

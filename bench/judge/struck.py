"""What a fault really struck, in a line: one word for engines' parts hides a process here and a tree of them there."""

from __future__ import annotations

from collections.abc import Sequence

from bench.contract.records import Strike
from bench.judge.aftermath import LENGTHENING
from bench.observe.journal import Journal


def what(journal: Journal, strikes: Sequence[Strike]) -> str | None:
    """From outside: as the strike has it. Inside a step: whether its process was the step's alone. None if nothing."""
    if strikes:
        return strikes[0].note or f"{strikes[0].target}: {processes(len(strikes[0].pids))}"
    marks = sorted(journal.faults, key=lambda one: (one.kind.startswith(LENGTHENING), one.t_ns))
    if not marks:
        return None
    step = marks[0].step
    (pid,) = {one.pid for one in journal.attempts_of(step) if one.attempt == marks[0].attempt}
    others = {one.step for one in journal.attempts if one.pid == pid} - {step}
    if not others:
        return f"{step}, in a process of its own"
    return f"{step}, in a process in which {len(others)} other step{'s' if len(others) > 1 else ''} of the run ran too"


def processes(count: int) -> str:
    """`1 process`, `3 processes`."""
    return f"{count} process{'' if count == 1 else 'es'}"

"""What goes wrong inside a step."""

from __future__ import annotations

from bench.plan.scenarios.record import ALWAYS, FOUR_TIMES, SHOWN, Inside, Scenario
from core.declaration import Part
from core.instrument.config import FaultKind

EVERY_TIME = 0

TITLE = "Inside a step"
SCENARIOS = (
    Scenario(
        key="transient_error", title="An error that goes away", faults=(Inside(FaultKind.TRANSIENT),),
        budgets=ALWAYS, leaves=False,
    ),
    Scenario(
        key="unretryable_error", title="An error that must not be retried",
        faults=(Inside(FaultKind.UNRETRYABLE, EVERY_TIME),), expected=SHOWN, leaves=False,
    ),
    Scenario(
        key="permanent_error", title="An error that stays",
        faults=(Inside(FaultKind.DEFECT, EVERY_TIME),), expected=SHOWN, leaves=False,
    ),
    Scenario(
        key="step_killed", title="A step's process is killed", faults=(Inside(FaultKind.KILL),), budgets=ALWAYS,
        times=FOUR_TIMES,
    ),
    Scenario(
        key="step_exits", title="A step's process leaves without a word",
        faults=(Inside(FaultKind.EXIT),), seconds=30,
    ),
    Scenario(
        key="hung_step", title="A step hangs", faults=(Inside(FaultKind.HANG),), seconds=56,
    ),
    Scenario(
        key="hung_in_c", title="A step hangs in C code that holds the GIL",
        faults=(Inside(FaultKind.HANG_IN_C),), seconds=100,
    ),
    Scenario(
        key="hung_subprocess", title="A step hangs in a subprocess",
        faults=(Inside(FaultKind.HANG_IN_SUBPROCESS),), seconds=56,
    ),
    Scenario(
        key="slow_step", title="A slow step", faults=(Inside(FaultKind.SLOW, seconds=10.0),),
        leaves=False, seconds=18,
    ),
    Scenario(
        key="memory_exceeded", title="A step exceeds its memory", faults=(Inside(FaultKind.MEMORY),), leaves=False,
    ),
    Scenario(
        key="killed_before_acknowledgement", title="Killed between effect and acknowledgement",
        suffers=Part.EFFECT, faults=(Inside(FaultKind.KILL_AFTER),),
    ),
    Scenario(key="torn_write", title="Killed while writing", faults=(Inside(FaultKind.TORN),)),
    Scenario(
        key="empty_output", title="An empty artifact", suffers=Part.EARLY,
        faults=(Inside(FaultKind.EMPTY),), expected=SHOWN, leaves=False,
    ),
    Scenario(
        key="corrupt_output", title="A corrupt artifact", suffers=Part.EARLY,
        faults=(Inside(FaultKind.CORRUPT),), expected=SHOWN, leaves=False,
    ),
    Scenario(key="disk_full", title="The disk is full", faults=(Inside(FaultKind.DISK_FULL),), leaves=False),
)  # fmt: skip

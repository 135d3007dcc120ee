"""What people do after something went wrong, or instead of waiting."""

from __future__ import annotations

from bench.contract.words import Ability
from bench.plan.scenarios.record import ALWAYS, FOUR_TIMES, STOPPED, Inside, Remedy, Scenario
from core.declaration import Companion
from core.instrument.config import FaultKind

TITLE = "By people"
SCENARIOS = (
    Scenario(
        key="resume_after_fix", title="Start again after a fix", faults=(Inside(FaultKind.DEFECT, attempts=0),),
        remedy=Remedy.RESUME, needs=(Ability.RESUME,), budgets=ALWAYS, seconds=18, times=FOUR_TIMES,
    ),
    Scenario(
        key="rerun_after_fix", title="Run everything again after a fix",
        faults=(Inside(FaultKind.DEFECT, attempts=0),), remedy=Remedy.RERUN, seconds=18,
    ),
    Scenario(
        key="cancel", title="Cancel a run", faults=(Inside(FaultKind.SLOW, attempts=0, seconds=15.0),),
        remedy=Remedy.CANCEL, needs=(Ability.CANCEL,), expected=STOPPED,
        counts="gone_s", since="time until the step's process was gone",
    ),
    Scenario(
        key="roll_back", title="Go back to the last good model", suffers="", remedy=Remedy.ROLL_BACK,
        beside=Companion.ROLL_BACK, seconds=7,
    ),
    Scenario(
        key="late_data", title="Late data, then catch up", suffers="", remedy=Remedy.CATCH_UP,
        needs=(Ability.BACKFILL,), beside=Companion.BY_DAY, seconds=28,
    ),
    Scenario(
        key="backfill_killed", title="Ten days, the scheduler killed meanwhile", suffers="",
        remedy=Remedy.BACKFILL, needs=(Ability.BACKFILL,), beside=Companion.BY_DAY,
        since="time from the scheduler's death", seconds=36,
    ),
)  # fmt: skip

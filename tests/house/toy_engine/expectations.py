"""What the toy engine's documentation lets its user expect when something breaks, on tuned settings."""

from __future__ import annotations

from bench.contract.words import Expectation

DOCS = "https://example.org/toyflow"
RECOVERS = ("completed", "completed after recovery")
FAILS = ("failed, reported",)

RETRIED = Expectation(RECOVERS, "A step that raises is tried again as often as its limits say.", f"{DOCS}#retries")
EXHAUSTED = Expectation(FAILS, "A step without tries left has failed, and so has its run.", f"{DOCS}#retries")
FINAL = Expectation(FAILS, "A step that raises one of its final errors is not tried again.", f"{DOCS}#retries")
LOST = Expectation(RECOVERS, "A step whose process has ended without a word is tried again.", f"{DOCS}#processes")
TIMED_OUT = Expectation(RECOVERS, "A step that takes too long is ended, and tried again.", f"{DOCS}#limits")
TAKEN_UP = Expectation(
    RECOVERS, "A run whose process is gone is taken up again, and its finished steps are kept.", f"{DOCS}#heartbeats"
)
DURABLE = Expectation(RECOVERS, "The server holds nothing in memory, and runs do without it.", f"{DOCS}#server")
RESUMED = Expectation(RECOVERS, "A failed run can be resumed, and its finished steps are kept.", f"{DOCS}#resume")
NOTHING = Expectation((), "Nothing was found in the documentation.", "")

EXPECTATIONS = {
    **dict.fromkeys(("transient_error", "memory_exceeded", "disk_full"), RETRIED),
    "unretryable_error": FINAL,
    **dict.fromkeys(("permanent_error", "empty_output", "corrupt_output"), EXHAUSTED),
    **dict.fromkeys(("step_killed", "step_exits", "torn_write"), LOST),
    **dict.fromkeys(("hung_step", "hung_in_c", "hung_subprocess"), TIMED_OUT),
    **dict.fromkeys(
        ("run_killed", "worker_killed", "worker_crashed", "worker_restarted", "control_plane_killed",
         "control_plane_restarted"),
        TAKEN_UP,
    ),
    **dict.fromkeys(("api_killed", "api_restarted"), DURABLE),
    **dict.fromkeys(("resume_after_fix", "rerun_after_fix", "late_data", "backfill_killed"), RESUMED),
    **dict.fromkeys(
        ("slow_step", "step_paused", "run_paused", "worker_paused", "api_paused", "control_plane_paused",
         "api_killed_during_submit", "database_down_5_s", "database_down_60_s", "database_locked", "roll_back"),
        NOTHING,
    ),
    "killed_before_acknowledgement": Expectation(
        ("duplicated",), "A step may be tried again after it did its work.", f"{DOCS}#at-least-once"
    ),
    "cancel": Expectation(
        ("failed as expected",), "A run that is cancelled has its processes ended, and has failed.", f"{DOCS}#cancel"
    ),
}  # fmt: skip
"""By the scenario's name. There is no scheduler."""

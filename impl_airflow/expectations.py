"""What Airflow's documentation lets its user expect when something breaks, on tuned settings."""

from __future__ import annotations

from bench.contract.words import Expectation

DOCS = "https://airflow.apache.org/docs/apache-airflow/3.3.0"
TASKS = f"{DOCS}/core-concepts/tasks.html"
RUNS = f"{DOCS}/core-concepts/dag-run.html"
REFERENCE = f"{DOCS}/configurations-ref.html"
BACKFILL = f"{DOCS}/core-concepts/backfill.html"
RECOVERS = ("completed", "completed after recovery")
FAILS = ("failed, reported",)

RETRIED = Expectation(RECOVERS, "A task that fails is tried again as often as its retries say.", TASKS)
EXHAUSTED = Expectation(FAILS, "A task that has used up its retries fails, and its run with it.", TASKS)
UNRETRIED = Expectation(
    FAILS,
    "A retry policy fails a task at once where a rule says so of its exception's type.",
    f"{DOCS}/core-concepts/tasks.html#retry-policies",
)
LOST = Expectation(
    RECOVERS,
    "A task whose process died, or that stopped sending heartbeats, is found and failed or retried by its settings.",
    TASKS,
)
TIMED_OUT = Expectation(
    RECOVERS,
    "execution_timeout is the longest an attempt may take; then it is timed out, and its retries apply.",
    TASKS,
)
ORPHANED = Expectation(
    RECOVERS,
    "Tasks of a scheduler that is gone are looked for at an interval, and adopted or reset.",
    f"{REFERENCE}#orphaned-tasks-check-interval",
)
API_AWAY = Expectation(
    RECOVERS,
    "A task's supervisor tries its calls to the API server up to five times, with growing pauses.",
    f"{REFERENCE}#execution-api-retries",
)
CLEARED = Expectation(RECOVERS, "Failed tasks can be cleared, and run again in the same run.", f"{RUNS}#re-run-tasks")
BACKFILLED = Expectation(
    RECOVERS, "A backfill makes a run for each day of a range, and on request only for those that failed.", BACKFILL
)
NOTHING = Expectation((), "Nothing was found in the documentation.", "")

EXPECTATIONS = {
    **dict.fromkeys(("transient_error", "memory_exceeded", "disk_full"), RETRIED),
    "unretryable_error": UNRETRIED,
    **dict.fromkeys(("permanent_error", "empty_output", "corrupt_output"), EXHAUSTED),
    **dict.fromkeys(("step_killed", "step_exits", "torn_write", "worker_killed", "worker_crashed"), LOST),
    **dict.fromkeys(("hung_step", "hung_in_c", "hung_subprocess"), TIMED_OUT),
    **dict.fromkeys(
        ("scheduler_killed", "scheduler_crashed", "scheduler_restarted", "control_plane_killed",
         "control_plane_restarted"),
        ORPHANED,
    ),
    **dict.fromkeys(("api_killed", "api_restarted"), API_AWAY),
    **dict.fromkeys(("resume_after_fix", "rerun_after_fix"), CLEARED),
    **dict.fromkeys(("late_data", "backfill_killed"), BACKFILLED),
    **dict.fromkeys(
        ("slow_step", "api_paused", "api_killed_during_submit", "scheduler_paused", "database_down_5_s",
         "database_down_60_s", "database_locked", "step_paused", "worker_paused", "worker_restarted",
         "control_plane_paused", "cancel", "roll_back"),
        NOTHING,
    ),
    "killed_before_acknowledgement": Expectation(
        ("duplicated",),
        "A task may be run again after it did its work, so it should be written to have the same outcome each time.",
        f"{DOCS}/best-practices.html#creating-a-task",
    ),
}  # fmt: skip
"""By the scenario's name. A process of a run is not there, so nothing is expected of it."""

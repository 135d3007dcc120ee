"""What Prefect's documentation lets its user expect when something breaks, on tuned settings."""

from __future__ import annotations

from bench.contract.words import Expectation

DOCS = "https://docs.prefect.io/v3"
RECOVERS = ("completed", "completed after recovery")
FAILS = ("failed, reported",)

RETRIED = Expectation(
    RECOVERS, "A task that raises is run again as often as its retries say.", f"{DOCS}/how-to-guides/workflows/retries"
)
EXHAUSTED = Expectation(
    FAILS, "A task that has used up its retries is failed, and so is its flow run.", f"{DOCS}/concepts/states"
)
UNRETRIED = Expectation(
    FAILS,
    "A task whose retry_condition_fn says no is not retried.",
    f"{DOCS}/how-to-guides/workflows/retries#retry-with-a-custom-condition",
)
CRASHED = Expectation(
    FAILS, "A run that could not complete because its infrastructure went away is crashed.", f"{DOCS}/concepts/states"
)
ZOMBIE = Expectation(
    FAILS,
    "With heartbeats and an automation, a run that stops sending heartbeats is marked as crashed.",
    f"{DOCS}/advanced/detect-zombie-flows",
)
TIMED_OUT = Expectation(
    RECOVERS,
    "A task that runs longer than timeout_seconds is stopped and marked as timed out; its retries apply.",
    f"{DOCS}/concepts/tasks",
)
API_AWAY = Expectation(
    RECOVERS,
    "A flow run's client tries a failed request up to five times more; on tuned settings also one that was answered "
    "with 500, as without a database.",
    f"{DOCS}/api-ref/settings-ref#clientsettings",
)
RETRIED_RUN = Expectation(
    RECOVERS, "A flow run can be run again; results that are kept are not computed anew.", f"{DOCS}/advanced/results"
)
NOTHING = Expectation((), "Nothing was found in the documentation.", "")

EXPECTATIONS = {
    **dict.fromkeys(("transient_error", "memory_exceeded", "disk_full"), RETRIED),
    "unretryable_error": UNRETRIED,
    **dict.fromkeys(("permanent_error", "empty_output", "corrupt_output"), EXHAUSTED),
    **dict.fromkeys(
        ("step_killed", "step_exits", "torn_write", "killed_before_acknowledgement", "run_killed"), CRASHED
    ),
    **dict.fromkeys(("worker_killed", "control_plane_killed"), ZOMBIE),
    **dict.fromkeys(("hung_step", "hung_in_c", "hung_subprocess"), TIMED_OUT),
    **dict.fromkeys(("api_killed", "api_restarted", "database_down_5_s", "database_down_60_s"), API_AWAY),
    **dict.fromkeys(("resume_after_fix", "rerun_after_fix"), RETRIED_RUN),
    **dict.fromkeys(
        ("slow_step", "run_paused", "worker_paused", "worker_crashed", "worker_restarted", "api_paused",
         "control_plane_paused", "control_plane_restarted", "api_killed_during_submit", "database_locked", "roll_back"),
        NOTHING,
    ),
    "cancel": Expectation(
        ("failed as expected",),
        "The worker signals the run's process to end, and kills it after 30 s if it has not.",
        f"{DOCS}/advanced/cancel-workflows",
    ),
}  # fmt: skip
"""By the scenario's name. Steps and the scheduler have no process of their own, and there is no backfill."""

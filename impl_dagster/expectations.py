"""What Dagster's documentation lets its user expect when something breaks, on tuned settings."""

from __future__ import annotations

from bench.contract.words import Expectation

DOCS = "https://docs.dagster.io"
RETRIES = f"{DOCS}/guides/build/ops/op-retries"
REEXECUTION = f"{DOCS}/deployment/execution/run-retries"
BACKFILLS = f"{DOCS}/guides/build/partitions-and-backfills/backfilling-data"
RECOVERS = ("completed", "completed after recovery")
FAILS = ("failed, reported",)

RETRIED = Expectation(RECOVERS, "An op that raises is run again as often as its retry policy says.", RETRIES)
EXHAUSTED = Expectation(FAILS, "An op that has used up its retries fails, and its run with it.", RETRIES)
UNRETRIED = Expectation(
    FAILS,
    "A Failure with allow_retries=False is not retried.",
    "https://docs.dagster.io/api/dagster/ops#dagster.Failure",
)
CRASHED = Expectation(
    RECOVERS,
    "The retry policy of an op also covers its process having crashed.",
    "https://github.com/dagster-io/dagster/pull/24517",
)
TOO_LONG = Expectation(
    RECOVERS,
    "Steps have no time limit; a run that takes longer than dagster/max_runtime is failed, and run retries start a new "
    "one whenever a run fails.",
    f"{DOCS}/deployment/execution/job-timeouts",
)
RUN_RETRIED = Expectation(
    RECOVERS,
    "Run retries start a new run whenever one fails; here not where a step has used up its own retries.",
    REEXECUTION,
)
UNDETECTED = Expectation(
    RECOVERS,
    "Run retries also cover a run worker that crashed; under the default run launcher, which cannot tell whether it "
    "lives, once dagster/max_runtime is over.",
    REEXECUTION,
)
QUEUE_WAITS = Expectation(
    RECOVERS,
    "The daemon takes runs from the queue and keeps schedules; runs that have started do not need it.",
    f"{DOCS}/deployment/execution/dagster-daemon",
)
STATELESS = Expectation(
    RECOVERS,
    "The webserver serves the interface and GraphQL; runs that have started do not need it.",
    f"{DOCS}/deployment/oss/oss-deployment-architecture",
)
REEXECUTED = Expectation(RECOVERS, "A failed run can be executed again from its failure.", REEXECUTION)
BACKFILLED = Expectation(RECOVERS, "A backfill makes a run for each partition that is chosen.", BACKFILLS)
NOTHING = Expectation((), "Nothing was found in the documentation.", "")

EXPECTATIONS = {
    **dict.fromkeys(("transient_error", "memory_exceeded", "disk_full"), RETRIED),
    "unretryable_error": UNRETRIED,
    **dict.fromkeys(("permanent_error", "empty_output", "corrupt_output"), EXHAUSTED),
    **dict.fromkeys(("step_killed", "step_exits", "torn_write"), CRASHED),
    **dict.fromkeys(("hung_step", "hung_in_c", "hung_subprocess"), TOO_LONG),
    **dict.fromkeys(("run_killed", "database_down_60_s"), RUN_RETRIED),
    **dict.fromkeys(("worker_killed", "control_plane_killed"), UNDETECTED),
    **dict.fromkeys(
        ("scheduler_killed", "scheduler_crashed", "scheduler_restarted", "scheduler_paused"), QUEUE_WAITS
    ),
    **dict.fromkeys(("api_killed", "api_restarted", "api_paused"), STATELESS),
    **dict.fromkeys(("resume_after_fix", "rerun_after_fix"), REEXECUTED),
    **dict.fromkeys(("late_data", "backfill_killed"), BACKFILLED),
    **dict.fromkeys(
        ("slow_step", "step_paused", "run_paused", "worker_paused", "worker_crashed", "worker_restarted",
         "control_plane_paused", "control_plane_restarted", "api_killed_during_submit", "database_locked",
         "roll_back"),
        NOTHING,
    ),
    "cancel": Expectation(
        ("failed as expected",),
        "Terminating a run signals its run worker, which cleans up and marks the run as cancelled.",
        f"{DOCS}/deployment/execution/run-monitoring",
    ),
    "database_down_5_s": Expectation(
        RECOVERS,
        "A connection to PostgreSQL that fails is tried again several times, with growing delays.",
        "https://github.com/dagster-io/dagster/pull/6831",
    ),
    "killed_before_acknowledgement": Expectation(
        ("duplicated",),
        "A crashed step is run again by its retry policy, also if it had done its work.",
        "https://github.com/dagster-io/dagster/pull/24517",
    ),
}  # fmt: skip
"""By the scenario's name."""

"""What the metrics mean, as data: title, unit, which way is better, and how fine a difference may be told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bench.questions.metric import Metric, Scale
from reports.words.numbers import scale_for

FEW = 1.05
POLLED = 0.25
MS, MICRO_S, NS = Scale("ms", 1e3), Scale("µs", 1e6), Scale("ns", 1e9)
KB = Scale("kB", 1e-3)
PER_MINUTE, PER_S, CORES = Scale("per min"), Scale("rows/s"), Scale("cores")

_METRICS = (
    Metric("authoring.sloc", "Source lines", kind="exact", unit="lines", tolerance=FEW, help="no blanks, no comments"),
    Metric("authoring.lloc", "Logical lines", kind="exact", unit="lines", help="statements", tolerance=FEW),
    Metric("authoring.comments", "Comment lines", better="none", kind="info", unit="lines"),
    Metric("authoring.cc_mean", "Complexity, mean", kind="exact", unit="count", help="cyclomatic, per block"),
    Metric("authoring.cc_max", "Complexity, highest", kind="exact", unit="count"),
    Metric("authoring.maintainability", "Maintainability", "none", "info", "score", help="0 to 100, radon; not ranked"),
    Metric("authoring.halstead_effort", "Halstead effort", "none", "info", "score", help="radon; not ranked"),
    Metric("authoring.symbols", "Engine names used", kind="exact", unit="count", help="imported from the engine"),
    Metric("authoring.config_lines", "Configuration lines", kind="exact", unit="lines"),
    Metric(
        "authoring.glue_sloc", "Harness glue", "none", "info", "lines", help="the adapter; a user writes none of it"
    ),
    Metric("setup.environment_s", "Environment", help="install from the lock, packages in the local cache"),
    Metric("setup.environment_cold_s", "Environment, cold", help="install with nothing in the cache"),
    Metric("setup.packages", "Packages", kind="exact", unit="count", help="installed distributions", tolerance=FEW),
    Metric("setup.disk_bytes", "Disk", kind="exact", unit="bytes", help="the environment on disk", tolerance=FEW),
    Metric("setup.initialise_s", "Initialise", help="database, user, configuration"),
    Metric("setup.start_s", "Start", resolution=POLLED, help="processes started until all are ready"),
    Metric("setup.deploy_s", "Deploy", resolution=POLLED, help="until the engine offers the pipeline"),
    Metric("setup.first_run_s", "First run", resolution=POLLED, help="submit until the first run has succeeded"),
    Metric("setup.total_s", "Total", resolution=POLLED, help="empty folder to the first successful run"),
    Metric("setup.import_s", "Import", help="import of the engine in a fresh interpreter"),
    Metric("runtime.makespan_s", "Makespan", help="submit until the last step has ended"),
    Metric("runtime.completion_s", "Completion", resolution=POLLED, help="submit until the terminal state is seen"),
    Metric("runtime.overhead_s", "Overhead", help="makespan less the work that the plain loop needs"),
    Metric("runtime.submit_to_first_step_s", "Submit to first step"),
    Metric("runtime.transition_s", "Between steps", help="median: upstreams ended until the step starts"),
    Metric("runtime.transitions_total_s", "Between steps, sum"),
    Metric("runtime.work_s", "Work", "none", "info", help="the steps' own time"),
    Metric("runtime.terminal_lag_s", "Last step to terminal state", resolution=POLLED),
    Metric("runtime.step_slowdown_ratio", "Step slowdown", unit="ratio", help="step bodies against the plain loop's"),
    Metric("scaling.fixed_s", "Fixed cost", help="of a run, whatever its size: the fitted line at no task"),
    Metric("scaling.marginal_s", "For each task", help="slope of the fitted line", scale=MS),
    Metric("scaling.quadratic_s", "Growth of that", "none", "info", help="per task², where it helps", scale=MICRO_S),
    Metric("scaling.fails_at_n", "Fails at", "none", "info", "count", help="smallest size with a run that failed"),
    Metric(
        "scaling.superlinear_at_n",
        "Worse than linear at",
        "none",
        "info",
        "count",
        help="smallest size above the line through the smaller ones",
    ),
    Metric("resources.cpu_per_task_s", "CPU for each task", help="CPU time of the whole engine in a run, by its tasks"),
    Metric(
        "resources.idle.cpu_s_per_min", "CPU a minute, idle", help="of all processes, for each minute without a run"
    ),
    Metric("resources.idle.pss_mean_bytes", "Memory, idle", unit="bytes", help="proportional set size, mean"),
    Metric("resources.idle.pss_peak_bytes", "Memory, idle, peak", unit="bytes"),
    Metric("resources.idle.processes", "Processes, idle", "none", "info", "count"),
    Metric("resources.idle.threads", "Threads, idle", "none", "info", "count"),
    Metric(
        "resources.idle.written_bytes_per_min",
        "Written a minute, idle",
        "none",
        "info",
        "bytes",
        help="for each minute",
    ),
    Metric("resources.run.cpu_s", "CPU, run", help="of all processes during a training run, idle use included"),
    Metric("resources.run.pss_mean_bytes", "Memory, run", unit="bytes", help="proportional set size, mean"),
    Metric("resources.run.pss_peak_bytes", "Memory, run, peak", unit="bytes"),
    Metric("resources.run.processes_peak", "Processes, run, peak", "none", "info", "count"),
    Metric("resources.run.threads_peak", "Threads, run, peak", "none", "info", "count"),
    Metric("resources.run.written_bytes", "Written, run", "none", "info", "bytes"),
    Metric(
        "resources.metadata_bytes_per_1000_tasks",
        "Metadata for 1000 tasks",
        unit="bytes",
        help="growth of the metadata database",
    ),
    Metric("resources.soak.pss_bytes", "Memory after a run", "none", "info", "bytes"),
    Metric(
        "resources.soak.pss_bytes_per_run",
        "Memory growth for each run",
        unit="bytes",
        scale=KB,
        help="over many runs in a row",
    ),
    Metric("concurrency.throughput_per_min", "Throughput", "high", unit="count", help="right runs", scale=PER_MINUTE),
    Metric("concurrency.completion_p50_s", "Completion, median", resolution=POLLED),
    Metric("concurrency.completion_p95_s", "Completion, 95th percentile", resolution=POLLED),
    Metric("concurrency.failures", "Failures", kind="exact", unit="count", help="runs that were not right"),
    Metric("payload.metadata_bytes", "Database growth", unit="bytes", scale=KB, help="metadata, by one run"),
    Metric("micro.pipeline.time_ratio", "Time, against a bare script", "none", "info", "ratio"),
    Metric("micro.pipeline.memory_ratio", "Memory, against a bare script", "none", "info", "ratio"),
    Metric("micro.report_s", "Making a report", "none", "info"),
    Metric("instrument.attempt_s", "Cost of the instrument", "none", "info", help="@step, for each attempt"),
    Metric("host.others_cores", "Cores used by others", "none", "info", "count", scale=CORES),
    Metric("noise.aa_ratio", "A/A ratio", "none", "info", "ratio", help="the same engine twice"),
    Metric("noise.aa_low", "A/A, low end", "none", "info", "ratio"),
    Metric("noise.aa_high", "A/A, high end", "none", "info", "ratio"),
    Metric("noise.detectable_ratio", "Smallest detectable ratio", "none", "info", "ratio"),
    Metric("noise.clock_resolution_s", "Resolution of the clock", "none", "info", scale=NS),
    Metric("noise.position_p", "Position in the block, p", "none", "info", "p"),
    Metric("noise.drift_p", "Drift, p", "none", "info", "p"),
    Metric("noise.drift_per_hour_ratio", "Drift for each hour", "none", "info", "ratio"),
)

_OF_SCENARIO = (
    Metric("outcome", "Outcome", "high", "outcome", "text"),
    Metric("detection_s", "Detection", resolution=POLLED, help="fault until the engine's own record says so"),
    Metric("recovery_s", "Recovery", resolution=POLLED, help="fault until correct completion"),
    Metric("attempts", "Attempts", "none", "info", "count", help="of the step that was struck"),
    Metric("wasted_s", "Lost work", resolution=POLLED, help="attempts that did not count in the end"),
    Metric("duplicates", "Effects done twice", kind="exact", unit="count"),
    Metric("correct", "Right in the end", "high", "flag", "boolean", help="the same artifacts as without an engine"),
    Metric("recovery_work_s", "Of it, work", "none", "info", help="time of the steps that had to run"),
    Metric("recovery_delay_s", "Of it, configured delay", "none", "info", help="before retries, and while down"),
    Metric("recovery_rest_s", "Of it, the rest", "none", "info", help="what the engine took"),
    Metric("overlaps", "Steps that ran twice at once", kind="exact", unit="count"),
    Metric("orphans", "Processes left", kind="exact", unit="count", help="of steps, after the run's end"),
    Metric("orphan_s", "They lived for", "none", "info"),
    Metric("leaked_slots", "Slots lost", kind="exact", unit="count", help="for the next run"),
    Metric("record", "Engine's own record", "none", "info", "text", help="against the journal"),
    Metric("actions", "Done by people", "none", "info", "text"),
    Metric("session", "The engine afterwards", "none", "info", "text"),
    Metric("gone_s", "Until its process is gone", resolution=POLLED),
    Metric("missing", "Days missing", kind="exact", unit="count"),
    Metric("twice", "Days done twice", kind="exact", unit="count"),
    Metric("extra_lines", "Extra code", kind="exact", unit="lines"),
    Metric("completed", "Came right by itself", "high", "info", "proportion"),
    Metric("effect_once", "Effect exactly once", "high", "info", "proportion"),
)

_OF_BUG = (
    Metric(
        "visible_s",
        "Visible after",
        resolution=POLLED,
        help="error, or the edit that breaks the import, until the API shows it",
    ),
    Metric("names_exception", "Names the exception", "high", "flag", "boolean"),
    Metric("names_file", "Names the file", "high", "flag", "boolean"),
    Metric("names_line", "Names the line", "high", "flag", "boolean"),
    Metric("lines_to_cause", "Lines to the cause", kind="exact", unit="lines", help="from the top, without blanks"),
    Metric(
        "framework_frames",
        "Framework frames",
        kind="exact",
        unit="count",
        help="above the first in the user's own files",
    ),
)

_OF_MICRO = (
    Metric("rows_per_s", "Speed", "none", "info", "count", scale=PER_S),
    Metric("peak_bytes", "Peak memory", "none", "info", "bytes"),
)

METRICS = {metric.name: metric for metric in _METRICS}
OF_SCENARIO = {metric.name: metric for metric in _OF_SCENARIO}
OF_BUG = {metric.name: metric for metric in _OF_BUG}
OF_MICRO = {metric.name: metric for metric in _OF_MICRO}

SUBJECTS = {
    "transient_error": "An error that goes away",
    "step_killed": "A step's process is killed",
    "unretryable_error": "An error that must not be retried",
    "permanent_error": "An error that stays",
    "step_exits": "A step's process leaves without a word",
    "hung_step": "A step hangs",
    "hung_in_c": "A step hangs in C code that holds the GIL",
    "hung_subprocess": "A step hangs in a subprocess",
    "slow_step": "A slow step",
    "memory_exceeded": "A step exceeds its memory",
    "killed_before_acknowledgement": "Killed between effect and acknowledgement",
    "torn_write": "Killed while writing",
    "empty_output": "An empty artifact",
    "corrupt_output": "A corrupt artifact",
    "disk_full": "The disk is full",
    "step_paused": "The step's process is paused",
    "run_killed": "The run's process is killed",
    "run_paused": "The run's process is paused",
    "worker_killed": "The worker is killed",
    "worker_paused": "The worker is paused",
    "worker_crashed": "The worker's first process is killed",
    "worker_restarted": "The worker is restarted",
    "scheduler_killed": "The scheduler is killed",
    "scheduler_paused": "The scheduler is paused",
    "scheduler_crashed": "The scheduler's first process is killed",
    "scheduler_restarted": "The scheduler is restarted",
    "api_killed": "The API server is killed",
    "api_paused": "The API server is paused",
    "api_restarted": "The API server is restarted",
    "api_killed_during_submit": "The API server is killed during a submission",
    "control_plane_killed": "Everything is killed at once",
    "control_plane_paused": "Everything is paused at once",
    "control_plane_restarted": "Everything is restarted",
    "database_down_5_s": "The database is down for 5 s",
    "database_down_60_s": "The database is down for 60 s",
    "database_locked": "The database is locked",
    "rerun_after_fix": "Run everything again after a fix",
    "cancel": "Cancel a run",
    "roll_back": "Go back to the last good model",
    "late_data": "Late data, then catch up",
    "backfill_killed": "Ten days, the scheduler killed meanwhile",
    "sweep": "Kill points",
    "resume_after_fix": "Start again after a fix",
    "exception": "An exception in a step",
    "renamed_column": "A renamed column in the data",
    "import_error": "A broken import in the pipeline file",
}


def subject(key: str) -> str:
    """The title of a scenario or bug; unknown ones by their own name."""
    return SUBJECTS.get(key, key.replace("_", " "))


ABILITIES = {
    "resume": "Start a failed run again at the failed step",
    "cancel": "Stop a run",
    "deployment_error": "Tell that a pipeline file is broken, without a run",
    "step_timeout": "A time limit that stops a step",
    "retry_lost_step": "Retry a step whose process died",
    "cleanup_after_failure": "Clean up after a failed step",
    "backfill": "Run a range of past days",
}


def metric(name: str) -> Metric:
    """Look a metric up; names of later versions get a plain description and are not ranked."""
    if name in METRICS:
        return METRICS[name]
    group, _, rest = name.partition(".")
    topic, _, leaf = rest.rpartition(".")
    table = {"recovery": OF_SCENARIO, "debugging": OF_BUG, "micro": OF_MICRO}.get(group, {})
    if topic and leaf in table:
        found = table[leaf]
        return replace(found, name=name, title=f"{subject(topic)}: {found.title.lower()}")
    return Metric(name, rest.replace("_", " ") or name, "none", "info", "")


def scale_of(metric: Metric, values: Iterable[float | str | None]) -> Scale:
    """One scale for all the values that are compared."""
    return metric.scale or scale_for(metric.unit, values)


def matters(name: str) -> bool:
    """Whether the isolation of steps has a price in this metric."""
    return name.startswith(
        ("runtime.", "recovery.", "scaling.", "concurrency.", "resources.cpu_per_task", "resources.run")
    )

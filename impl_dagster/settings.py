"""Dagster's settings per track; everything that the adapter writes or passes is derived from them."""

from __future__ import annotations

import json
from typing import Any

from bench.contract.settings import Polling, Setting, Variant
from bench.contract.words import Track
from bench.contract.workspace import Workspace

DOCS = "https://docs.dagster.io"
DAGSTER_YAML = f"{DOCS}/deployment/oss/dagster-yaml"
WORKSPACE_YAML = f"{DOCS}/deployment/code-locations/workspace-yaml"
POOLS = f"{DOCS}/guides/operate/managing-concurrency/concurrency-pools"
RUN_EXECUTOR_LIMITS = f"{DOCS}/guides/operate/managing-concurrency/run-executor-limits"
EXECUTION_API = f"{DOCS}/api/dagster/execution"
INTERNALS_API = f"{DOCS}/api/dagster/internals"
RUN_MONITORING = f"{DOCS}/deployment/execution/run-monitoring"
RUN_RETRIES = f"{DOCS}/deployment/execution/run-retries"
JOB_EXECUTION = f"{DOCS}/guides/build/jobs/job-execution"
TELEMETRY = f"{DOCS}/about/telemetry"
PYTHON_LOGS = f"{DOCS}/guides/log-debug/logging/python-logging"
REQUIRED = "required"

LOCATION = "benchmark"
MODULE = "definitions"
"""Merges the definitions of all pipelines that lie beside it."""
PRELOADED = ["pandas", "pyarrow.parquet", "sklearn.metrics", "sklearn.model_selection", "xgboost"]
LOOPBACK = "127.0.0.1"
CODE_SERVER = "dagster code-server start"
WEBSERVER = "dagster-webserver"
DAEMON = "dagster-daemon run"
EXECUTOR = "run config: execution.config.multiprocess"
RETRIED = "dagster.yaml: run_retries"
DEFAULT_DEQUEUE_S = 5
VARIANTS: dict[Variant, dict[str, Any]] = {
    Variant(
        "in-process", "in-process", JOB_EXECUTION,
        "all steps run one after another in the run worker's process: `execution: config: in_process` at launch",
    ): {"in_process": {}}
}  # fmt: skip
"""What the run config says about the executor, instead of the settings."""


def settings_of(workspace: Workspace) -> list[Setting]:
    """All settings of the workspace's track."""
    settings = _required(workspace) + (_tuned(workspace) if workspace.track is Track.TUNED else [])
    return settings + (_over_all_runs(workspace.at_once_over_all) if workspace.at_once_over_all else [])


def _required(workspace: Workspace) -> list[Setting]:
    code = {"host": LOOPBACK, "port": workspace.ports["code"], "location_name": LOCATION}
    file = str(workspace.home / "workspace.yaml")
    return [
        Setting("env: DAGSTER_HOME", str(workspace.home), REQUIRED, "folder of dagster.yaml, SQLite files and logs"),
        Setting(
            "env: PYTHONPATH", f"{workspace.pipelines}:{workspace.project}", REQUIRED,
            "the deployed copy of the pipelines is imported as a module, as if it were installed",
        ),
        Setting(
            "dagster.yaml: python_logs.managed_python_loggers", json.dumps(["core"]), PYTHON_LOGS,
            "what the steps log through Python's logging reaches the run's log, as in the other engines",
        ),
        Setting(
            "dagster.yaml: python_logs.python_log_level", json.dumps("INFO"), PYTHON_LOGS,
            "the level of these logs, as in the other engines",
        ),
        Setting("dagster.yaml: telemetry.enabled", "false", TELEMETRY, "no telemetry"),
        Setting(
            "workspace.yaml: load_from", json.dumps([{"grpc_server": code}]), WORKSPACE_YAML,
            "webserver and daemon find the code server here",
        ),
        Setting(f"{CODE_SERVER} --module-name", MODULE, REQUIRED, "the pipelines"),
        Setting(f"{CODE_SERVER} --host", LOOPBACK, REQUIRED, "loopback only"),
        Setting(f"{CODE_SERVER} --port", str(workspace.ports["code"]), REQUIRED, "a free port"),
        Setting(f"{WEBSERVER} --host", LOOPBACK, REQUIRED, "loopback only"),
        Setting(f"{WEBSERVER} --port", str(workspace.ports["webserver"]), REQUIRED, "a free port"),
        Setting(f"{WEBSERVER} --workspace", file, REQUIRED, "which code locations there are"),
        Setting(f"{DAEMON} --workspace", file, REQUIRED, "which code locations there are"),
        Setting(
            f"{EXECUTOR}.max_concurrent", str(workspace.parallelism), RUN_EXECUTOR_LIMITS,
            "steps at once within a run; the same number everywhere",
        ),
    ]  # fmt: skip


def _tuned(workspace: Workspace) -> list[Setting]:
    queued = {
        "module": "dagster.core.run_coordinator",
        "class": "QueuedRunCoordinator",
        "config": {"dequeue_interval_seconds": 1},
    }
    monitoring = "dagster.yaml: run_monitoring"
    found = [
        Setting(
            "dagster.yaml: run_coordinator", json.dumps(queued), INTERNALS_API,
            "the default coordinator, dequeuing every second instead of every 5 s",
        ),
        Setting(
            "dagster.yaml: run_coordinator.config.max_user_code_failure_retries", "6", INTERNALS_API,
            "a run stays in the queue while the code server is started again, instead of being failed at once",
        ),
        Setting(
            "dagster.yaml: run_coordinator.config.user_code_failure_retry_delay", "5", INTERNALS_API,
            "which is then looked for every 5 s instead of every 60 s",
        ),
        Setting(
            f"{EXECUTOR}.start_method.forkserver.preload_modules",
            json.dumps([MODULE, *PRELOADED]), EXECUTION_API,
            "steps are forked from a process that has imported pipelines and libraries, instead of importing them each",
        ),
        Setting(
            f"{monitoring}.enabled", "true", RUN_MONITORING,
            "runs that outlast dagster/max_runtime, or hang at their start or end, are failed; off by default, "
            "and then that tag limits nothing",
        ),
        Setting(f"{monitoring}.poll_interval_seconds", "5", RUN_MONITORING, "every 5 s instead of every 120 s"),
        Setting(f"{monitoring}.start_timeout_seconds", "30", RUN_MONITORING, "a lost start is failed in 30 s, not 180"),
        Setting(f"{monitoring}.cancel_timeout_seconds", "30", RUN_MONITORING, "a stuck cancel ends in 30 s, not 180"),
        Setting(
            f"{RETRIED}.enabled", "true", RUN_RETRIES,
            "a run whose worker crashed, or that outlasted its limit, is followed by a new run from where it failed",
        ),
        Setting(f"{RETRIED}.max_retries", "3", RUN_RETRIES, "the value of the documentation's example"),
        Setting(
            f"{RETRIED}.retry_on_asset_or_op_failure", "false", RUN_RETRIES,
            "a step is tried as often as its own retries say, and no more: as in the other engines",
        ),
    ]  # fmt: skip
    if workspace.postgres:
        url = f"postgresql://postgres@/dagster?host={workspace.postgres}"
        found.append(
            Setting(
                "dagster.yaml: storage.postgres.postgres_url",
                json.dumps(url),
                DAGSTER_YAML,
                "PostgreSQL for all engines",
            )
        )
    return found


def _over_all_runs(at_once: int) -> list[Setting]:
    """Every op is in one pool. Only run monitoring frees slots of runs that have left them taken."""
    return [
        Setting(
            "dagster.yaml: concurrency.pools.default_limit", str(at_once), POOLS,
            "steps at once over all runs, where several are up at once; the same number everywhere",
        ),
        Setting("dagster.yaml: concurrency.pools.granularity", json.dumps("op"), POOLS, "the default: steps, not runs"),
        Setting(
            "dagster.yaml: run_monitoring.free_slots_after_run_end_seconds", "300", RUN_MONITORING,
            "a run that ended without giving back its slots keeps them for 5 minutes, not for ever; as documented",
        ),
    ]  # fmt: skip


def run_config(settings: list[Setting], variant: str) -> dict[str, Any]:
    """What a run is launched with beside its parameter: the executor of the settings, or a variant's.

    Raises KeyError if there is no such variant.
    """
    executors = {one.name: executor for one, executor in VARIANTS.items()}
    return {"execution": {"config": executors[variant]}} if variant else document(settings, "run config")


def retries_runs(settings: list[Setting]) -> bool:
    """Whether Dagster retries runs by itself."""
    return bool(document(settings, "dagster.yaml").get("run_retries", {}).get("enabled", False))


def polling_of(settings: list[Setting]) -> list[Polling]:
    """What the settings say about intervals, and the defaults where they say nothing."""
    instance = document(settings, "dagster.yaml")
    dequeue_s = instance.get("run_coordinator", {}).get("config", {}).get("dequeue_interval_seconds", DEFAULT_DEQUEUE_S)
    found = [
        Polling("dagster.yaml: run_coordinator.config.dequeue_interval_seconds", dequeue_s, INTERNALS_API, waits=True)
    ]
    monitoring = instance.get("run_monitoring", {})
    if monitoring.get("enabled"):
        name = "dagster.yaml: run_monitoring.poll_interval_seconds"
        found.append(Polling(name, monitoring["poll_interval_seconds"], RUN_MONITORING))
    return found


def environment(settings: list[Setting]) -> dict[str, str]:
    """The settings that are environment variables."""
    return {name: setting.value for setting in settings for name in _key(setting, "env: ")}


def document(settings: list[Setting], name: str) -> dict[str, Any]:
    """The settings named `<name>: a.b.c`, nested; their values are JSON, which is YAML too."""
    nested: dict[str, Any] = {}
    for setting in settings:
        for key in _key(setting, f"{name}: "):
            *parents, last = key.split(".")
            place = nested
            for parent in parents:
                place = place.setdefault(parent, {})
            place[last] = json.loads(setting.value)
    return nested


def arguments(settings: list[Setting], command: str) -> list[str]:
    """The flags of a command, as the settings name them."""
    return [part for s in settings for flag in _key(s, f"{command} --") for part in (f"--{flag}", s.value)]


def _key(setting: Setting, prefix: str) -> list[str]:
    return [setting.name.removeprefix(prefix)] if setting.name.startswith(prefix) else []

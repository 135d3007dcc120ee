"""Airflow's settings: what is tuned, its other storage, and at which intervals it looks for something; with sources."""

from __future__ import annotations

from bench.contract.settings import HOME, Polling, Setting, Storage
from bench.contract.workspace import Workspace

DOCS = "https://airflow.apache.org/docs/apache-airflow/3.3.0"
REFERENCE = f"{DOCS}/configurations-ref.html"
BACKEND = "https://airflow.apache.org/docs/apache-airflow-providers-common-io/stable/xcom_backend.html"

LATENCY = "shorter waits between a task's end and the next task's start"
DETECTION = "a lost task or scheduler is noticed within seconds instead of minutes"
PATIENCE = "with a heartbeat each second, an API server that restarts would cost every running task its attempt"
FRESHNESS = "a new pipeline file is found within seconds instead of minutes"
TUNED = (
    ("scheduler", "scheduler_idle_sleep_time", "0.1", LATENCY),
    ("scheduler", "scheduler_heartbeat_sec", "1", DETECTION),
    ("scheduler", "scheduler_health_check_threshold", "10", DETECTION),
    ("scheduler", "orphaned_tasks_check_interval", "5", DETECTION),
    ("scheduler", "task_instance_heartbeat_sec", "1", DETECTION),
    ("scheduler", "task_instance_heartbeat_timeout", "10", DETECTION),
    ("scheduler", "task_instance_heartbeat_timeout_detection_interval", "2", DETECTION),
    ("workers", "min_heartbeat_interval", "1", DETECTION),
    ("workers", "max_failed_heartbeats", "10", PATIENCE),
    ("dag_processor", "refresh_interval", "10", FRESHNESS),
)
"""Section, key, value and reason; all from Airflow's configuration reference."""

POLLED = (
    ("scheduler", "scheduler_idle_sleep_time", "1", True),
    ("scheduler", "orphaned_tasks_check_interval", "300", False),
    ("scheduler", "task_instance_heartbeat_timeout_detection_interval", "10", False),
    ("scheduler", "task_queued_timeout_check_interval", "120", False),
)
"""Section, key and default, from the same reference, of every interval that a run may have to wait for, and whether
every plain run does."""


def _variable(section: str, key: str) -> str:
    return f"AIRFLOW__{section.replace('.', '_').upper()}__{key.upper()}"


def setting(section: str, key: str, value: str, source: str, reason: str) -> Setting:
    """One setting under the name of the environment variable that sets it."""
    return Setting(_variable(section, key), value, source, reason)


STORED = "only where object storage is measured: "
OBJECT_STORAGE = Storage(
    "object-storage",
    "what a task returns goes to a file from 1 MiB on, and only its path to the database; without compression",
    (
        setting(
            "core", "xcom_backend", "airflow.providers.common.io.xcom.backend.XComObjectStorageBackend", BACKEND,
            f"{STORED}the documented way to hand on large values, of a provider that Airflow always installs",
        ),
        setting(
            "common.io", "xcom_objectstorage_path", f"file://{HOME}/xcoms", BACKEND,
            f"{STORED}a folder of the engine's own, so that its bytes are counted among its files",
        ),
        setting(
            "common.io", "xcom_objectstorage_threshold", "1048576", BACKEND,
            f"{STORED}the threshold of the documentation's example; at its default of -1 all stays in the database",
        ),
    ),
)  # fmt: skip
"""The documentation's example for files, with the threshold of its other example; compression is off by default."""


def limits(space: Workspace) -> list[Setting]:
    """How many steps may run at once: within each run, and, where that is told, over all of them."""
    key, why = "max_active_tasks_per_dag", "steps at once within a run; the same number everywhere"
    found = [setting("core", key, str(space.parallelism), _anchor(key), why)]
    if space.at_once_over_all:
        key, why = (
            "parallelism",
            "steps at once over all runs, where several are up at once; the same number everywhere",
        )
        found.append(setting("core", key, str(space.at_once_over_all), _anchor(key), why))
    return found


def tuned() -> list[Setting]:
    """What the tuned track changes beside the database."""
    return [setting(section, key, value, _anchor(key), reason) for section, key, value, reason in TUNED]


def polling_of(settings: list[Setting]) -> list[Polling]:
    """The intervals as these settings have them, and the defaults where they say nothing."""
    values = {one.name: one.value for one in settings}
    return [
        Polling(name, float(values.get(name, default)), _anchor(key), waits)
        for section, key, default, waits in POLLED
        for name in [_variable(section, key)]
    ]


def _anchor(key: str) -> str:
    return f"{REFERENCE}#{key.replace('_', '-')}"

"""Airflow's settings that are tuned, and the intervals at which it looks for something; with their sources."""

from __future__ import annotations

from bench.contract.settings import Polling, Setting
from bench.contract.workspace import Workspace

DOCS = "https://airflow.apache.org/docs/apache-airflow/3.3.0"
REFERENCE = f"{DOCS}/configurations-ref.html"

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


def setting(section: str, key: str, value: str, source: str, reason: str) -> Setting:
    """One setting under the name of the environment variable that sets it."""
    return Setting(_variable(section, key), value, source, reason)


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


def _variable(section: str, key: str) -> str:
    return f"AIRFLOW__{section.upper()}__{key.upper()}"


def _anchor(key: str) -> str:
    return f"{REFERENCE}#{key.replace('_', '-')}"

"""Prefect's settings per track, and what the adapter says about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.contract.settings import Polling, Setting, Variant
from bench.contract.words import Track
from core.declaration import SHARED_LIMIT

if TYPE_CHECKING:
    from bench.contract.workspace import Workspace

DOCS = "https://docs.prefect.io/v3"
SETTINGS = f"{DOCS}/api-ref/settings-ref"
PROCESSES = Variant(
    "processes",
    "process pool",
    f"{DOCS}/concepts/task-runners",
    "each task is submitted to a ProcessPoolTaskRunner: a pool of processes, kept for the whole flow run",
)
TAG_LIMITS = f"{DOCS}/concepts/tag-based-concurrency-limits"
SLOT_WAIT = "PREFECT_SERVER_TASKS_TAG_CONCURRENCY_SLOT_WAIT_SECONDS"
LIMIT_COMMAND = "prefect concurrency-limit create"
POLLING = {
    "PREFECT_WORKER_QUERY_SECONDS": (10.0, f"{SETTINGS}#workersettings", True),
    "PREFECT_SERVER_EVENTS_PROACTIVE_GRANULARITY": (5.0, f"{SETTINGS}#servereventssettings", False),
}
"""Default in seconds, documentation, and whether every plain run waits for it, of each interval that a run can wait
for: the first to be started, the second, where there is an automation for it, to be marked as crashed."""


USER = "orchbench"
AUTOMATION = "automation: "
ZOMBIES = "crash_zombies.yaml"
"""File of an automation, which is created once the server is up."""


def api(workspace: Workspace) -> str:
    """Address of the server's REST API."""
    return f"http://127.0.0.1:{workspace.ports['api']}/api"


def credentials(workspace: Workspace) -> tuple[str, str]:
    """User and password that the server asks for."""
    return USER, workspace.secrets["password"]


def settings_of(workspace: Workspace) -> list[Setting]:
    """All settings of the workspace's track."""
    settings = [*_necessities(workspace), *_privacy(workspace), *_over_all_runs(workspace)]
    return settings + _tuning(workspace) if workspace.track is Track.TUNED else settings


def polling_of(settings: list[Setting]) -> list[Polling]:
    """The intervals that hold under these settings: theirs, or else the default."""
    values = {setting.name: setting.value for setting in settings}
    found = [
        Polling(name, float(values.get(name, default)), source, waits)
        for name, (default, source, waits) in POLLING.items()
    ]
    return [*found, Polling(SLOT_WAIT, float(values[SLOT_WAIT]), TAG_LIMITS)] if SLOT_WAIT in values else found


def limit_commands(settings: list[Setting]) -> list[tuple[str, ...]]:
    """The commands that make the limits of tags."""
    return [(*LIMIT_COMMAND.split(), *one.value.split()) for one in settings if one.name == LIMIT_COMMAND]


def environment(settings: list[Setting]) -> dict[str, str]:
    """The settings that are environment variables; limits of tags and automations are records, made by commands."""
    return {one.name: one.value for one in settings if not one.name.startswith((AUTOMATION, LIMIT_COMMAND))}


def automations_of(settings: list[Setting]) -> list[str]:
    """The files of the automations among the settings."""
    return [one.name.removeprefix(AUTOMATION) for one in settings if one.name.startswith(AUTOMATION)]


def _necessities(workspace: Workspace) -> list[Setting]:
    home, port = workspace.home, workspace.ports["api"]
    return [
        Setting("PREFECT_HOME", str(home), "required", "the session's own folder"),
        Setting("PREFECT_SERVER_UI_STATIC_DIRECTORY", str(home / "ui"), "required", "else written to the package"),
        Setting("PREFECT_SERVER_API_HOST", "127.0.0.1", "required", "loopback only"),
        Setting("PREFECT_SERVER_API_PORT", str(port), "required", "the session's own port"),
        Setting("PREFECT_API_URL", api(workspace), "required", "where worker, flows and commands find the server"),
        Setting(
            "PREFECT_TASKS_RUNNER_THREAD_POOL_MAX_WORKERS",
            str(workspace.parallelism),
            f"{SETTINGS}#tasksrunnersettings",
            "steps at once within a flow run; the same number everywhere",
        ),
        Setting(
            "PREFECT_TASKS_RUNNER_PROCESS_POOL_MAX_WORKERS",
            str(workspace.parallelism),
            f"{SETTINGS}#tasksrunnersettings",
            "parallelism of tasks that are submitted to a pool of processes",
        ),
        Setting(
            "PREFECT_LOGGING_EXTRA_LOGGERS",
            "core",
            f"{DOCS}/advanced/logging-customization",
            "the steps log through Python's logging, which is collected for named loggers only",
        ),
        Setting(
            "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS",
            "120",
            f"{SETTINGS}#serverephemeralsettings",
            "local mode: how long to wait for the temporary server before giving up, for busy hosts",
        ),
    ]


def _over_all_runs(workspace: Workspace) -> list[Setting]:
    """Every task has one tag, whose limit all flow runs share."""
    if not workspace.at_once_over_all:
        return []
    return [
        Setting(
            LIMIT_COMMAND,
            f"{SHARED_LIMIT} {workspace.at_once_over_all}",
            f"{DOCS}/how-to-guides/workflows/tag-based-concurrency-limits",
            "steps at once over all runs, where several are up at once; the same number everywhere",
        ),
        Setting(
            SLOT_WAIT,
            "1",
            TAG_LIMITS,
            "a task that finds no slot asks again after 1 s on average, or sooner; documented as 30 s",
        ),
    ]


def _privacy(workspace: Workspace) -> list[Setting]:
    known, secured = ":".join(credentials(workspace)), f"{DOCS}/advanced/security-settings"
    return [
        Setting("PREFECT_SERVER_API_AUTH_STRING", known, secured, "the server answers nobody else on this machine"),
        Setting("PREFECT_API_AUTH_STRING", known, secured, "what worker, flows and commands say to be answered"),
        Setting("DO_NOT_TRACK", "1", f"{DOCS}/concepts/telemetry", "no telemetry from commands and flows"),
        Setting(
            "PREFECT_SERVER_ANALYTICS_ENABLED",
            "false",
            f"{DOCS}/concepts/telemetry",
            "no telemetry from the server",
        ),
    ]


def _tuning(workspace: Workspace) -> list[Setting]:
    return [
        Setting(
            "PREFECT_SERVER_DATABASE_CONNECTION_URL",
            f"postgresql+asyncpg://postgres@/prefect?host={workspace.postgres}",
            f"{DOCS}/concepts/server",
            "PostgreSQL, as recommended for production",
        ),
        Setting(
            "PREFECT_WORKER_QUERY_SECONDS",
            "0.5",
            f"{SETTINGS}#workersettings",
            "a submitted run waits for the worker's next query; the default is 10 s",
        ),
        Setting(
            "PREFECT_WORKER_HEARTBEAT_SECONDS",
            "10",
            f"{SETTINGS}#workersettings",
            "a lost worker is shown offline earlier; the default is 30 s",
        ),
        Setting(
            "PREFECT_LOGGING_TO_API_BATCH_INTERVAL",
            "0.5",
            f"{SETTINGS}#loggingtoapisettings",
            "logs reach the API earlier; the default is 2 s",
        ),
        Setting(
            "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_FLUSH_INTERVAL",
            "1",
            f"{SETTINGS}#serverserviceseventpersistersettings",
            "events reach the API earlier; the default is 5 s",
        ),
        Setting(
            "PREFECT_CLIENT_RETRY_EXTRA_CODES",
            "500",
            f"{SETTINGS}#clientsettings",
            "a flow run's client tries again while the server has no database, which it answers with 500",
        ),
        Setting(
            "PREFECT_FLOWS_HEARTBEAT_FREQUENCY",
            "30",
            f"{DOCS}/advanced/detect-zombie-flows",
            "the shortest interval allowed, for the automation in crash_zombies.yaml; the default is 180 s",
        ),
        Setting(
            f"{AUTOMATION}{ZOMBIES}",
            "a run without a heartbeat for 90 s is marked as crashed",
            f"{DOCS}/advanced/detect-zombie-flows",
            "a run that was lost with its worker is noticed; the automation of the documentation, as it stands there",
        ),
    ]

"""Apache Airflow, as the harness sees it: api-server, scheduler and dag-processor over REST v2."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from bench.contract.adapter import (
    Ability,
    AbilityTable,
    Adapter,
    ApiError,
    Command,
    Expectation,
    Feature,
    Polling,
    Role,
    RunState,
    Setting,
    Status,
    Targets,
    Track,
)
from impl_airflow.backfills import backfills
from impl_airflow.expectations import EXPECTATIONS
from impl_airflow.records import log_lines, mapped, placeholder, run_status, step_name, step_state, unsuccessful
from impl_airflow.settings import DOCS, polling_of, setting, tuned
from impl_airflow.targets import TARGETS

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

USER = "admin"
SKIP_SERVE_LOGS = "--skip-serve-logs"

ACTIVE = ("scheduled", "queued", "running", "restarting", "deferred", "up_for_retry", "up_for_reschedule")


class Airflow(Adapter):
    """The run id is `<DAG id>/<DAG run id>`: both are needed to address a run."""

    name: ClassVar[str] = "airflow"
    title: ClassVar[str] = "Apache Airflow"
    distribution: ClassVar[str] = "apache-airflow"
    import_name: ClassVar[str] = "airflow.sdk"
    port_names: ClassVar[tuple[str, ...]] = ("api", "worker_logs")
    secret_names: ClassVar[tuple[str, ...]] = ("password", "jwt", "api")
    targets: ClassVar[Targets] = TARGETS
    expectations: ClassVar[dict[str, Expectation]] = EXPECTATIONS

    _token: str | None = None

    def settings(self) -> list[Setting]:
        settings = self._necessities()
        if self.workspace.postgres:
            url = f"postgresql+psycopg2://postgres@/airflow?host={self.workspace.postgres}"
            source = f"{DOCS}/howto/set-up-database.html"
            settings.append(setting("database", "sql_alchemy_conn", url, source, "PostgreSQL instead of SQLite"))
        if self.workspace.track is Track.TUNED:
            settings += tuned()
        return settings

    def _necessities(self) -> list[Setting]:
        space = self.workspace
        rows = [
            ("core", "dags_folder", str(space.pipelines), "where the pipelines are"),
            ("core", "load_examples", "False", "only the pipelines under test"),
            ("core", "dags_are_paused_at_creation", "False", "a paused DAG starts no run"),
            ("core", "parallelism", str(space.parallelism), "steps at once over all runs; the same number everywhere"),
            ("core", "simple_auth_manager_users", f"{USER}:admin", "a user for the API"),
            ("core", "simple_auth_manager_passwords_file", str(self._passwords), "a random password"),
            ("core", "execution_api_server_url", f"{self._base}/execution/", "port"),
            ("api", "base_url", self._base, "port"),
            ("api", "host", "127.0.0.1", "loopback only"),
            ("api", "port", str(space.ports["api"]), "port"),
            ("api", "secret_key", space.secrets["api"], "secret"),
            ("api_auth", "jwt_secret", space.secrets["jwt"], "secret"),
            ("dag_processor", "dag_bundle_storage_path", str(space.home / "bundles"), "not in the shared /tmp"),
            ("logging", "worker_log_server_port", str(space.ports["worker_logs"]), "port"),
        ]
        others = [
            Setting("AIRFLOW_HOME", str(space.home), "required", "the engine's own folder"),
            Setting(SKIP_SERVE_LOGS, "", "required", "its server listens on every address; log files are read locally"),
        ]
        return [*others, *(setting(section, key, value, "required", reason) for section, key, value, reason in rows)]

    def initialise(self) -> list[Command]:
        self._passwords.parent.mkdir(parents=True, exist_ok=True)
        self._passwords.touch(mode=0o600)
        self._passwords.write_text(json.dumps({USER: self.workspace.secrets["password"]}))
        return [self._airflow("db", "migrate")]

    def roles(self) -> list[Role]:
        return [
            Role("api-server", self._airflow("api-server")),
            Role("scheduler", self._airflow("scheduler", SKIP_SERVE_LOGS)),
            Role("dag-processor", self._airflow("dag-processor"), ready=self._healthy),
        ]

    def deploy(self) -> list[Command]:
        return []

    def deployed(self, pipeline: str) -> bool:
        response = self._call("GET", f"dags/{quote(pipeline, safe='')}", missing_ok=True)
        dag = response.json()
        return response.is_success and not (dag["is_paused"] or dag["is_stale"] or dag["has_import_errors"])

    def submit(self, pipeline: str, config: Path, variant: str = "") -> str:
        if variant:
            raise KeyError(f"{self.title} has no variant {variant!r}")
        body = {"logical_date": None, "conf": {"config": str(config)}}
        run = self._call("POST", f"dags/{quote(pipeline, safe='')}/dagRuns", body).json()
        return f"{pipeline}/{run['dag_run_id']}"

    def state(self, run: str) -> RunState:
        # The run first: once it has ended, the task instances read after it have ended too.
        dag_run = self._call("GET", _address(run)).json()
        tasks = self._tasks(run)
        return RunState(
            status=run_status(dag_run),
            steps={step_name(task): step_state(task) for task in tasks if not placeholder(task)},
            raw={"dag_run": dag_run, "task_instances": tasks},
        )

    def status(self, run: str) -> Status:
        return run_status(self._call("GET", _address(run)).json())

    def polling(self) -> list[Polling]:
        return polling_of(self.settings())

    def logs(self, run: str, step: str | None) -> str:
        tasks = [t for t in self._tasks(run) if (step_name(t) == step if step else t["state"] == "failed")]
        return "\n".join(
            self._attempt_log(run, task, attempt) for task in tasks for attempt in range(1, task["try_number"] + 1)
        )

    def local_initialise(self) -> list[Command]:
        return [self._local("airflow", "db", "migrate")]

    def local(self, pipeline: str, config: Path) -> Command:
        script = ["training.py"] if pipeline == "training" else ["synthetic.py", pipeline]
        return self._local("python", str(self.workspace.pipelines / script[0]), *script[1:], str(config))

    def local_note(self) -> str:
        return (
            "`dag.test()` runs the tasks one after another in a single process (parallelism 1); "
            "it starts no service but needs a migrated metadata database, here SQLite."
        )

    def abilities(self) -> AbilityTable:
        return {
            Ability.RESUME: self._resume,
            Ability.CANCEL: self._cancel,
            Ability.DEPLOYMENT_ERROR: self._deployment_error,
            Ability.STEP_TIMEOUT: Feature("execution_timeout raises AirflowTaskTimeout inside the task's process"),
            Ability.RETRY_LOST_STEP: Feature(
                "a task whose process died, or stopped sending heartbeats, failed this try and uses its retries"
            ),
            Ability.BACKFILL: backfills(self._call, self.workspace.parallelism),
            Ability.CLEANUP_AFTER_FAILURE: Feature(
                "a teardown task runs whatever became of the tasks before it, and the run still fails with them"
            ),
        }

    def _resume(self, run: str) -> str:
        """Clear the failed tasks with all that follows them, so that cleanup runs after them again."""
        dag, dag_run = run.split("/", 1)
        failed = [
            [task["task_id"], task["map_index"]] if mapped(task) else task["task_id"]
            for task in self._tasks(run)
            if unsuccessful(task)
        ]
        if not failed:
            raise ApiError(f"{run}: no task of it has failed, so there is none to clear")
        body = {
            "dry_run": False, "dag_run_id": dag_run, "task_ids": failed, "include_downstream": True,
            "only_failed": False, "reset_dag_runs": True,
        }  # fmt: skip
        self._call("POST", f"dags/{quote(dag, safe='')}/clearTaskInstances", body)
        return run

    def _cancel(self, run: str) -> str:
        """Fail the active tasks. To fail the run itself would end it as a success once the teardown has run."""
        active = [task for task in self._tasks(run) if task["state"] in ACTIVE]
        for task in active:
            index = f"/{task['map_index']}" if mapped(task) else ""
            self._call("PATCH", f"{_task_address(run, task)}{index}", {"new_state": "failed"})
        if not active:
            self._call("PATCH", _address(run), {"state": "failed"})
        return run

    def _deployment_error(self) -> str:
        errors = self._call("GET", "importErrors").json()["import_errors"]
        return "\n".join(f"{error['filename']}\n{error['stack_trace']}" for error in errors)

    def _tasks(self, run: str) -> list[dict[str, Any]]:
        tasks: list[dict[str, Any]] = []
        while True:
            page = self._call("GET", f"{_address(run)}/taskInstances?limit=100&offset={len(tasks)}").json()
            tasks += page["task_instances"]
            if not page["task_instances"] or len(tasks) >= page["total_entries"]:
                return tasks

    def _attempt_log(self, run: str, task: dict[str, Any], attempt: int) -> str:
        address = f"{_task_address(run, task)}/logs/{attempt}?full_content=true&map_index={task['map_index']}"
        response = self._call("GET", address, missing_ok=True)
        lines = (log_lines(event) for event in response.json().get("content", ()))
        return "\n".join(line for event in lines for line in event)

    def _healthy(self) -> bool:
        health = self.http.get(f"{self._base}/api/v2/monitor/health").json()
        return all(health[part]["status"] == "healthy" for part in ("metadatabase", "scheduler", "dag_processor"))

    def _call(self, method: str, path: str, body: object = None, *, missing_ok: bool = False) -> httpx.Response:
        """Call the REST API, with a fresh token when there is none or it has expired."""
        response = self._request(method, path, body)
        if response.status_code == 401:
            self._token = None
            response = self._request(method, path, body)
        if not (missing_ok and response.status_code == 404):
            response.raise_for_status()
        return response

    def _request(self, method: str, path: str, body: object) -> httpx.Response:
        if self._token is None:
            login = {"username": USER, "password": self.workspace.secrets["password"]}
            answer = self.http.post(f"{self._base}/auth/token", json=login)
            self._token = str(answer.raise_for_status().json()["access_token"])
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        return self.http.request(method, f"{self._base}/api/v2/{path}", json=body, headers=headers)

    def _airflow(self, *arguments: str) -> Command:
        return Command((self.workspace.executable("airflow"), *arguments), self._environment())

    def _local(self, executable: str, *arguments: str) -> Command:
        """A command on a home and a SQLite database of its own, whatever the served track uses."""
        home = self.workspace.home / "local"
        connection = {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}"}
        environment = self._environment() | {"AIRFLOW_HOME": str(home)} | connection
        return Command((self.workspace.executable(executable), *arguments), environment)

    def _environment(self) -> dict[str, str]:
        return {one.name: one.value for one in self.settings() if one.name != SKIP_SERVE_LOGS}

    @property
    def _base(self) -> str:
        return f"http://127.0.0.1:{self.workspace.ports['api']}"

    @property
    def _passwords(self) -> Path:
        return self.workspace.home / "passwords.json"


def _address(run: str) -> str:
    dag, dag_run = run.split("/", 1)
    return f"dags/{quote(dag, safe='')}/dagRuns/{quote(dag_run, safe='')}"


def _task_address(run: str, task: dict[str, Any]) -> str:
    return f"{_address(run)}/taskInstances/{quote(task['task_id'], safe='')}"


ADAPTER = Airflow

"""What is asked of Apache Airflow, over its REST API v2. The run id is `<DAG id>/<DAG run id>`: both address a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from bench.contract.endpoint import ApiError, Endpoint, RunState
from bench.contract.words import Ability, AbilityTable, Feature, Status
from core.declaration import Graph, offered
from impl_airflow.backfills import backfills
from impl_airflow.records import log_lines, mapped, placeholder, run_status, step_name, step_state, unsuccessful

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

USER = "admin"
TITLE = "Apache Airflow"
ACTIVE = ("scheduled", "queued", "running", "restarting", "deferred", "up_for_retry", "up_for_reschedule")


class AirflowEndpoint(Endpoint):
    """The API server of one address, asked as the user `admin`."""

    def __init__(self, http: httpx.Client, base: str, password: str, at_once: int) -> None:
        """`at_once`: how many runs of a backfill may run at once."""
        super().__init__(http)
        self._base, self._password, self._at_once = base, password, at_once
        self._token: str | None = None

    def deployed(self, pipeline: str) -> bool:
        response = self._call("GET", f"dags/{quote(pipeline, safe='')}", missing_ok=True)
        dag = response.json()
        return response.is_success and not (dag["is_paused"] or dag["is_stale"] or dag["has_import_errors"])

    def submit(self, pipeline: str, config: Path, variant: str = "") -> str:
        if variant:
            raise KeyError(f"{TITLE} has no variant {variant!r}")
        body = {"logical_date": None, "conf": {"config": str(config)}}
        run = self._call("POST", f"dags/{quote(pipeline, safe='')}/dagRuns", body).json()
        return f"{pipeline}/{run['dag_run_id']}"

    def state(self, run: str) -> RunState:
        # The run first: once it has ended, the task instances read after it have ended too.
        dag_run = self._call("GET", _address(run)).json()
        tasks, graph = self._tasks(run), _graph(run)
        return RunState(
            status=run_status(dag_run),
            steps={step_name(task, graph): step_state(task) for task in tasks if not placeholder(task, graph)},
            raw={"dag_run": dag_run, "task_instances": tasks},
            ended_utc=dag_run["end_date"],
        )

    def status(self, run: str) -> Status:
        return run_status(self._call("GET", _address(run)).json())

    def logs(self, run: str, step: str | None) -> str:
        graph = _graph(run)
        tasks = [t for t in self._tasks(run) if (step_name(t, graph) == step if step else t["state"] == "failed")]
        return "\n".join(
            self._attempt_log(run, task, attempt) for task in tasks for attempt in range(1, task["try_number"] + 1)
        )

    def abilities(self) -> AbilityTable:
        return {
            Ability.RESUME: self._resume,
            Ability.CANCEL: self._cancel,
            Ability.DEPLOYMENT_ERROR: self._deployment_error,
            Ability.READ_AGAIN: self._read_again,
            Ability.STEP_TIMEOUT: Feature("execution_timeout raises AirflowTaskTimeout inside the task's process"),
            Ability.RETRY_LOST_STEP: Feature(
                "a task whose process died, or stopped sending heartbeats, failed this try and uses its retries"
            ),
            Ability.BACKFILL: backfills(self._call, self._at_once),
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

    def _read_again(self, pipeline: str) -> None:
        """Ask for the DAG's file to be parsed before all others."""
        token = self._call("GET", f"dags/{quote(pipeline, safe='')}").json()["file_token"]
        self._call("PUT", f"parseDagFile/{quote(token, safe='')}")

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

    def healthy(self) -> bool:
        """Whether all services are."""
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
            login = {"username": USER, "password": self._password}
            answer = self.http.post(f"{self._base}/auth/token", json=login)
            self._token = str(answer.raise_for_status().json()["access_token"])
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        return self.http.request(method, f"{self._base}/api/v2/{path}", json=body, headers=headers)


def _graph(run: str) -> Graph:
    """Of the pipeline that is offered under the name of the run's DAG."""
    found, settings = offered(run.partition("/")[0])
    return found.graph(settings)


def _address(run: str) -> str:
    dag, dag_run = run.split("/", 1)
    return f"dags/{quote(dag, safe='')}/dagRuns/{quote(dag_run, safe='')}"


def _task_address(run: str, task: dict[str, Any]) -> str:
    return f"{_address(run)}/taskInstances/{quote(task['task_id'], safe='')}"

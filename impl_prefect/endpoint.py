"""What is asked of Prefect, over the server's REST API. A run is known by its flow run's id."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from bench.contract.endpoint import ApiError, Endpoint, NotYetError, RunState
from bench.contract.words import Ability, AbilityTable, Feature, Status, Unsupported
from impl_prefect.records import status_of, step_name, steps_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

POOL = "local"
PAGE_ROWS = 200
"""The server's own limit of rows in one answer."""
CRASH_SEEN_BY_WORKER = "Process exited with status code"
BEGUN_BY_WORKER, DONE_BY_WORKER = "prefect.worker.submitted-flow-run", "prefect.worker.executed-flow-run"
LOG_MARGIN_S = 1.0

LEVELS = {10: "DEBUG", 20: "INFO", 30: "WARNING", 40: "ERROR", 50: "CRITICAL"}


class PrefectEndpoint(Endpoint):
    """The server of one address, and the workers that it has heard of."""

    def __init__(self, http: httpx.Client, api: str, credentials: tuple[str, str], log_batch_s: float) -> None:
        """`credentials`: user and password. `log_batch_s`: for how long flow runs gather their logs before they send
        them."""
        super().__init__(http)
        http.auth = credentials
        self._api, self._log_batch_s = api, log_batch_s
        self._deployment_ids: dict[tuple[str, str], str] = {}

    def deployed(self, pipeline: str) -> bool:
        return bool(self._deployments(pipeline))

    def submit(self, pipeline: str, config: Path, variant: str = "") -> str:
        """Create a flow run. On SQLite the server answers 503 in bursts: the idempotency key makes it safe to repeat
        the request, as a run that was created all the same is returned, not doubled."""
        deployment = self._deployment_id(pipeline, variant)
        body = {"parameters": {"config": str(config)}, "idempotency_key": str(uuid.uuid4())}
        answer = self.http.post(f"{self._api}/deployments/{deployment}/create_flow_run", json=body)
        return str(answer.raise_for_status().json()["id"])

    def state(self, run: str) -> RunState:
        flow_run = self._flow_run(run)
        task_runs = self._task_runs(run)
        return RunState(
            status=status_of(flow_run),
            steps=steps_of(task_runs),
            raw={"flow_run": flow_run, "task_runs": task_runs},
            ended_utc=flow_run["end_time"],
        )

    def status(self, run: str) -> Status:
        return status_of(self._flow_run(run))

    def logs(self, run: str, step: str | None) -> str:
        self._let_logs_arrive(run)
        logs: dict[str, Any] = {"flow_run_id": {"any_": [run]}}
        if step is not None:
            logs["task_run_id"] = {"any_": [row["id"] for row in self._task_runs(run) if step_name(row) == step]}
        return "".join(
            f"{row['timestamp']} {LEVELS.get(row['level'], row['level'])} {row['name']}: {row['message']}\n"
            for row in self._rows("logs", {"logs": logs, "sort": "TIMESTAMP_ASC"})
        )

    def abilities(self) -> AbilityTable:
        return {
            Ability.RESUME: self._resume,
            Ability.CANCEL: self._cancel,
            Ability.DEPLOYMENT_ERROR: Unsupported(
                "The server keeps only a file's path; the worker imports the file when a run starts, so an import "
                "error shows as that run's crash."
            ),
            Ability.STEP_TIMEOUT: Feature(
                "timeout_seconds of a task; it interrupts a blocked task because the task is called in the main thread"
            ),
            Ability.RETRY_LOST_STEP: Unsupported(
                "Tasks share the flow run's process; when it dies the run is marked as crashed, and retries do not "
                "apply to crashed runs."
            ),
            Ability.BACKFILL: Unsupported(
                "there is no backfill: a schedule makes future runs only, and past days are runs that one's own code "
                "creates one by one (https://docs.prefect.io/v3/concepts/schedules)"
            ),
            Ability.READ_AGAIN: Unsupported(
                "The server reads no file; each run imports its own, so the next run is what reads it again."
            ),
            Ability.CLEANUP_AFTER_FAILURE: Feature("on_failure and on_crashed hooks of the flow"),
        }

    def _resume(self, run: str) -> str:
        """Schedule the same flow run again, as `prefect flow-run retry` does; kept results are not computed again."""
        flow_run = self._flow_run(run)
        state, worker = flow_run["state"], flow_run["labels"].get("prefect.worker.name")
        told = (state["message"] or "").startswith(CRASH_SEEN_BY_WORKER)
        if state["type"] == "CRASHED" and (told or worker in self._workers_online()) and not self._let_go(run):
            raise NotYetError("the worker is not done with the crashed run: a retry would be undone")
        return self._set_state(run, {"type": "SCHEDULED", "message": "Retried over the API"}, force=True)

    def _cancel(self, run: str) -> str:
        return self._set_state(run, {"type": "CANCELLING"}, force=False)

    def _let_logs_arrive(self, run: str) -> None:
        """Flow runs send their logs in batches: soon after a run's end the last batch may still be on its way."""
        ended = self._flow_run(run)["end_time"]
        if ended:
            age_s = (datetime.now(UTC) - datetime.fromisoformat(ended)).total_seconds()
            time.sleep(max(0.0, self._log_batch_s + LOG_MARGIN_S - age_s))

    def _let_go(self, run: str) -> bool:
        """Whether the worker's latest event about a crashed run says that it is done with it.

        The worker marks the run as crashed, runs the hooks, and marks it once more: a retry in between is undone. So it
        does after the server has given up a run for want of heartbeats, once the run's process has ended.
        """
        query = {
            "event": {"name": [BEGUN_BY_WORKER, DONE_BY_WORKER]},
            "any_resource": {"id": [f"prefect.flow-run.{run}"]},
            "order": "DESC",
        }
        answer = self.http.post(f"{self._api}/events/filter", json={"filter": query, "limit": 1})
        latest = answer.raise_for_status().json()["events"]
        return bool(latest) and latest[0]["event"] == DONE_BY_WORKER

    def _set_state(self, run: str, state: dict[str, str], *, force: bool) -> str:
        body = {"state": state, "force": force}
        self.http.post(f"{self._api}/flow_runs/{run}/set_state", json=body).raise_for_status()
        return run

    def healthy(self) -> bool:
        """Whether the server is."""
        return self.http.get(f"{self._api}/health").status_code == HTTPStatus.OK

    def served(self) -> bool:
        """Whether a worker is there to start runs."""
        return bool(self._workers_online())

    def _workers_online(self) -> set[str]:
        """Names of the workers that the server has heard of lately; none before there is a pool."""
        answer = self.http.post(f"{self._api}/work_pools/{POOL}/workers/filter", json={})
        rows = answer.json() if answer.status_code == HTTPStatus.OK else []
        return {row["name"] for row in rows if row["status"] == "ONLINE"}

    def _deployments(self, pipeline: str, variant: str = "") -> list[str]:
        """Ids of the deployments that are called after pipeline and variant: one, or none."""
        name = f"{pipeline}-{variant}" if variant else pipeline
        body = {"deployments": {"name": {"any_": [name]}}}
        rows = self.http.post(f"{self._api}/deployments/filter", json=body).raise_for_status().json()
        return [str(row["id"]) for row in rows]

    def _deployment_id(self, pipeline: str, variant: str) -> str:
        """Asked for once: deploying again under the same name keeps it."""
        if (pipeline, variant) not in self._deployment_ids:
            found = self._deployments(pipeline, variant)
            if not found:
                raise ApiError(f"no deployment of {pipeline} {variant}".rstrip())
            self._deployment_ids[pipeline, variant] = found[0]
        return self._deployment_ids[pipeline, variant]

    def _flow_run(self, run: str) -> dict[str, Any]:
        found: dict[str, Any] = self.http.get(f"{self._api}/flow_runs/{run}").raise_for_status().json()
        return found

    def _task_runs(self, run: str) -> list[dict[str, Any]]:
        flow_runs = {"id": {"any_": [run]}}
        return list(self._rows("task_runs", {"flow_runs": flow_runs, "sort": "EXPECTED_START_TIME_ASC"}))

    def _rows(self, what: str, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Every row that the query finds, page by page."""
        offset = 0
        while True:
            body = {**query, "limit": PAGE_ROWS, "offset": offset}
            rows = self.http.post(f"{self._api}/{what}/filter", json=body).raise_for_status().json()
            yield from rows
            if len(rows) < PAGE_ROWS:
                return
            offset += PAGE_ROWS

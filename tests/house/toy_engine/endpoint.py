"""What is asked of the toy engine, over its server's HTTP API."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx

from bench.contract.endpoint import ApiError, Endpoint, RunState, StepState
from bench.contract.words import Ability, AbilityTable, Backfills, Feature, Status, Unsupported

BETWEEN = ","
"""Between the ids of the runs that are one backfill."""


class ToyEndpoint(Endpoint):
    """The server of one address, and the worker that it has heard of."""

    def __init__(self, http: httpx.Client, base: str) -> None:
        super().__init__(http)
        self._base = base

    def healthy(self) -> bool:
        """Whether the server answers."""
        return bool(self._ask("GET", "health"))

    def served(self) -> bool:
        """Whether a worker is there to take runs."""
        return bool(self._ask("GET", "health")["worker"])

    def deployed(self, pipeline: str) -> bool:
        return pipeline in self._ask("GET", "health")["pipelines"]

    def submit(self, pipeline: str, config: Path, variant: str = "") -> str:  # noqa: ARG002 - it has none
        return self._submit(pipeline, config)

    def state(self, run: str) -> RunState:
        found = self._ask("GET", f"runs/{run}")
        steps = {
            row["name"]: StepState(Status(row["status"]), row["attempts"], row["started"], row["ended"])
            for row in found["steps"]
        }
        return RunState(Status(found["status"]), steps, raw=found)

    def status(self, run: str) -> Status:
        return Status(self._ask("GET", f"runs/{run}/status")["status"])

    def logs(self, run: str, step: str | None) -> str:
        return str(self._ask("GET", f"runs/{run}/logs", params={"step": step or ""})["text"])

    def abilities(self) -> AbilityTable:
        return {
            Ability.RESUME: self._resume,
            Ability.CANCEL: self._cancel,
            Ability.DEPLOYMENT_ERROR: self._deployment_error,
            Ability.READ_AGAIN: Unsupported("it imports the files whenever it is asked for their error"),
            Ability.STEP_TIMEOUT: Feature("timeout_s of a step's limits; its process is ended, whatever it does"),
            Ability.RETRY_LOST_STEP: Feature("the retries of a step's limits also cover its process having ended"),
            Ability.BACKFILL: Backfills(self._backfill, self._backfill_status, self._backfill_again),
            Ability.CLEANUP_AFTER_FAILURE: Feature("a step that is always run, whatever became of those before it"),
        }

    def _submit(self, pipeline: str, config: Path, partition: str = "") -> str:
        body = {"pipeline": pipeline, "config": str(config), "partition": partition}
        return str(self._ask("POST", "runs", json=body)["id"])

    def _resume(self, run: str) -> str:
        return str(self._ask("POST", f"runs/{run}/resume", json={})["id"])

    def _cancel(self, run: str) -> str:
        return str(self._ask("POST", f"runs/{run}/cancel", json={})["id"])

    def _deployment_error(self) -> str:
        return str(self._ask("GET", "deployment")["error"])

    def _backfill(self, pipeline: str, config: Path, days: Sequence[str]) -> str:
        """A run for each day, all in the queue at once."""
        return BETWEEN.join(self._submit(pipeline, config, day) for day in days)

    def _backfill_status(self, runs: str) -> Status:
        met = {self.status(run) for run in runs.split(BETWEEN)}
        if not all(status.ended for status in met):
            return Status.RUNNING
        return Status.COMPLETED if met == {Status.COMPLETED} else Status.FAILED

    def _backfill_again(self, runs: str) -> str:
        failed = [run for run in runs.split(BETWEEN) if self.status(run) is Status.FAILED]
        return BETWEEN.join(self._resume(run) for run in failed)

    def _ask(self, method: str, path: str, **more: Any) -> Any:
        answer = self.http.request(method, f"{self._base}/{path}", **more)
        if answer.status_code in (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT):
            raise ApiError(str(answer.json()["error"]))
        return answer.raise_for_status().json()

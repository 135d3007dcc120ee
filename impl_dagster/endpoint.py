"""What is asked of Dagster, over the webserver's GraphQL API."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.contract.endpoint import ApiError, Endpoint, RunState
from bench.contract.words import Ability, AbilityTable, Feature, Status, Unsupported
from impl_dagster import graphql, retried
from impl_dagster.backfills import backfills
from impl_dagster.settings import LOCATION

if TYPE_CHECKING:
    import httpx

REPOSITORY_NAME = "__repository__"
"""The name that Dagster gives to what a `Definitions` object holds."""


class DagsterError(ApiError):
    """The API answered with an error; the message is Dagster's."""


class DagsterEndpoint(Endpoint):
    """The webserver of one address."""

    def __init__(
        self, http: httpx.Client, base: str, run_config: Callable[[Path, str], dict[str, Any]], *, retries: bool
    ) -> None:
        """`run_config`: what a run is launched with, by the path of its configuration and its variant. `retries`:
        whether Dagster retries runs by itself."""
        super().__init__(http)
        self._base, self._run_config, self._retries = base, run_config, retries
        self._backfills = backfills(self._answer, self._repository, lambda config: run_config(config, ""), self._status)

    def deployed(self, pipeline: str) -> bool:
        entry = self._ask(graphql.JOBS, location=LOCATION)["workspaceLocationEntryOrError"]
        loaded = ((entry or {}).get("locationOrLoadError") or {}).get("repositories", [])
        return any(job["name"] == pipeline for repository in loaded for job in repository["jobs"])

    def submit(self, pipeline: str, config: Path, variant: str = "") -> str:
        selector = {**self._repository, "pipelineName": pipeline}
        params = {"selector": selector, "runConfigData": self._run_config(config, variant)}
        return str(self._answer(graphql.LAUNCH, "launchRun", "LaunchRunSuccess", params=params)["run"]["runId"])

    def state(self, run: str) -> RunState:
        return retried.state(self._runs(run, graphql.RUN), retries=self._retries)

    def status(self, run: str) -> Status:
        return self._status(self._runs(run)[-1])

    def logs(self, run: str, step: str | None) -> str:
        return "\n".join(self._log(one["runId"], step) for one in self._runs(run))

    def _log(self, run: str, step: str | None) -> str:
        events = list(self._events(run))
        if step is None:
            return "\n".join(graphql.event_text(event) for event in events)
        lines = [graphql.event_text(event) for event in events if graphql.step_name(event["stepKey"] or "") == step]
        captured = [e["fileKey"] for e in events if step in map(graphql.step_name, e.get("stepKeys") or ())]
        return "\n".join([*lines, *(self._output(run, key) for key in captured)])

    def abilities(self) -> AbilityTable:
        return {
            Ability.RESUME: self._resume,
            Ability.CANCEL: self._cancel,
            Ability.DEPLOYMENT_ERROR: self._deployment_error,
            Ability.READ_AGAIN: self._read_again,
            Ability.STEP_TIMEOUT: Unsupported(
                "ops have no time limit, only whole runs do (tag dagster/max_runtime, with run monitoring); "
                "see https://github.com/dagster-io/dagster/issues/23695"
            ),
            Ability.RETRY_LOST_STEP: Feature("RetryPolicy of an op also covers its process having died"),
            Ability.BACKFILL: self._backfills,
            Ability.CLEANUP_AFTER_FAILURE: Feature(
                "@failure_hook on the job, called in the failed step's process (not when that process itself died)"
            ),
        }

    def _resume(self, run: str) -> str:
        newest = self._runs(run)[-1]["runId"]
        resumed = self._answer(graphql.RESUME, "launchRunReexecution", "LaunchRunSuccess", run=newest)
        return str(resumed["run"]["runId"])

    def _cancel(self, run: str) -> str:
        newest = self._runs(run)[-1]["runId"]
        return str(self._answer(graphql.CANCEL, "terminateRun", "TerminateRunSuccess", run=newest)["run"]["runId"])

    def _deployment_error(self) -> str:
        """The error of the code location when it was last loaded."""
        entry = self._ask(graphql.LOCATION, location=LOCATION)["workspaceLocationEntryOrError"]
        loaded = (entry or {}).get("locationOrLoadError")
        return graphql.error_text(loaded) if loaded and loaded["__typename"] == "PythonError" else ""

    def _read_again(self, pipeline: str) -> None:  # noqa: ARG002 - one location holds them all
        """Reload the code location, as a user does after changing code."""
        self._answer(graphql.RELOAD, "reloadRepositoryLocation", "WorkspaceLocationEntry", location=LOCATION)

    def daemons_healthy(self) -> bool:
        """Whether every daemon that is needed is."""
        statuses = self._ask(graphql.DAEMONS)["instance"]["daemonHealth"]["allDaemonStatuses"]
        return all(status["healthy"] for status in statuses if status["required"])

    def _runs(self, run: str, query: str = graphql.STATUS) -> list[dict[str, Any]]:
        """A run and those by which Dagster has retried it, oldest first."""
        found: list[dict[str, Any]] = []
        following: str | None = run
        while following:
            found.append(self._answer(query, "runOrError", "Run", run=following))
            following = retried.successor(found[-1])
        return found

    def _status(self, run: Mapping[str, Any]) -> Status:
        return retried.status(run, retries=self._retries)

    def _events(self, run: str) -> Iterator[dict[str, Any]]:
        """All events of a run; the API gives them in pages."""
        cursor = None
        while True:
            page = self._answer(graphql.EVENTS, "logsForRun", "EventConnection", run=run, cursor=cursor)
            yield from page["events"]
            cursor = page["cursor"]
            if not page["hasMore"]:
                return

    def _output(self, run: str, key: str) -> str:
        """What the step's processes wrote to stdout and stderr."""
        output = self._ask(graphql.OUTPUT, key=[run, "compute_logs", key])["capturedLogs"]
        return "\n".join(text for text in (output["stdout"], output["stderr"]) if text)

    @property
    def _repository(self) -> dict[str, str]:
        return {"repositoryLocationName": LOCATION, "repositoryName": REPOSITORY_NAME}

    def _ask(self, query: str, **variables: Any) -> dict[str, Any]:
        response = self.http.post(f"{self._base}/graphql", json={"query": query, "variables": variables})
        response.raise_for_status()
        try:
            body = response.json()
        except ValueError:
            raise DagsterError(f"GraphQL: no JSON but {response.text[:200]!r}") from None
        if body.get("errors"):
            raise DagsterError(f"GraphQL: {body['errors'][0]['message']}")
        data: dict[str, Any] = body["data"]
        return data

    def _answer(self, query: str, root: str, expected: str, **variables: Any) -> dict[str, Any]:
        """Ask, and insist on the type that means success; Dagster names its errors by type."""
        found: dict[str, Any] = self._ask(query, **variables)[root]
        if found["__typename"] != expected:
            details = found.get("message") or json.dumps(found.get("errors"))
            raise DagsterError(f"{root}: {found['__typename']}: {details}")
        return found

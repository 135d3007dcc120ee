"""Dagster, as the harness sees it: a code server, a webserver and a daemon, spoken to over GraphQL."""

from __future__ import annotations

import json
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.contract.adapter import (
    Ability,
    AbilityTable,
    Adapter,
    ApiError,
    Command,
    Feature,
    Polling,
    Role,
    RunState,
    Setting,
    Status,
    Unsupported,
    Workspace,
)
from impl_dagster import graphql
from impl_dagster.backfills import backfills
from impl_dagster.expectations import EXPECTATIONS
from impl_dagster.settings import (
    CODE_SERVER,
    DAEMON,
    LOCATION,
    LOOPBACK,
    VARIANTS,
    WEBSERVER,
    arguments,
    document,
    environment,
    module,
    polling_of,
    run_config,
    settings_of,
)
from impl_dagster.targets import TARGETS

if TYPE_CHECKING:
    import httpx

REPOSITORY_NAME = "__repository__"
"""The name that Dagster gives to what a `Definitions` object holds."""


class DagsterError(ApiError):
    """The API answered with an error; the message is Dagster's."""


class Dagster(Adapter):
    """Dagster OSS with the default run launcher and a process per step; as a variant, all steps in the run's own."""

    name = "dagster"
    title = "Dagster"
    distribution = "dagster"
    import_name = "dagster"
    port_names = ("webserver", "code")
    variants = tuple(VARIANTS)
    targets = TARGETS
    expectations = EXPECTATIONS

    def __init__(self, workspace: Workspace, http: httpx.Client) -> None:
        super().__init__(workspace, http)
        self._backfills = backfills(self._answer, self._repository, self._run_config)

    def settings(self) -> list[Setting]:
        return settings_of(self.workspace)

    def initialise(self) -> list[Command]:
        home = self.workspace.home
        for name in ("dagster.yaml", "workspace.yaml"):
            (home / name).write_text(json.dumps(document(self.settings(), name), indent=2))
        return [self._command("dagster instance migrate")]

    def roles(self) -> list[Role]:
        return [
            Role("code-server", self._command(CODE_SERVER), self._code_server_listens),
            Role("webserver", self._command(WEBSERVER), self._webserver_offers_jobs),
            Role("daemon", self._command(DAEMON), self._daemons_healthy),
        ]

    def deploy(self) -> list[Command]:
        return []  # the code server imports the pipelines when it starts

    def deployed(self, pipeline: str) -> bool:
        entry = self._ask(graphql.JOBS, location=LOCATION)["workspaceLocationEntryOrError"]
        loaded = ((entry or {}).get("locationOrLoadError") or {}).get("repositories", [])
        return any(job["name"] == pipeline for repository in loaded for job in repository["jobs"])

    def submit(self, pipeline: str, config: Path, variant: str = "") -> str:
        selector = {**self._repository, "pipelineName": pipeline}
        params = {"selector": selector, "runConfigData": self._run_config(config, variant)}
        return str(self._answer(graphql.LAUNCH, "launchRun", "LaunchRunSuccess", params=params)["run"]["runId"])

    def state(self, run: str) -> RunState:
        return graphql.run_state(self._answer(graphql.RUN, "runOrError", "Run", run=run))

    def status(self, run: str) -> Status:
        return graphql.status(self._answer(graphql.STATUS, "runOrError", "Run", run=run))

    def polling(self) -> list[Polling]:
        return polling_of(self.settings())

    def logs(self, run: str, step: str | None) -> str:
        events = list(self._events(run))
        if step is None:
            return "\n".join(graphql.event_text(event) for event in events)
        lines = [graphql.event_text(event) for event in events if graphql.step_name(event["stepKey"] or "") == step]
        captured = [e["fileKey"] for e in events if step in map(graphql.step_name, e.get("stepKeys") or ())]
        return "\n".join([*lines, *(self._output(run, key) for key in captured)])

    def local_initialise(self) -> list[Command]:
        home = self._local_home()
        home.mkdir(exist_ok=True)
        telemetry = [setting for setting in self.settings() if "telemetry" in setting.name]
        (home / "dagster.yaml").write_text(json.dumps(document(telemetry, "dagster.yaml"), indent=2))
        return []

    def local(self, pipeline: str, config: Path) -> Command:
        file = self._local_home() / f"{uuid.uuid4().hex}.yaml"
        file.write_text(json.dumps(self._run_config(config)))
        launch = f"dagster job execute --module-name {module(self.workspace)} --job {pipeline}"
        command = self._command(launch, "--config", str(file))
        return Command(command.argv, {**command.env, "DAGSTER_HOME": str(self._local_home())})

    def local_note(self) -> str:
        at_once = self.workspace.parallelism
        return (
            "`dagster job execute` starts one run worker and no server; it needs a DAGSTER_HOME folder, where it makes "
            f"SQLite files on first use, and runs each step in a process of its own, {at_once} at once."
        )

    def abilities(self) -> AbilityTable:
        return {
            Ability.RESUME: self._resume,
            Ability.CANCEL: self._cancel,
            Ability.DEPLOYMENT_ERROR: self._deployment_error,
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
        resumed = self._answer(graphql.RESUME, "launchRunReexecution", "LaunchRunSuccess", run=run)
        return str(resumed["run"]["runId"])

    def _cancel(self, run: str) -> str:
        return str(self._answer(graphql.CANCEL, "terminateRun", "TerminateRunSuccess", run=run)["run"]["runId"])

    def _deployment_error(self) -> str:
        """Reload the code location, as a user does after changing code, and return its load error."""
        entry = self._answer(graphql.RELOAD, "reloadRepositoryLocation", "WorkspaceLocationEntry", location=LOCATION)
        loaded = entry["locationOrLoadError"]
        return graphql.error_text(loaded) if loaded and loaded["__typename"] == "PythonError" else ""

    def _command(self, command: str, *more: str) -> Command:
        program, *words = command.split()
        settings = self.settings()
        argv = (self.workspace.executable(program), *words, *arguments(settings, command), *more)
        return Command(argv, environment(settings), self.workspace.home)

    def _local_home(self) -> Path:
        return self.workspace.home / "local"

    def _run_config(self, config: Path, variant: str = "") -> dict[str, Any]:
        return {"resources": {"run": {"config": {"config": str(config)}}}, **run_config(self.settings(), variant)}

    def _code_server_listens(self) -> bool:
        """gRPC, so no HTTP: it listens once the pipelines are imported."""
        try:
            with socket.create_connection((LOOPBACK, self.workspace.ports["code"]), timeout=1):
                return True
        except OSError:
            return False

    def _webserver_offers_jobs(self) -> bool:
        """While the code server is away the webserver answers, but has no jobs; it looks for the server by itself."""
        return self.deployed("training")

    def _daemons_healthy(self) -> bool:
        statuses = self._ask(graphql.DAEMONS)["instance"]["daemonHealth"]["allDaemonStatuses"]
        return all(status["healthy"] for status in statuses if status["required"])

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

    def _url(self) -> str:
        return f"http://{LOOPBACK}:{self.workspace.ports['webserver']}"

    def _ask(self, query: str, **variables: Any) -> dict[str, Any]:
        response = self.http.post(f"{self._url()}/graphql", json={"query": query, "variables": variables})
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


ADAPTER = Dagster

"""The GraphQL documents that the adapter sends, and how their answers read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bench.contract.endpoint import RunState, StepState
from bench.contract.words import Status

ERROR = "className message stack errorChain { isExplicitLink error { className message stack } }"

JOBS = """
query Jobs($location: String!) {
  workspaceLocationEntryOrError(name: $location) {
    ... on WorkspaceLocationEntry { locationOrLoadError {
      ... on RepositoryLocation { repositories { name jobs { name } } }
    } }
  }
}"""

DAEMONS = "query Daemons { instance { daemonHealth { allDaemonStatuses { daemonType required healthy } } } }"

LAUNCH = """
mutation Launch($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on RunConfigValidationInvalid { errors { message } }
    ... on Error { message }
  }
}"""

RESUME = """
mutation Resume($run: String!) {
  launchRunReexecution(reexecutionParams: {parentRunId: $run, strategy: FROM_FAILURE}) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on Error { message }
  }
}"""

CANCEL = """
mutation Cancel($run: String!) {
  terminateRun(runId: $run) {
    __typename
    ... on TerminateRunSuccess { run { runId } }
    ... on TerminateRunFailure { message }
    ... on Error { message }
  }
}"""

RELOAD = f"""
mutation Reload($location: String!) {{
  reloadRepositoryLocation(repositoryLocationName: $location) {{
    __typename
    ... on WorkspaceLocationEntry {{ locationOrLoadError {{ __typename ... on PythonError {{ {ERROR} }} }} }}
    ... on Error {{ message }}
  }}
}}"""

RUN = """
query Run($run: ID!) {
  runOrError(runId: $run) {
    __typename
    ... on Run {
      runId status creationTime startTime endTime
      stepStats { stepKey status startTime endTime attempts { startTime endTime } }
    }
    ... on Error { message }
  }
}"""

STATUS = """
query Status($run: ID!) {
  runOrError(runId: $run) {
    __typename
    ... on Run { status }
    ... on Error { message }
  }
}"""

BACKFILL = """
mutation Backfill($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on Error { message }
  }
}"""

BACKFILL_RUNS = """
query BackfillRuns($backfill: String!) {
  partitionBackfillOrError(backfillId: $backfill) {
    __typename
    ... on PartitionBackfill { status runs { runId status tags { key value } } }
    ... on Error { message }
  }
}"""

EVENTS = f"""
query Events($run: ID!, $cursor: String) {{
  logsForRun(runId: $run, afterCursor: $cursor) {{
    __typename
    ... on EventConnection {{
      cursor hasMore
      events {{
        __typename
        ... on MessageEvent {{ timestamp level stepKey eventType message }}
        ... on ErrorEvent {{ error {{ {ERROR} }} }}
        ... on ExecutionStepUpForRetryEvent {{ error {{ {ERROR} }} }}
        ... on LogsCapturedEvent {{ fileKey stepKeys }}
      }}
    }}
    ... on Error {{ message }}
  }}
}}"""

OUTPUT = "query Output($key: [String!]!) { capturedLogs(logKey: $key) { stdout stderr } }"

RUN_STATUS = {
    "SUCCESS": Status.COMPLETED,
    "FAILURE": Status.FAILED,
    "CANCELED": Status.FAILED,
    "STARTED": Status.RUNNING,
    "CANCELING": Status.RUNNING,
}
STEP_STATUS = {
    "SUCCESS": Status.COMPLETED,
    "FAILURE": Status.FAILED,
    "SKIPPED": Status.SKIPPED,
    "IN_PROGRESS": Status.RUNNING,
}


def status(run: Mapping[str, Any]) -> Status:
    """The status of a `Run`. What is queued or starting is pending."""
    return RUN_STATUS.get(run["status"], Status.PENDING)


def run_state(run: Mapping[str, Any]) -> RunState:
    """Translate a `Run` with its steps; the API gives all of them at once."""
    steps = {step_name(stats["stepKey"]): _step_state(stats) for stats in run["stepStats"]}
    return RunState(status(run), steps, raw=run)


def step_name(key: str) -> str:
    """The logical name of a step: mapped ones are called `work[0001]` by Dagster."""
    return key.replace("[", "_").removesuffix("]")


def _step_state(stats: Mapping[str, Any]) -> StepState:
    status = STEP_STATUS.get(stats["status"] or "", Status.PENDING)
    attempts = 0 if status is Status.SKIPPED else len(stats["attempts"])
    waiting = status is Status.RUNNING and attempts > 0 and stats["attempts"][-1]["endTime"]
    return StepState(
        status=Status.RETRYING if waiting else status,
        attempts=attempts,
        started_utc=_utc(stats["startTime"]),
        ended_utc=_utc(stats["endTime"]),
    )


def _utc(seconds: float | None) -> str | None:
    """ISO 8601; None for the zero that Dagster gives to steps without a time."""
    return datetime.fromtimestamp(seconds, UTC).isoformat() if seconds else None


def event_text(event: Mapping[str, Any]) -> str:
    """One event as a user reads it: time, level, step, type, message, and the error with its causes."""
    moment = datetime.fromtimestamp(int(event["timestamp"]) / 1000, UTC).isoformat(timespec="milliseconds")
    kind = event["eventType"] or event["__typename"]
    head = " - ".join(str(part) for part in (moment, event["level"], event["stepKey"], kind, event["message"]) if part)
    error = event.get("error")
    return f"{head}\n{error_text(error)}" if error else head


def error_text(error: Mapping[str, Any]) -> str:
    """A `PythonError` with its whole chain, as the UI shows it."""
    parts = ["".join([error["message"], "\nStack trace:\n", *error["stack"]])]
    for link in error["errorChain"]:
        relation = "caused by" if link["isExplicitLink"] else "raised while handling"
        cause = link["error"]
        parts.append("".join([f"{relation}: {cause['message']}", "\nStack trace:\n", *cause["stack"]]))
    return "\n".join(parts)

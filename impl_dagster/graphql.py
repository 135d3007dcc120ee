"""The GraphQL documents that the adapter sends, and how their answers read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.contract.endpoint import StepState
from bench.contract.words import Status

QUERIES = Path(__file__).with_name("queries.graphql").read_text(encoding="utf-8")
FRAGMENT = "Told"
"""What is asked of every error: the error itself, and what caused it."""


def _query(name: str) -> str:
    """The operation of this name in the file, with the fragment if it uses it."""
    named = {one.replace("(", " ").split()[1]: one for one in QUERIES.split("\n\n")}
    return f"{named[name]}\n{named[FRAGMENT]}" if f"...{FRAGMENT}" in named[name] else named[name]


JOBS = _query("Jobs")
DAEMONS = _query("Daemons")
LAUNCH = _query("Launch")
RESUME = _query("Resume")
CANCEL = _query("Cancel")
RELOAD = _query("Reload")
LOCATION = _query("Location")
RUN = _query("Run")
STATUS = _query("Status")
BACKFILL = _query("Backfill")
BACKFILL_RUNS = _query("BackfillRuns")
EVENTS = _query("Events")
OUTPUT = _query("Output")

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


def steps(run: Mapping[str, Any]) -> dict[str, StepState]:
    """The steps of a `Run`; the API gives all of them at once."""
    return {step_name(stats["stepKey"]): _step_state(stats) for stats in run["stepStats"]}


def ended_utc(run: Mapping[str, Any]) -> str | None:
    """When a `Run` ended; None while it has not."""
    return _utc(run["endTime"])


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
    for link in error["causes"]:
        relation = "caused by" if link["isExplicitLink"] else "raised while handling"
        cause = link["error"]
        parts.append("".join([f"{relation}: {cause['message']}", "\nStack trace:\n", *cause["stack"]]))
    return "\n".join(parts)

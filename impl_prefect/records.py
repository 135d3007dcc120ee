"""What the rows of Prefect's API say, in the harness's words."""

from __future__ import annotations

from typing import Any

from bench.contract.endpoint import StepState
from bench.contract.words import Status

STATUSES = {
    "SCHEDULED": Status.PENDING,
    "PENDING": Status.PENDING,
    "RUNNING": Status.RUNNING,
    "PAUSED": Status.RUNNING,
    "CANCELLING": Status.RUNNING,
    "COMPLETED": Status.COMPLETED,
    "FAILED": Status.FAILED,
    "CRASHED": Status.FAILED,
    "CANCELLED": Status.FAILED,
}


def status_of(run: dict[str, Any]) -> Status:
    """The state of a flow run or task run."""
    if run["state_name"] == "AwaitingRetry":
        return Status.RETRYING
    return STATUSES.get(run["state_type"], Status.PENDING)


def step_name(task_run: dict[str, Any]) -> str:
    """A task run is called after its task with a suffix of its own, `train-3f2`, or as the task says: `work_0001`.

    The latter only from its start on. Until then all that wait are one step `work`: nothing tells which they are.
    """
    return str(task_run["name"]).partition("-")[0]


def steps_of(task_runs: list[dict[str, Any]]) -> dict[str, StepState]:
    """The latest task run of each step that was not read from the cache, with the attempts of all of them.

    A resumed flow run makes new task runs; those of finished steps are named `Cached`.
    """
    steps: dict[str, StepState] = {}
    for row in task_runs:
        name = step_name(row)
        earlier = steps.get(name)
        if earlier and row["state_name"] == "Cached":
            continue
        steps[name] = StepState(
            status=status_of(row),
            attempts=row["run_count"] + (earlier.attempts if earlier else 0),
            started_utc=row["start_time"],
            ended_utc=row["end_time"],
        )
    return steps

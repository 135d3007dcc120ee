"""What Airflow's API answers, in the harness's words: states, names of steps, lines of logs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.contract.endpoint import StepState
from bench.contract.words import Status
from core.declaration import Graph, Kind

STATUSES = {
    "success": Status.COMPLETED,
    "failed": Status.FAILED,
    "skipped": Status.SKIPPED,
    "upstream_failed": Status.SKIPPED,
    "removed": Status.SKIPPED,
    "running": Status.RUNNING,
    "deferred": Status.RUNNING,
    "restarting": Status.RETRYING,
    "up_for_retry": Status.RETRYING,
}
"""Airflow's states of runs and task instances; all others wait: queued, scheduled, none, ..."""


def run_status(dag_run: dict[str, Any]) -> Status:
    """Status of a run."""
    return STATUSES.get(dag_run["state"], Status.PENDING)


def mapped(task: dict[str, Any]) -> bool:
    return bool(task["map_index"] >= 0)


def placeholder(task: dict[str, Any], graph: Graph) -> bool:
    """Whether it stands for the mapped instances of which there are none yet."""
    return graph.step(task["task_id"]).kind is Kind.MAP and not mapped(task)


def unsuccessful(task: dict[str, Any]) -> bool:
    """Whether it failed, or was under way when its run's time was over: such a task is marked as skipped."""
    return task["state"] == "failed" or (task["state"] == "skipped" and bool(task["pid"]))


def step_name(task: dict[str, Any], graph: Graph) -> str:
    """Airflow counts the instances of a mapped task from 0: they are named as if their items were counted from 1."""
    step = graph.step(task["task_id"])
    return (step.instance(task["map_index"] + 1) if mapped(task) else step).name


def step_state(task: dict[str, Any]) -> StepState:
    status = STATUSES.get(task["state"], Status.PENDING)
    return StepState(status, task["try_number"], task["start_date"], task["end_date"])


def log_lines(event: str | dict[str, Any]) -> Iterator[str]:
    """One event of a log as the lines that Airflow's own user interface shows of it."""
    if isinstance(event, str):
        yield event
        return
    parts = (event.get("timestamp"), event.get("level"), event["event"])
    yield " ".join(str(part) for part in parts if part)
    # Airflow lists the error first and what caused it after; Python prints the cause first.
    for error in reversed(event.get("error_detail") or ()):
        yield from _traceback_lines(error)


def _traceback_lines(error: dict[str, Any]) -> Iterator[str]:
    yield "Traceback (most recent call last):"
    for frame in error.get("frames") or ():
        yield f'  File "{frame["filename"]}", line {frame["lineno"]}, in {frame["name"]}'
    yield f"{error['exc_type']}: {error['exc_value']}"

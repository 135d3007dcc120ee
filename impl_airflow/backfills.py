"""Airflow's backfills over REST: one run of a DAG for each day of a range."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from bench.contract.endpoint import NotYetError
from bench.contract.words import Backfills, Status
from impl_airflow.records import run_status

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

Call = Callable[..., "httpx.Response"]
"""`(method, path, body)`: the adapter's way to speak to the API."""


def backfills(call: Call, at_once: int) -> Backfills:
    """The means to start a backfill, to ask for it, and to run its failed days again. A backfill is known by its DAG,
    configuration file and days: its runs are those of the DAG that were given this file."""

    def start(pipeline: str, config: Path, days: Sequence[str]) -> str:
        _create(call, pipeline, str(config), list(days), reprocess="none", at_once=at_once)
        return json.dumps([pipeline, str(config), *days])

    def again(backfill: str) -> str:
        _create(call, *_parts(backfill), reprocess="failed", at_once=at_once)
        return backfill

    return Backfills(start, lambda backfill: _status(call, *_parts(backfill)), again)


def _parts(backfill: str) -> tuple[str, str, list[str]]:
    dag, config, *days = json.loads(backfill)
    return dag, config, days


def _create(call: Call, dag: str, config: str, days: list[str], *, reprocess: str, at_once: int) -> None:
    """Create one. Backfills are marked as complete every 30 s; until then no other one of the DAG may begin."""
    if _active(call, dag):
        raise NotYetError(f"an earlier backfill of {dag} is not marked as complete")
    call("POST", "backfills", {
        "dag_id": dag, "from_date": f"{days[0]}T00:00:00Z", "to_date": f"{days[-1]}T00:00:00Z",
        "dag_run_conf": {"config": config}, "reprocess_behavior": reprocess, "max_active_runs": at_once,
    })  # fmt: skip


def _active(call: Call, dag: str) -> bool:
    found = call("GET", f"backfills?dag_id={quote(dag, safe='')}").json()["backfills"]
    return any(one["completed_at"] is None for one in found)


def _status(call: Call, dag: str, config: str, days: list[str]) -> Status:
    """From the latest run of each day."""
    latest: dict[str, dict[str, Any]] = {}
    for run in call("GET", f"dags/{quote(dag, safe='')}/dagRuns?limit=100&order_by=id").json()["dag_runs"]:
        if (run["conf"] or {}).get("config") == config:
            latest[run["logical_date"][:10]] = run
    states = [run_status(latest[day]) if day in latest else Status.PENDING for day in days]
    if not all(state.ended for state in states):
        return Status.RUNNING
    return Status.COMPLETED if all(state is Status.COMPLETED for state in states) else Status.FAILED

"""Dagster's backfills over GraphQL: one run of a partitioned job for each day."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bench.contract.words import Backfills, Status
from impl_dagster import graphql
from impl_dagster.retried import successor

if TYPE_CHECKING:
    from pathlib import Path

PARTITION = "dagster/partition"
"""The tag by which a run names its partition."""
ENDED = ("COMPLETED", "COMPLETED_SUCCESS", "COMPLETED_FAILED", "FAILED", "CANCELED")
"""Statuses of a backfill that makes no more runs: a day without one has then failed."""

Ask = Callable[..., dict[str, Any]]
"""`(query, root, expected type, **variables)`: the adapter's way to ask the API."""


def backfills(
    ask: Ask,
    selector: dict[str, str],
    run_config: Callable[[Path], dict[str, Any]],
    status_of: Callable[[Mapping[str, Any]], Status],
) -> Backfills:
    """The means to start a backfill, to ask for it, and to run once more the days that did not complete."""
    asked: dict[str, tuple[str, dict[str, Any], list[str]]] = {}

    def launch(job: str, config: dict[str, Any], days: list[str]) -> str:
        params = {
            "selector": {"partitionSetName": f"{job}_partition_set", "repositorySelector": selector},
            "partitionNames": days, "runConfigData": config,
        }  # fmt: skip
        answer = ask(graphql.BACKFILL, "launchPartitionBackfill", "LaunchBackfillSuccess", params=params)
        asked[answer["backfillId"]] = job, config, days
        return str(answer["backfillId"])

    def states(backfill: str) -> dict[str, Status]:
        found = ask(graphql.BACKFILL_RUNS, "partitionBackfillOrError", "PartitionBackfill", backfill=backfill)
        newest = [run for run in found["runs"] if not successor(run)]
        runs = {tag["value"]: run for run in newest for tag in run["tags"] if tag["key"] == PARTITION}
        without = Status.FAILED if found["status"] in ENDED else Status.PENDING
        return {day: status_of(runs[day]) if day in runs else without for day in asked[backfill][2]}

    def status(backfill: str) -> Status:
        found = list(states(backfill).values())
        if not all(one.ended for one in found):
            return Status.RUNNING
        return Status.COMPLETED if all(one is Status.COMPLETED for one in found) else Status.FAILED

    def again(backfill: str) -> str:
        missing = [day for day, state in states(backfill).items() if state is not Status.COMPLETED]
        return launch(*asked[backfill][:2], missing)

    def start(pipeline: str, config: Path, days: Sequence[str]) -> str:
        return launch(pipeline, run_config(config), list(days))

    return Backfills(start, status, again)

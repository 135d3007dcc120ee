"""Runs that Dagster retries by itself, on answers as its API gives them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from bench.contract.words import Ability, Status
from impl_dagster import retried
from impl_dagster.endpoint import DagsterEndpoint

NEXT, WILL = retried.SUCCESSOR, retried.WILL_RETRY


def run(status: str, *, name: str = "one", steps: dict[str, tuple[str, int]] | None = None, **tags: str) -> Any:
    """`steps`: status, and how many attempts have ended."""
    told = [
        {"stepKey": key, "status": said, "startTime": None, "endTime": None, "attempts": [{"endTime": 1.0}] * ended}
        for key, (said, ended) in (steps or {}).items()
    ]
    named = {"will": WILL, "following": NEXT}
    return {
        "__typename": "Run", "runId": name, "status": status, "endTime": None, "stepStats": told,
        "tags": [{"key": named[key], "value": value} for key, value in tags.items()],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("told", "retries", "status"),
    [
        (run("FAILURE"), False, Status.FAILED),
        (run("FAILURE"), True, Status.RETRYING),  # it is not yet written down
        (run("FAILURE", will="true"), True, Status.RETRYING),
        (run("FAILURE", will="false"), True, Status.FAILED),
        (run("FAILURE", will="true", following="two"), True, Status.FAILED),
        (run("CANCELED"), True, Status.FAILED),
        (run("SUCCESS"), True, Status.COMPLETED),
        (run("STARTED"), True, Status.RUNNING),
        (run("QUEUED"), True, Status.PENDING),
    ],
)
def test_a_failed_run_that_will_be_retried_has_not_ended(told: Any, retries: bool, status: Status) -> None:
    assert retried.status(told, retries=retries) is status


def test_a_step_under_way_in_a_lost_run_waits_for_its_retry() -> None:
    lost = run("FAILURE", will="true", steps={"early": ("SUCCESS", 1), "heavy": ("IN_PROGRESS", 0)})
    state = retried.state([lost], retries=True)
    assert state.status is Status.RETRYING
    assert {name: (one.status, one.attempts) for name, one in state.steps.items()} == {
        "early": (Status.COMPLETED, 1), "heavy": (Status.RETRYING, 1),
    }  # fmt: skip


def test_a_run_that_failed_for_good_keeps_what_was_recorded() -> None:
    failed = run("FAILURE", will="false", steps={"heavy": ("IN_PROGRESS", 0)})
    assert retried.state([failed], retries=True).steps["heavy"].status is Status.RUNNING


def test_the_successor_is_followed_and_all_attempts_are_counted() -> None:
    lost = run("FAILURE", will="true", following="two", steps={"early": ("SUCCESS", 1), "heavy": ("IN_PROGRESS", 0)})
    queued = run("QUEUED", name="two")
    state = retried.state([lost, queued], retries=True)
    assert (state.status, state.steps["heavy"].status) == (Status.PENDING, Status.RETRYING)
    ended = run("SUCCESS", name="two", steps={"heavy": ("SUCCESS", 2), "last": ("SUCCESS", 1)})
    state = retried.state([lost, ended], retries=True)
    assert state.status is Status.COMPLETED
    assert {name: (one.status, one.attempts) for name, one in state.steps.items()} == {
        "early": (Status.COMPLETED, 1), "heavy": (Status.COMPLETED, 3), "last": (Status.COMPLETED, 1),
    }  # fmt: skip


def asked(runs: list[Any]) -> tuple[DagsterEndpoint, list[tuple[str, str]]]:
    """An endpoint whose server knows these runs; also what was asked of it, with the run it was asked of."""
    known = {one["runId"]: one for one in runs}
    log: list[tuple[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        name, what = body["variables"]["run"], body["query"].split("(")[0].split()[-1]
        log.append((what, name))
        data = {
            "Run": {"runOrError": known[name]},
            "Status": {"runOrError": known[name]},
            "Resume": {"launchRunReexecution": {"__typename": "LaunchRunSuccess", "run": {"runId": "resumed"}}},
            "Cancel": {"terminateRun": {"__typename": "TerminateRunSuccess", "run": {"runId": name}}},
        }
        return httpx.Response(200, json={"data": data[what]})

    client = httpx.Client(transport=httpx.MockTransport(answer))
    return DagsterEndpoint(client, "http://dagster", lambda _config, _variant: {}, retries=True), log


def test_what_is_asked_of_a_retried_run_is_asked_of_its_newest() -> None:
    chain = [run("FAILURE", will="true", following="two"), run("FAILURE", name="two", will="true", following="three")]
    endpoint, log = asked([*chain, run("STARTED", name="three")])
    assert endpoint.status("one") is Status.RUNNING
    assert endpoint.state("one").status is Status.RUNNING
    resume, cancel = (endpoint.abilities()[one] for one in (Ability.RESUME, Ability.CANCEL))
    assert callable(resume)
    assert callable(cancel)
    assert resume("one") == "resumed"
    assert cancel("one") == "three"
    assert [one for one in log if one[0] in ("Resume", "Cancel")] == [("Resume", "three"), ("Cancel", "three")]


def test_a_day_of_a_backfill_counts_by_its_newest_run() -> None:
    """The API lists the newest first; the failed one must not stand for the day that its successor completed."""
    day = {"key": "dagster/partition", "value": "2024-03-01"}
    runs = [run("SUCCESS", name="two"), run("FAILURE", will="true", following="two")]
    for one in runs:
        one["tags"].append(day)

    def answer(request: httpx.Request) -> httpx.Response:
        launched = {"launchPartitionBackfill": {"__typename": "LaunchBackfillSuccess", "backfillId": "b"}}
        found = {"partitionBackfillOrError": {"__typename": "PartitionBackfill", "status": "REQUESTED", "runs": runs}}
        return httpx.Response(200, json={"data": launched if b"mutation" in request.content else found})

    client = httpx.Client(transport=httpx.MockTransport(answer))
    endpoint = DagsterEndpoint(client, "http://dagster", lambda _config, _variant: {}, retries=True)
    means: Any = endpoint.abilities()[Ability.BACKFILL]
    assert means.status(means.start("daily", Path("config.json"), ["2024-03-01"])) is Status.COMPLETED

"""Runs that Dagster runs again by itself: a new run in the place of a failed one, of which tags of the failed one tell.

A failed run is first tagged with whether it will be retried, and then with the run that was launched for it
(https://docs.dagster.io/deployment/execution/run-retries).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bench.contract.endpoint import RunState, StepState
from bench.contract.words import Status
from impl_dagster import graphql

WILL_RETRY, SUCCESSOR = "dagster/will_retry", "dagster/auto_retry_run_id"
UNDER_WAY = (Status.RUNNING, Status.RETRYING)


def successor(run: Mapping[str, Any]) -> str | None:
    """The id of the run that was launched for a failed one; None if there is none, or none yet."""
    return _tags(run).get(SUCCESSOR)


def status(run: Mapping[str, Any], *, retries: bool) -> Status:
    """What has become of the newest run of a piece of work; `retries`: whether Dagster retries runs by itself.

    Between a run's failure and the launch of its successor it is retrying, and until Dagster has written down whether
    there will be one: a moment after the failure.
    """
    tags = _tags(run)
    if run["status"] == "FAILURE" and SUCCESSOR not in tags and tags.get(WILL_RETRY, str(retries).lower()) == "true":
        return Status.RETRYING
    return graphql.status(run)


def state(runs: Sequence[Mapping[str, Any]], *, retries: bool) -> RunState:
    """All runs of one piece of work, oldest first, as one: the newest's status, and the attempts of all."""
    now = status(runs[-1], retries=retries)
    over = runs if now is Status.RETRYING else runs[:-1]
    steps: dict[str, StepState] = {}
    for run in runs:
        for name, told in graphql.steps(run).items():
            steps[name] = _later(steps[name], told) if name in steps else told
        if run in over:
            steps = {name: _given_up(one) for name, one in steps.items()}
    return RunState(now, steps, raw=list(runs), ended_utc=graphql.ended_utc(runs[-1]) if now.ended else None)


def _later(before: StepState, told: StepState) -> StepState:
    """The same step in the run that follows; until it starts there, it waits for its retry."""
    begun = told.status is not Status.PENDING
    return replace(told if begun else before, attempts=before.attempts + told.attempts)


def _given_up(step: StepState) -> StepState:
    """A step that was under way in a run that has failed will be tried again in the next one.

    Dagster lists an attempt once it has ended; whether one that followed another had begun it does not tell.
    """
    if step.status not in UNDER_WAY:
        return step
    return replace(step, status=Status.RETRYING, attempts=step.attempts + (step.status is Status.RUNNING))


def _tags(run: Mapping[str, Any]) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in run["tags"]}

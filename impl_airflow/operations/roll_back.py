"""Make the last good model current again."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import Param, dag, task

from core import steps
from core.graphs import ROLL_BACK
from core.instrument.artifacts import Reference

STEP = ROLL_BACK.step("roll_back")


@task(
    retries=STEP.retry.retries,
    retry_delay=timedelta(seconds=STEP.retry.delay_s),
    execution_timeout=timedelta(seconds=STEP.timeout_s),
    multiple_outputs=False,
)
def restore(config: str) -> Reference:
    return steps.roll_back(config)


@dag(schedule=None, params={"config": Param(type="string", description="Path of the run's configuration")})
def roll_back() -> None:
    restore.override(task_id=STEP.name)("{{ params.config }}")


roll_back()

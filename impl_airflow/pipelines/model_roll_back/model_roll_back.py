"""Make the last good model current again."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import Param, dag, task

from core.declaration import deployed
from core.instrument.artifacts import Reference
from core.pipelines.model_roll_back import steps

ROLL_BACK = deployed("model_roll_back")
STEP = ROLL_BACK.step("roll_back")


@task(
    retries=STEP.retry.retries,
    retry_delay=timedelta(seconds=STEP.retry.delay_s),
    execution_timeout=timedelta(seconds=ROLL_BACK.step_timeout_s),
    multiple_outputs=False,
)
def roll_back(config: str) -> Reference:
    return steps.roll_back(config)


@dag(schedule=None, params={"config": Param(type="string", description="Path of the run's configuration")})
def model_roll_back() -> None:
    roll_back("{{ params.config }}")


model_roll_back()

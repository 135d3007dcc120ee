"""Make the last good model current again."""

import logging

from prefect import flow, task

from core.declaration import deployed
from core.instrument.artifacts import Reference
from core.pipelines.model_roll_back import steps

logging.getLogger("core").setLevel(logging.INFO)  # Prefect collects this logger, at the level that it has
ROLL_BACK = deployed("model_roll_back")
STEP = ROLL_BACK.step("roll_back")


@task(
    retries=STEP.retry.retries,
    retry_delay_seconds=STEP.retry.delay_s,
    timeout_seconds=ROLL_BACK.step_timeout_s,
    tags=[ROLL_BACK.shared_limit] if ROLL_BACK.shared_limit else [],
)
def roll_back(config: str) -> Reference:
    return steps.roll_back(config)


@flow(name=ROLL_BACK.name, persist_result=True)
def model_roll_back(config: str) -> None:
    roll_back(config)

"""Make the last good model current again."""

import logging

from prefect import flow, task

from core import steps
from core.graphs import ROLL_BACK
from core.instrument.artifacts import Reference

logging.getLogger("core").setLevel(logging.INFO)  # Prefect collects this logger, at the level that it has
STEP = ROLL_BACK.step("roll_back")


@task(
    name=STEP.name,
    retries=STEP.retry.retries,
    retry_delay_seconds=STEP.retry.delay_s,
    timeout_seconds=STEP.timeout_s,
)
def restore(config: str) -> Reference:
    return steps.roll_back(config)


@flow(name="roll_back", persist_result=True)
def roll_back(config: str) -> None:
    restore(config)

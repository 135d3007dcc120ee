"""Make the last good model current again."""

import dagster as dg
from training import Run

from core import steps
from core.graphs import ROLL_BACK

RETRY = ROLL_BACK.step("roll_back").retry


@dg.op(retry_policy=dg.RetryPolicy(max_retries=RETRY.retries, delay=RETRY.delay_s))
def restore(run: Run) -> dict:
    return steps.roll_back(run.config)


@dg.job
def roll_back() -> None:
    restore()

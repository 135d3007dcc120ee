"""File one day's rows: a partition for each day."""

import dagster as dg
from training import Run

from core import steps
from core.graphs import DAILY

RETRY = DAILY.step("day").retry


@dg.op(retry_policy=dg.RetryPolicy(max_retries=RETRY.retries, delay=RETRY.delay_s))
def day(context: dg.OpExecutionContext, run: Run) -> dict:
    return steps.day(run.config, context.partition_key)


@dg.job(partitions_def=dg.DailyPartitionsDefinition(start_date="2026-01-01"))
def daily() -> None:
    day()

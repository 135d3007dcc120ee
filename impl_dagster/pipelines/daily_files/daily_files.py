"""File one day's rows: a partition for each day."""

import dagster as dg

from core.declaration import deployed
from core.pipelines.daily_files import steps

DAILY = deployed("daily_files")
RETRY = DAILY.step("day").retry


class Run(dg.ConfigurableResource):
    """What a run is given at launch: the path of its configuration file."""

    config: str


@dg.op(retry_policy=dg.RetryPolicy(max_retries=RETRY.retries, delay=RETRY.delay_s), pool=DAILY.shared_limit)
def day(context: dg.OpExecutionContext, run: Run) -> dict:
    return steps.day(run.config, context.partition_key)


@dg.job(partitions_def=dg.DailyPartitionsDefinition(start_date="2026-01-01"))
def daily_files() -> None:
    day()


defs = dg.Definitions(jobs=[daily_files], resources={"run": Run.configure_at_launch()})

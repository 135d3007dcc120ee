"""File one day's rows. The schedule has ended, so runs come from backfills only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import Param, dag, task

from core import steps
from core.graphs import DAILY
from core.instrument.artifacts import Reference

STEP = DAILY.step("day")


@task(
    retries=STEP.retry.retries,
    retry_delay=timedelta(seconds=STEP.retry.delay_s),
    execution_timeout=timedelta(seconds=STEP.timeout_s),
    multiple_outputs=False,
)
def day(config: str, date: str) -> Reference:
    return steps.day(config, date)


@dag(
    schedule="@daily",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    end_date=datetime(2026, 1, 30, tzinfo=UTC),
    catchup=False,
    params={"config": Param("", type="string", description="Path of the run's configuration")},
)
def daily() -> None:
    day("{{ params.config }}", "{{ ds }}")


daily()

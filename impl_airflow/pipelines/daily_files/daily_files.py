"""File one day's rows. The schedule has ended, so runs come from backfills only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import Param, dag, task

from core.declaration import deployed
from core.instrument.artifacts import Reference
from core.pipelines.daily_files import steps

DAILY = deployed("daily_files")
STEP = DAILY.step("day")


@task(
    retries=STEP.retry.retries,
    retry_delay=timedelta(seconds=STEP.retry.delay_s),
    execution_timeout=timedelta(seconds=DAILY.step_timeout_s),
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
def daily_files() -> None:
    day("{{ params.config }}", "{{ ds }}")


daily_files()

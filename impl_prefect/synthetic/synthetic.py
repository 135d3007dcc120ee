"""The synthetic pipelines: a chain of tasks called one after the other, and a fan-out of tasks mapped."""

import logging
import sys

from prefect import flow, task, unmapped

from core import steps
from core.graphs import FAN_OUT, Step, named
from core.parcels import Parcel

logging.getLogger("core").setLevel(logging.INFO)  # Prefect collects this logger, at the level that it has

STEP = Step("any")
LIMITS = {
    "retries": STEP.retry.retries,
    "retry_delay_seconds": STEP.retry.delay_s,
    "timeout_seconds": STEP.timeout_s,
}


@task(**LIMITS)
def plan(config: str) -> list[int]:
    return steps.plan(config)


@task(**LIMITS, task_run_name="work_{index:04d}")
def work(config: str, index: int, received: Parcel | None = None) -> Parcel:
    return steps.work(config, index, *([received] if received else []))


@task(**LIMITS)
def gather(config: str, parcels: list[Parcel]) -> Parcel:
    return steps.gather(config, *parcels)


@flow(persist_result=True)
def chain(config: str, n: int) -> None:
    parcel = work(config, 1)
    for index in range(2, n + 1):
        parcel = work(config, index, parcel)


@flow(name=FAN_OUT, persist_result=True)
def fan_out(config: str) -> None:
    parcels = work.map(unmapped(config), plan(config)).result()  # raises what a task raised
    gather(config, parcels)


if __name__ == "__main__":
    name, path = sys.argv[1:]
    if name == FAN_OUT:
        fan_out(path)
    else:
        chain(path, len(named(name).steps))

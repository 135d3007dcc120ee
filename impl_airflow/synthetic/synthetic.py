"""Chains and the fan-out as Airflow DAGs. `python synthetic.py chain_5 CONFIG` runs one without a server."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from airflow.sdk import DAG, Param, get_parsing_context, task

from core import steps
from core.graphs import FAN_OUT, Pipeline, Step, chains
from core.parcels import Parcel

CONFIG = "{{ params.config }}"
PARAMS = {"config": Param(type="string", description="Path of the run's configuration")}


def defaults(step: Step) -> dict[str, Any]:
    return {
        "retries": step.retry.retries,
        "retry_delay": timedelta(seconds=step.retry.delay_s),
        "execution_timeout": timedelta(seconds=step.timeout_s),
    }


@task
def plan(config: str) -> list[int]:
    return steps.plan(config)


@task(multiple_outputs=False)  # a parcel is one value, not one XCom a key
def work(config: str, index: int, *received: Parcel) -> Parcel:
    return steps.work(config, index, *received)


@task(multiple_outputs=False)
def gather(config: str, parcels: Sequence[Parcel]) -> Parcel:
    return steps.gather(config, *parcels[:])  # the slice is one request; an iteration is one for each parcel


def fan_out() -> DAG:
    with DAG(FAN_OUT, schedule=None, params=PARAMS, default_args=defaults(Step("work"))) as built:
        gather(CONFIG, work.partial(config=CONFIG).expand(index=plan(CONFIG)))
    return built


def chain(pipeline: Pipeline) -> DAG:
    parcels: dict[str, Any] = {}
    with DAG(pipeline.name, schedule=None, params=PARAMS, default_args=defaults(pipeline.steps[0])) as built:
        for step in pipeline.steps:
            received = [parcels[name] for name in step.upstream]
            parcels[step.name] = work.override(task_id=step.name)(CONFIG, step.index, *received)
    return built


# A task's process asks for its own DAG only; the DAG processor asks for all, with None.
asked = get_parsing_context().dag_id
builders = {FAN_OUT: fan_out} | {pipeline.name: partial(chain, pipeline) for pipeline in chains()}
dags = {name: build() for name, build in builders.items() if asked in (None, name)}

if __name__ == "__main__":
    name, config = sys.argv[1:]
    run = dags[name].test(run_conf={"config": config})
    sys.exit(run.state != "success")

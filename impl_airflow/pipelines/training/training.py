"""The training pipeline as an Airflow DAG. `python training.py CONFIG` runs it without a server."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

from airflow.sdk import ExceptionRetryPolicy, Param, RetryAction, RetryRule, dag, task, teardown

from core.declaration import deployed
from core.instrument.artifacts import Reference
from core.instrument.errors import PermanentError
from core.pipelines.training import steps

TRAINING = deployed("training")
NO_RETRY = ExceptionRetryPolicy([RetryRule(PermanentError, RetryAction.FAIL)])


def options(name: str) -> dict[str, Any]:
    step = TRAINING.step(name)
    return {
        "retries": step.retry.retries,
        "retry_delay": timedelta(seconds=step.retry.delay_s),
        "retry_policy": NO_RETRY,
        "execution_timeout": timedelta(seconds=TRAINING.step_timeout_s),
        "multiple_outputs": False,  # a reference is one value, not one XCom a key
    }


@task(**options("extract"))
def extract(config: str) -> Reference:
    return steps.extract(config)


@task(**options("validate"))
def validate(config: str, raw: Reference) -> Reference:
    return steps.validate(config, raw)


@task(**options("features"))
def features(config: str, raw: Reference) -> Reference:
    return steps.features(config, raw)


@task(**options("train"))
def train(config: str, features: Reference) -> Reference:
    return steps.train(config, features)


@task(**options("evaluate"))
def evaluate(config: str, features: Reference, model: Reference) -> Reference:
    return steps.evaluate(config, features, model)


@task.branch(**options("branch"))
def branch(config: str, metrics: Reference) -> str:
    return steps.branch(config, metrics)


@task(**options("deploy"))
def deploy(config: str, model: Reference, metrics: Reference) -> Reference:
    return steps.deploy(config, model, metrics)


@task(**options("notify"))
def notify(config: str, metrics: Reference) -> Reference:
    return steps.notify(config, metrics)


@teardown
@task(**options("cleanup"))
def cleanup(config: str) -> int:
    return steps.cleanup(config)


@dag(
    schedule=None,
    dagrun_timeout=timedelta(seconds=TRAINING.timeout_s),
    params={"config": Param(type="string", description="Path of the run's configuration")},
)
def training() -> None:
    config = "{{ params.config }}"
    raw = validate(config, extract(config))
    table = features(config, raw)
    model = train(config, table)
    metrics = evaluate(config, table, model)
    outcomes = [deploy(config, model, metrics), notify(config, metrics)]
    branch(config, metrics) >> outcomes >> cleanup(config)


pipeline = training()

if __name__ == "__main__":
    run = pipeline.test(run_conf={"config": sys.argv[1]})
    sys.exit(run.state != "success")

"""The training pipeline: a flow that calls one task a step."""

import logging
import sys
from typing import Any

from prefect import Flow, State, Task, flow, task
from prefect.client.schemas.objects import FlowRun, TaskRun
from prefect.logging import get_run_logger

from core.declaration import deployed
from core.instrument.artifacts import Reference
from core.instrument.errors import PermanentError
from core.pipelines.training import steps

logging.getLogger("core").setLevel(logging.INFO)  # Prefect collects this logger, at the level that it has
TRAINING = deployed("training")


def may_be_retried(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:  # noqa: ARG001 - called in this order
    error = state.result(raise_on_failure=False)
    if not isinstance(error, PermanentError):
        return True
    get_run_logger().error("Not retried", exc_info=error)  # Prefect logs a traceback only of a last retry
    return False


def limits(name: str) -> dict[str, Any]:
    """Retries, timeout and shared limit of a step, as task options."""
    step = TRAINING.step(name)
    return {
        "retries": step.retry.retries,
        "retry_delay_seconds": step.retry.delay_s,
        "retry_condition_fn": may_be_retried,
        "timeout_seconds": TRAINING.step_timeout_s,
        "tags": [TRAINING.shared_limit] if TRAINING.shared_limit else [],
    }


@task(**limits("extract"))
def extract(config: str) -> Reference:
    return steps.extract(config)


@task(**limits("validate"))
def validate(config: str, raw: Reference) -> Reference:
    return steps.validate(config, raw)


@task(**limits("features"))
def features(config: str, raw: Reference) -> Reference:
    return steps.features(config, raw)


@task(**limits("train"))
def train(config: str, prepared: Reference) -> Reference:
    return steps.train(config, prepared)


@task(**limits("evaluate"))
def evaluate(config: str, prepared: Reference, model: Reference) -> Reference:
    return steps.evaluate(config, prepared, model)


@task(**limits("branch"))
def branch(config: str, metrics: Reference) -> str:
    return steps.branch(config, metrics)


@task(**limits("deploy"))
def deploy(config: str, model: Reference, metrics: Reference) -> Reference:
    return steps.deploy(config, model, metrics)


@task(**limits("notify"))
def notify(config: str, metrics: Reference) -> Reference:
    return steps.notify(config, metrics)


@task(**limits("cleanup"))
def cleanup(config: str) -> int:
    return steps.cleanup(config)


def clean_up(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:  # noqa: ARG001 - called by name
    steps.cleanup(flow_run.parameters["config"])


# Results are kept under the flow run's id, so that a retried run goes on where it stopped.
@flow(persist_result=True, on_failure=[clean_up], on_crashed=[clean_up])
def training(config: str) -> None:
    raw = validate(config, extract(config))
    prepared = features(config, raw)
    model = train(config, prepared)
    metrics = evaluate(config, prepared, model)
    if branch(config, metrics) == "deploy":
        deploy(config, model, metrics)
    else:
        notify(config, metrics)
    cleanup(config)


if __name__ == "__main__":
    training(sys.argv[1])

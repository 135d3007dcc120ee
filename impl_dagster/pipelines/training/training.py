"""The training pipeline as a Dagster op job."""

from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg

from core.declaration import deployed
from core.instrument.errors import PermanentError
from core.pipelines.training import steps

TRAINING = deployed("training")


class Run(dg.ConfigurableResource):
    """What a run is given at launch: the path of its configuration file."""

    config: str


def limits(step: str) -> dict[str, Any]:
    retry = TRAINING.step(step).retry
    policy = dg.RetryPolicy(max_retries=retry.retries, delay=retry.delay_s)
    return {"retry_policy": policy, "pool": TRAINING.shared_limit}


def attempt(step: Callable[..., Any], *inputs: Any) -> Any:
    """An error that no retry mends is not retried."""
    try:
        return step(*inputs)
    except PermanentError as error:
        raise dg.Failure(f"{type(error).__name__}: {error}", allow_retries=False) from error


@dg.op(**limits("extract"))
def extract(run: Run) -> dict:
    return attempt(steps.extract, run.config)


@dg.op(**limits("validate"))
def validate(run: Run, raw: dict) -> dict:
    return attempt(steps.validate, run.config, raw)


@dg.op(**limits("features"))
def features(run: Run, raw: dict) -> dict:
    return attempt(steps.features, run.config, raw)


@dg.op(**limits("train"))
def train(run: Run, features: dict) -> dict:
    return attempt(steps.train, run.config, features)


@dg.op(**limits("evaluate"))
def evaluate(run: Run, features: dict, model: dict) -> dict:
    return attempt(steps.evaluate, run.config, features, model)


@dg.op(
    out={name: dg.Out(dg.Nothing, is_required=False) for name in ("deploy", "notify")},
    **limits("branch"),
)
def branch(run: Run, metrics: dict) -> Iterator[dg.Output]:
    yield dg.Output(None, output_name=attempt(steps.branch, run.config, metrics))


@dg.op(ins={"chosen": dg.In(dg.Nothing)}, **limits("deploy"))
def deploy(run: Run, model: dict, metrics: dict) -> dict:
    return attempt(steps.deploy, run.config, model, metrics)


@dg.op(ins={"chosen": dg.In(dg.Nothing)}, **limits("notify"))
def notify(run: Run, metrics: dict) -> dict:
    return attempt(steps.notify, run.config, metrics)


@dg.op(ins={"ended": dg.In(dg.Nothing)}, **limits("cleanup"))
def cleanup(run: Run) -> None:
    attempt(steps.cleanup, run.config)


@dg.failure_hook(required_resource_keys={"run"})
def cleanup_after_failure(context: dg.HookContext) -> None:
    steps.cleanup(context.resources.run.config)


@dg.job(hooks={cleanup_after_failure}, tags={"dagster/max_runtime": TRAINING.timeout_s})
def training() -> None:
    raw = validate(extract())
    data = features(raw)
    model = train(data)
    metrics = evaluate(data, model)
    to_deploy, to_notify = branch(metrics)
    # a fan-in runs when at least one of its inputs exists: whichever branch ran
    cleanup([deploy(model, metrics, chosen=to_deploy), notify(metrics, chosen=to_notify)])


defs = dg.Definitions(jobs=[training], resources={"run": Run.configure_at_launch()})

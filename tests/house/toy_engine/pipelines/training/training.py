"""The training pipeline as a flow of steps."""

import sys
from collections.abc import Callable
from typing import Any

from toyflow import Flow, Limits, Node, local

from core.declaration import deployed
from core.instrument.errors import PermanentError
from core.pipelines.training import steps

TRAINING = deployed("training")


def limited(call: Callable[..., Any]) -> dict[str, Limits]:
    retry = TRAINING.step(call.__name__).retry
    return {"limits": Limits(retry.retries, retry.delay_s, TRAINING.step_timeout_s, (PermanentError,))}


def step(call: Callable[..., Any], *given: Node, **more: Any) -> Node:
    return training.step(call, *given, **limited(call), **more)


training = Flow("training")
extracted = step(steps.extract)
raw = step(steps.validate, extracted)
prepared = step(steps.features, raw)
model = step(steps.train, prepared)
metrics = step(steps.evaluate, prepared, model)
chosen = step(steps.branch, metrics)
good = training.arm(chosen, steps.deploy, model, metrics, **limited(steps.deploy))
bad = training.arm(chosen, steps.notify, metrics, **limited(steps.notify))
step(steps.cleanup, after=(good, bad), always=True)

if __name__ == "__main__":
    local(*sys.argv[1:])

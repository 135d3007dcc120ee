"""Declared graphs as one flow, in which a task conducts each step. `python binding.py chain_5 CONFIG` runs one."""

import logging
import sys
from typing import Any

from prefect import Task, flow, task, unmapped

from core.declaration import Kind, Offer, Step, bound, pipeline

logging.getLogger("core").setLevel(logging.INFO)  # Prefect collects this logger, at the level that it has


@task(task_run_name="{step}")
def work(config: str, call: tuple[str, str], given: list[Any], *, step: str, item: Any = None) -> Any:  # noqa: ARG001 - it is the name
    name, function = call
    of_step = pipeline(name).work(Step(function))
    return of_step(config, *([] if item is None else [item]), *given)


def limited(offer: Offer, step: Step) -> Task[..., Any]:
    return work.with_options(
        name=step.name,
        retries=step.retry.retries,
        retry_delay_seconds=step.retry.delay_s,
        timeout_seconds=offer.step_timeout_s,
        tags=[offer.shared_limit] if offer.shared_limit else [],
    )


@flow(name="bound", persist_result=True)
def conduct(config: str, offered: str) -> None:
    offer = next(one for one in bound() if one.name == offered)
    made: dict[str, Any] = {}
    for step in offer.graph:
        given = []
        for name in offer.graph.inputs(step):
            given += made[name] if offer.graph.step(name).many else [made[name]]
        of_step, call = limited(offer, step), (offer.pipeline.name, step.function)
        if step.kind is Kind.MAP:
            items = made[step.over]
            names = [step.instance(item).name for item in items]
            futures = of_step.map(unmapped(config), unmapped(call), unmapped(given), step=names, item=items)
            made[step.name] = futures.result()  # raises what a task raised
        else:
            made[step.name] = of_step(config, call, given, step=step.name, item=step.item)


if __name__ == "__main__":
    name, path = sys.argv[1:]
    conduct(path, name)

"""Declared graphs as Airflow DAGs. `python binding.py chain_5 CONFIG` runs one without a server."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param, get_parsing_context, task

from core.declaration import Kind, Offer, Step, bound, pipeline

CONFIG = "{{ params.config }}"
PARAMS = {"config": Param(type="string", description="Path of the run's configuration")}


# a result is one value, not one XCom a key; as it may be large, it is not written to the log too
@task(multiple_outputs=False, show_return_value_in_logs=False)
def conduct(config: str, name: str, function: str, given: Sequence[Any], item: Any = None) -> Any:
    # what many like steps returned comes as one sequence: its slice is one request, an iteration one for each
    results = [each for one in given for each in ([one] if isinstance(one, dict) else one[:])]
    work = pipeline(name).work(Step(function))
    return work(config, *([] if item is None else [item]), *results)


def options(offer: Offer, step: Step) -> dict[str, Any]:
    return {
        "task_id": step.name,
        "retries": step.retry.retries,
        "retry_delay": timedelta(seconds=step.retry.delay_s),
        "execution_timeout": timedelta(seconds=offer.step_timeout_s),
    }


def build(offer: Offer) -> DAG:
    made: dict[str, Any] = {}
    with DAG(offer.name, schedule=None, params=PARAMS) as built:
        for step in offer.graph:
            of_step = conduct.override(**options(offer, step))
            told: dict[str, Any] = {"config": CONFIG, "name": offer.pipeline.name, "function": step.function}
            told["given"] = [made[name] for name in offer.graph.inputs(step)]
            if step.kind is Kind.MAP:
                made[step.name] = of_step.partial(**told).expand(item=made[step.over])
            else:
                made[step.name] = of_step(**told, item=step.item)
    return built


# A task's process asks for its own DAG only; the DAG processor asks for all, with None.
asked = get_parsing_context().dag_id
dags = {offer.name: build(offer) for offer in bound() if asked in (None, offer.name)}

if __name__ == "__main__":
    name, config = sys.argv[1:]
    run = dags[name].test(run_conf={"config": config})
    sys.exit(run.state != "success")

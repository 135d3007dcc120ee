"""Declared graphs as Dagster op jobs."""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg

from core.declaration import Graph, Kind, Offer, Step, bound, pipeline


class Run(dg.ConfigurableResource):
    """What a run is given at launch: the path of its configuration file."""

    config: str


@functools.cache  # an op of one name is one definition, however many jobs use it
def op(name: str, step: Step, inputs: tuple[str, ...], spelling: str, pool: str | None) -> dg.OpDefinition:
    """`spelling`: how the steps are named that are mapped over what this one returns; empty if none are."""
    work = pipeline(name).work(step)
    own = () if step.item is None else (step.item,)
    mapped = ("item",) if step.kind is Kind.MAP else ()

    def conduct(run: Run, **given: Any) -> Any:
        results = [each for one in given.values() for each in (one if isinstance(one, list) else [one])]
        return work(run.config, *own, *results)

    def spread(run: Run, **given: Any) -> Iterator[dg.DynamicOutput]:
        for item in conduct(run, **given):
            yield dg.DynamicOutput(item, mapping_key=spelling.format(item))

    made: Callable[..., Any] = spread if spelling else conduct
    return dg.op(
        name=step.name,
        ins={one: dg.In() for one in (*mapped, *inputs)},
        out=dg.DynamicOut() if spelling else dg.Out(),
        retry_policy=dg.RetryPolicy(max_retries=step.retry.retries, delay=step.retry.delay_s),
        pool=pool,
    )(made)


def build(offer: Offer) -> dg.JobDefinition:
    graph = offer.graph

    @dg.job(name=offer.name)
    def job() -> None:
        made: dict[str, Any] = {}
        for step in graph:
            inputs = graph.inputs(step)
            of_step = op(offer.pipeline.name, step, inputs, spelling_of_map(graph, step), offer.shared_limit)
            given = {name: made[name].collect() if graph.step(name).many else made[name] for name in inputs}
            if step.kind is Kind.MAP:
                made[step.name] = made[step.over].map(functools.partial(mapped_over, of_step, given))
            else:
                made[step.name] = of_step(**given)

    return job


def mapped_over(of_step: dg.OpDefinition, given: dict[str, Any], item: Any) -> Any:
    return of_step(item=item, **given)


def spelling_of_map(graph: Graph, step: Step) -> str:
    return next((one.spelling for one in graph if one.over == step.name), "")


defs = dg.Definitions(jobs=[build(offer) for offer in bound()], resources={"run": Run.configure_at_launch()})

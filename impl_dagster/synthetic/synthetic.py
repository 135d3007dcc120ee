"""Chains and a fan-out of like steps as Dagster op jobs, beside the training job."""

import functools
from collections.abc import Iterator

import dagster as dg
import training
from training import Run

from core import steps
from core.graphs import Pipeline, Step, chains


def retries(step: Step) -> dg.RetryPolicy:
    return dg.RetryPolicy(max_retries=step.retry.retries, delay=step.retry.delay_s)


@functools.cache  # an op of one name is one definition, however many jobs use it
def link(step: Step) -> dg.OpDefinition:
    @dg.op(name=step.name, ins={name: dg.In(dict) for name in step.upstream}, retry_policy=retries(step))
    def work(run: Run, **received: dict) -> dict:
        return steps.work(run.config, step.index, *received.values())

    return work


def chain(pipeline: Pipeline) -> dg.JobDefinition:
    @dg.job(name=pipeline.name)
    def linked() -> None:
        made = {}
        for step in pipeline.steps:
            made[step.name] = link(step)(**{name: made[name] for name in step.upstream})

    return linked


@dg.op(out=dg.DynamicOut(int), retry_policy=retries(Step("plan")))
def plan(run: Run) -> Iterator[dg.DynamicOutput]:
    for index in steps.plan(run.config):
        yield dg.DynamicOutput(index, mapping_key=f"{index:04d}")


@dg.op(retry_policy=retries(Step("work")))
def work(run: Run, index: int) -> dict:
    return steps.work(run.config, index)


@dg.op(retry_policy=retries(Step("gather")))
def gather(run: Run, parcels: list[dict]) -> dict:
    return steps.gather(run.config, *parcels)


@dg.job
def fan_out() -> None:
    gather(plan().map(work).collect())


defs = dg.Definitions.merge(training.defs, dg.Definitions(jobs=[fan_out, *map(chain, chains())]))

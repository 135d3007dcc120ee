"""Declared graphs as flows. `python binding.py chain_5 CONFIG` runs one."""

import sys
from functools import partial

from toyflow import OFFERED, Flow, Limits, Node, local

from core.declaration import Kind, Offer, Step, bound
from core.instrument.errors import PermanentError


def node(offer: Offer, step: Step) -> Node:
    branch = offer.graph.branch_of(step)
    return Node(
        step.name,
        offer.pipeline.work(step),
        offer.graph.inputs(step),
        step.upstream,
        Limits(step.retry.retries, step.retry.delay_s, offer.step_timeout_s, (PermanentError,)),
        item=step.item,
        over=step.over,
        arm_of=branch.name if branch else "",
        join=step.kind is Kind.JOIN,
        always=step.kind is Kind.ALWAYS,
        partition=step.kind is Kind.PARTITION,
        spelling=step.spelling,
    )


def flow(offer: Offer) -> Flow:
    made = Flow(offer.name)
    for step in offer.graph:
        made.add(node(offer, step))
    return made


OFFERED.update({offer.name: partial(flow, offer) for offer in bound()})

if __name__ == "__main__":
    local(*sys.argv[1:])

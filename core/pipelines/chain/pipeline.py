"""n steps in sequence, each given what the one before it made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

from core.declaration import Graph, Part, Pipeline, Shape, Step
from core.pipelines.like_steps.settings import LikeSteps
from core.pipelines.like_steps.work import SPELLING

WORK = Step("work", spelling=SPELLING)


def graph(settings: Mapping[str, Any]) -> Graph:
    """`work_0001`, `work_0002`, ..."""
    links = [WORK.instance(index) for index in range(1, settings.get("n", 1) + 1)]
    others = (replace(link, upstream=(before.name,)) for before, link in pairwise(links))
    return Graph((links[0], *others))


PIPELINE = Pipeline(
    name="chain",
    title="chain",
    graph=graph,
    fixed_by=("n",),
    settings=LikeSteps,
    code="core.pipelines.like_steps",
    parts={Part.EARLY: WORK.instance(1).name, Part.HEAVY: WORK.instance(1).name},
    bulky=("parcels",),
    rows="parcels",
    size="n",
    shape=Shape.SERIES,
)

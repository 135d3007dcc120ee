"""Reads what the first version of the schema left: in memory it becomes what this version writes.

The only file outside their own folders that names engines and pipelines: as they were then.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from bench.contract.described import DeclaredEngine, DeclaredPipeline
from bench.contract.records import NO_PIPELINE, Manifest, Record, Run, Sample

VERSION = 1
T = TypeVar("T", bound=msgspec.Struct)

PIPELINES = {"roll_back": "model_roll_back"}
"""Workloads that have another name as pipelines."""
USUAL = "training"
"""The workload where none was written down."""
OF_NO_PIPELINE = re.compile(
    r"authoring\.glue|noise\.(clock|position|drift)|instrument\.|micro\.report_s|setup\.(environment|packages|disk|import)"
)
"""How the metrics begin that had a workload for form's sake only."""
CELL = re.compile(r"block (\d+): ([^ :]+)(?: ([^:]+))?: ([^:]+)(?:: (.+))?")
"""`block 1: prefect tuned: recovery: worker_killed`."""

DECLARED_ENGINES = (
    DeclaredEngine(
        name="airflow", title="Apache Airflow", place=0, colour="engine-1", shape="circle",
        roles={"api-server": "web and API", "scheduler": "scheduling", "dag-processor": "pipeline code"},
    ),
    DeclaredEngine(
        name="prefect", title="Prefect", place=1, colour="engine-2", shape="square",
        roles={"api": "web and API", "services": "scheduling", "worker": "worker"},
    ),
    DeclaredEngine(
        name="dagster", title="Dagster", place=2, colour="engine-3", shape="triangle-up",
        roles={"webserver": "web and API", "daemon": "scheduling", "code-server": "pipeline code"},
    ),
)  # fmt: skip
STEPS = ("extract", "validate", "features", "train", "evaluate", "branch", "deploy", "notify", "cleanup")
DECLARED_PIPELINES = (
    DeclaredPipeline(
        name="training", title="training pipeline", steps=STEPS, in_turn=True, effects=("deploy", "notify")
    ),
    DeclaredPipeline(name="chain", title="chain", steps=("work",), in_turn=True, size="n", shape="series"),
    DeclaredPipeline(name="fan_out", title="fan-out", steps=("plan", "work", "gather"), size="n", shape="parallel"),
    DeclaredPipeline(
        name="model_roll_back", title="roll-back of a model", steps=("roll_back",), in_turn=True, companion=True,
        effects=("roll_back",),
    ),
    DeclaredPipeline(name="daily_files", title="daily pipeline", steps=("day",), in_turn=True, companion=True),
)  # fmt: skip


def convert(told: Mapping[str, Any], kind: type[T]) -> T:
    """A record or manifest of the first version as one of this version; msgspec's ValidationError if it is none."""
    change = {Sample: _measured, Record: _measured, Run: _run, Manifest: _manifest}.get(kind, dict)
    return msgspec.convert(change(told), kind)


def _measured(told: Mapping[str, Any]) -> dict[str, Any]:
    found = _run(told)
    of_none = OF_NO_PIPELINE.match(str(told.get("metric", "")))
    return found | {"pipeline": NO_PIPELINE} if of_none else found


def _run(told: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(told)
    workload = found.pop("workload", USUAL)
    return found | {"pipeline": PIPELINES.get(workload, workload)}


def _manifest(told: Mapping[str, Any]) -> dict[str, Any]:
    declared = {"engines": DECLARED_ENGINES, "pipelines": DECLARED_PIPELINES}
    cells = [_cell(one) for one in told.get("cells", [])]
    return {**told, **{name: msgspec.to_builtins(rows) for name, rows in declared.items()}, "cells": cells}


def _cell(told: Mapping[str, Any]) -> dict[str, Any]:
    """With what its name was made of."""
    found = {"pipeline": USUAL, **told}
    if known := CELL.fullmatch(str(told.get("name", ""))):
        block, *others = known.groups(default="")
        found |= {"block": int(block), **dict(zip(("engine", "track", "question", "topic"), others, strict=True))}
    return found

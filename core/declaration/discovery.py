"""Finds pipelines: a folder of `core.pipelines` with a pipeline.py is one; there is nothing else to register."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import fields

from core.declaration.pipeline import Pipeline

FOLDER = Path(__file__).parents[1] / "pipelines"


def names() -> list[str]:
    """Names of the pipelines found, sorted."""
    return sorted(path.parent.name for path in FOLDER.glob("*/pipeline.py"))


@cache
def pipeline(name: str) -> Pipeline:
    """The declaration of a pipeline; KeyError naming the known ones if there is none."""
    if name not in names():
        raise KeyError(f"no pipeline {name!r}; there are {', '.join(names())}")
    found = _as_written(name)
    family = (one for one in map(_as_written, names()) if found.family and one.family == found.family)
    return replace(found, companions={one.role: one.name for one in family if one.role and one.name != name})


@cache
def _as_written(name: str) -> Pipeline:
    found: Pipeline = import_module(f"core.pipelines.{name}.pipeline").PIPELINE
    return found


def pipelines() -> tuple[Pipeline, ...]:
    """All declarations, by name."""
    return tuple(map(pipeline, names()))


@cache
def offered(name: str) -> tuple[Pipeline, Mapping[str, Any]]:
    """The pipeline that engines offer under a name, with the settings that fix its graph; KeyError if there is none."""
    for one in pipelines():
        head, *values = name.rsplit("_", len(one.fixed_by)) if one.fixed_by else (name,)
        if head == one.name and len(values) == len(one.fixed_by):
            types = {field.name: field.type for field in fields(one.settings)}
            given = zip(one.fixed_by, values, strict=True)
            with suppress(msgspec.ValidationError):
                return one, {setting: msgspec.convert(value, types[setting], strict=False) for setting, value in given}
    raise KeyError(f"no pipeline is offered as {name!r}")

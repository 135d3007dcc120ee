"""One run for each day: it files the day's rows, once."""

from __future__ import annotations

from core.declaration import Companion, Graph, Kind, Part, Pipeline, Step, always
from core.pipelines.daily_files.settings import Days

PIPELINE = Pipeline(
    name="daily_files",
    title="daily pipeline",
    graph=always(Graph((Step("day", kind=Kind.PARTITION),))),
    settings=Days,
    artifacts={"day": "days"},
    parts={Part.EARLY: "day"},
    bulky=("days",),
    family="models",
    role=Companion.BY_DAY,
)

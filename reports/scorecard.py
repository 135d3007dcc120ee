"""One table of everything: questions as rows, engines as columns, each cell leading to its section."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reports.catalogue import metric as describe
from reports.catalogue import subject
from reports.compare import Reading
from reports.lookup import BASELINE, Lookup
from reports.numbers import scale_for
from reports.tables import Cell, cell, matters


@dataclass(frozen=True, slots=True)
class Question:
    """One row: which metric answers it, in which mode, and where the details are."""

    metric: str
    title: str
    section: str
    mode: str = ""


@dataclass(frozen=True, slots=True)
class ScoreRow:
    title: str
    unit: str
    track: str
    section: str
    cells: tuple[Cell, ...]
    baseline: Cell | None
    remark: str
    better: str


@dataclass(frozen=True, slots=True)
class ScoreGroup:
    title: str
    rows: tuple[ScoreRow, ...]


GROUPS: tuple[tuple[str, tuple[Question, ...]], ...] = (
    ("How much code?", (
        Question("authoring.sloc", "Source lines of the pipeline", "code"),
        Question("authoring.symbols", "Engine names to know", "code"),
        Question("authoring.cc_max", "Highest complexity", "code"),
    )),
    ("How long to set up?", (
        Question("setup.total_s", "Empty folder to first run", "setup"),
        Question("setup.disk_bytes", "Environment on disk", "setup"),
        Question("setup.packages", "Packages installed", "setup"),
        Question("setup.import_s", "Import", "setup"),
    )),
    ("How fast, on a server?", (
        Question("runtime.completion_s", "Submit to terminal state", "runtime", "served"),
        Question("runtime.overhead_s", "Overhead of a run", "runtime", "served"),
        Question("runtime.transition_s", "Latency between steps", "runtime", "served"),
    )),
    ("How fast, without a server?", (
        Question("runtime.completion_s", "Process start to end", "runtime", "local"),
        Question("runtime.overhead_s", "Overhead of a run", "runtime", "local"),
    )),
)  # fmt: skip


def scorecard(lookup: Lookup) -> tuple[ScoreGroup, ...]:
    """The groups that have at least one record behind them."""
    scenarios = tuple(
        Question(f"recovery.{topic}.{leaf}", f"{subject(topic)}: {said}", "recovery")
        for topic in lookup.topics("recovery")
        for leaf, said in (("outcome", "outcome"), ("recovery_s", "until complete again"))
    )
    bugs = tuple(
        Question(f"debugging.{topic}.visible_s", f"{subject(topic)}: visible after", "debugging")
        for topic in lookup.topics("debugging")
    )
    groups = (*GROUPS, ("What survives a fault?", scenarios), ("How soon is an error found?", bugs))
    built = (ScoreGroup(title, tuple(_rows(lookup, questions))) for title, questions in groups)
    return tuple(group for group in built if group.rows)


def _rows(lookup: Lookup, questions: Iterable[Question]) -> Iterable[ScoreRow]:
    for question in questions:
        seen: list[tuple[Reading, ...]] = []
        for track in lookup.tracks or ("none",):
            readings = lookup.readings(question.metric, track, question.mode)
            if not readings or readings in seen:
                continue
            seen.append(readings)
            yield _row(lookup, question, _track_of(lookup, question, track), readings)


def _track_of(lookup: Lookup, question: Question, track: str) -> str:
    """Empty for what holds on every track, such as lines of code."""
    of = {record.track for record in lookup.result.records if record.metric == question.metric}
    return track if track in of else ""


def _row(lookup: Lookup, question: Question, track: str, readings: tuple[Reading, ...]) -> ScoreRow:
    metric = describe(question.metric)
    plain = lookup.reading(question.metric, BASELINE) if question.mode == "local" else None
    scale = scale_for(metric.unit, [r.value for r in (*readings, *([plain] if plain else []))])
    by_engine = {reading.engine: reading for reading in readings}
    cells = tuple(cell(by_engine.get(engine), metric, scale) for engine in lookup.engines)
    kinds = {r.isolation for r in readings if r.measured and r.isolation != "none"}
    remark = (
        "includes the price of isolation" if len(kinds) > 1 and metric.kind == "time" and matters(metric.name) else ""
    )
    baseline = cell(plain, metric, scale) if plain else None
    return ScoreRow(question.title, scale.unit, track, question.section, cells, baseline, remark, metric.better)

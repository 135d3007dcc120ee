"""One table of everything: questions as rows, engines as columns, each cell leading to its section."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bench.plan.workloads import shaped
from bench.questions.catalogue import metric as describe
from bench.questions.catalogue import subject
from bench.questions.discovery import questions
from bench.questions.metric import Metric, Scale
from bench.questions.record import Question
from reports.read.lookup import BASELINE, PLAIN, Lookup, Scope, family
from reports.sections.tables import PRICE, Cell, cell, differ
from reports.words.catalogue import matters, scale_of
from reports.words.numbers import MISSING
from reports.words.ranking import Reading


@dataclass(frozen=True, slots=True)
class Asked:
    """One row: which metric answers it, in which mode, and where the details are."""

    metric: str
    title: str
    section: str
    mode: str = ""
    case: Scope = PLAIN


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


def scorecard(lookup: Lookup) -> tuple[ScoreGroup, ...]:
    """The groups that have at least one record behind them."""
    groups: dict[str, list[Asked]] = {}
    for question in sorted(questions(), key=lambda one: one.place):
        groups.setdefault(question.title, []).extend(_asked(lookup, question))
    built = (ScoreGroup(title, tuple(_rows(lookup, asked))) for title, asked in groups.items())
    return tuple(group for group in built if group.rows)


def _asked(lookup: Lookup, question: Question) -> Iterable[Asked]:
    """The rows of a question; where it has subjects, of those that a first look needs: the section has all."""
    if not question.subjects:
        for one in question.headlines:
            case = Scope(shaped(one.shape).name) if one.shape else PLAIN
            yield Asked(one.metric, one.title, question.group, one.mode, case)
        return
    known = lookup.names(f"{question.subjects}.")
    for topic in question.telling or lookup.topics(question.subjects):
        for one in question.headlines:
            name = f"{question.subjects}.{topic}.{one.metric}"
            if name in known:
                yield Asked(name, f"{subject(topic)}: {one.title}", question.group)


def _rows(lookup: Lookup, asked: Iterable[Asked]) -> Iterable[ScoreRow]:
    for question in asked:
        seen: list[tuple[Reading, ...]] = []
        for track in lookup.tracks or ("none",):
            readings = lookup.readings(question.metric, track, question.mode, scope=question.case)
            if not readings or readings in seen:
                continue
            seen.append(readings)
            yield _row(lookup, question, _track_of(lookup, question, track), readings)


def _track_of(lookup: Lookup, question: Asked, track: str) -> str:
    """Empty for what holds on every track, such as lines of code."""
    of = {record.track for record in lookup.result.records if record.metric == question.metric}
    return track if track in of else ""


def _row(lookup: Lookup, question: Asked, track: str, readings: tuple[Reading, ...]) -> ScoreRow:
    metric = describe(question.metric)
    plain = lookup.reading(question.metric, BASELINE) if question.mode == "local" else None
    scale = scale_of(metric, [r.value for r in (*readings, *([plain] if plain else []))])
    by_engine = {reading.engine: reading for reading in readings}
    cells = tuple(_cell(lookup, by_engine.get(e), metric, scale, e) for e in lookup.engines)
    measured = [reading for reading in readings if reading.measured]
    remark = PRICE if metric.kind == "time" and matters(metric.name) and differ(measured) else ""
    baseline = cell(plain, metric, scale) if plain else None
    return ScoreRow(question.title, scale.unit, track, question.section, cells, baseline, remark, metric.better)


def _cell(lookup: Lookup, reading: Reading | None, metric: Metric, scale: Scale, engine: str) -> Cell:
    if reading is None and metric.name.startswith("authoring.") and engine not in lookup.authored:
        return Cell(MISSING, note=f"the pipelines of {lookup.title(family(engine))}")
    return cell(reading, metric, scale)

"""One table of everything: questions as rows, engines as columns, each cell leading to its section."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bench.questions.metric import Metric, Scale
from reports.read.lookup import BASELINE, PLAIN, Lookup, Scope, family
from reports.sections.tables import PRICE, Cell, cell, differ
from reports.words.catalogue import matters, scale_of, subject
from reports.words.catalogue import metric as describe
from reports.words.numbers import MISSING
from reports.words.ranking import Reading


@dataclass(frozen=True, slots=True)
class Question:
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
    ("How does it grow?", (
        Question("scaling.marginal_s", "Each task of a chain, on a server", "scaling", "served", Scope("chain")),
        Question("scaling.marginal_s", "Each of many parallel tasks", "scaling", "served", Scope("fan_out")),
    )),
    ("What does it cost idle?", (
        Question("resources.idle.cpu_s_per_min", "CPU time, for each minute", "resources"),
        Question("resources.idle.pss_mean_bytes", "Memory", "resources"),
    )),
)  # fmt: skip


TELLING = (
    "transient_error", "step_killed", "hung_step", "run_killed", "worker_killed", "scheduler_killed",
    "resume_after_fix",
)  # fmt: skip
"""The scenarios that a first look needs; the section has all."""


def scorecard(lookup: Lookup) -> tuple[ScoreGroup, ...]:
    """The groups that have at least one record behind them."""
    scenarios = tuple(
        Question(f"recovery.{topic}.{leaf}", f"{subject(topic)}: {said}", "recovery")
        for topic in TELLING
        for leaf, said in (("outcome", "outcome"), ("recovery_s", "until complete again"))
        if f"recovery.{topic}.{leaf}" in lookup.names("recovery.")
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
            readings = lookup.readings(question.metric, track, question.mode, scope=question.case)
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

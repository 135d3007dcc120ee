"""The whole report as frozen values: everything that the templates show, and nothing to compute there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from bench.contract.records import Evidence, Failure
from bench.plan.budgets import CHAOS
from bench.questions.catalogue import LEAVES, columns, subject
from bench.questions.catalogue import metric as describe
from bench.questions.discovery import questions
from reports.draw import figures
from reports.draw.charts import Figure
from reports.draw.codeview import FileRow, code_rows
from reports.draw.course import Courses, courses
from reports.draw.heat import HeatMap, heat_map
from reports.read.lookup import Lookup
from reports.sections import background, between, glance, isolation, others, recovery, resources, scaling
from reports.sections.background import Background
from reports.sections.decisions import Decision, asked, decide
from reports.sections.experience import AbilityRow, Experience, abilities, experiences
from reports.sections.scorecard import ScoreGroup, scorecard
from reports.sections.section import Section, made
from reports.sections.tables import Plan, Table, arm_table
from reports.sections.transcripts import Transcript, transcripts
from reports.sections.usecases import UseCase
from reports.words.prose import facts_named, finding, limits, lower, verdict_sentence
from reports.words.safetext import inline

ALSO = {"resources": ("soak",)}
"""Questions that a section answers in a table of its own."""
METHOD, OF_METHOD = "method", ("asking", "micro")
"""What measuring costs is told where the method is."""
FINDINGS = 3
"""At most so many are read before the first chart of a question."""


@dataclass(frozen=True, slots=True)
class Engine:
    key: str
    title: str
    version: str
    colour: str
    shape: str


@dataclass(frozen=True, slots=True)
class VerdictView:
    """A use case with what the records say, on the first track and on the others where they disagree."""

    case: UseCase
    decision: Decision
    sentence: str
    limits: tuple[str, ...]
    others: tuple[str, ...]
    next: Markup
    """What would decide it, with the command marked up."""


@dataclass(frozen=True, slots=True)
class Report:
    quick: bool
    complete: bool
    opening: str
    """The section of the question that was asked alone, or METHOD; empty if several were."""
    failed_audits: tuple[str, ...]
    engines: tuple[Engine, ...]
    authored: tuple[Engine, ...]
    """Those with pipelines of their own."""
    baseline: bool
    tracks: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]
    glance: Table | None
    """Of a quick result: what it can say at once."""
    verdicts: tuple[VerdictView, ...]
    scorecard: tuple[ScoreGroup, ...]
    sections: tuple[Section, ...]
    code: tuple[FileRow, ...]
    heat: HeatMap | None
    courses: tuple[Courses, ...]
    transcripts: tuple[Transcript, ...]
    abilities: tuple[AbilityRow, ...]
    experiences: tuple[Experience, ...]
    background: Background
    failures: tuple[Failure, ...]

    @property
    def figures(self) -> tuple[Figure, ...]:
        whole = [part for section in self.sections for part in (section, *section.parts)]
        return tuple(figure for section in whole for figure in section.figures)

    @property
    def in_order(self) -> tuple[Section, ...]:
        """The sections as they are read: what was asked alone stands first."""
        return tuple(sorted(self.sections, key=lambda section: section.key != self.opening))


def build(lookup: Lookup) -> Report:
    """Turn a result into the report's values."""
    result, manifest, heat = lookup.result, lookup.result.manifest, heat_map(lookup)
    views, sections = [_verdict(case, lookup) for case in asked(lookup)], tuple(_sections(lookup))
    return Report(
        quick=manifest.budget == "quick",
        complete=manifest.state == "complete",
        opening=opening(lookup, sections),
        failed_audits=background.failed_audits(lookup),
        engines=tuple(_engine(lookup, name) for name in lookup.engines),
        authored=tuple(_engine(lookup, name) for name in lookup.authored),
        baseline=any(record.engine == "inline" for record in result.records),
        tracks=lookup.tracks,
        facts=background.facts(lookup),
        missing=background.missing(lookup),
        glance=glance.table(lookup) if manifest.budget == "quick" else None,
        verdicts=tuple(sorted(views, key=lambda view: view.decision.status != "favoured")),
        scorecard=scorecard(lookup),
        sections=sections,
        code=code_rows(lookup),
        heat=heat,
        courses=courses(lookup, heat),
        transcripts=transcripts(lookup, _caused(result.evidence)),
        abilities=abilities(lookup),
        experiences=experiences(lookup),
        background=background.background(lookup),
        failures=tuple(manifest.failures),
    )


def opening(lookup: Lookup, sections: Iterable[Section]) -> str:
    """The section that a result of one question opens with."""
    manifest = lookup.result.manifest
    asked_for = ["recovery"] if manifest.budget == CHAOS else manifest.arguments.get("only") or []
    if len(asked_for) != 1:
        return ""
    return next(
        (one.key for one in sections if asked_for[0] in _held(one)), METHOD if asked_for[0] in OF_METHOD else ""
    )


def _held(section: Section) -> tuple[str, ...]:
    """The questions that a section answers."""
    return (section.key, *(part.key for part in section.parts), *ALSO.get(section.key, ()))


def _engine(lookup: Lookup, name: str) -> Engine:
    return Engine(name, lookup.title(name), lookup.version(name), *lookup.look(name))


def _caused(evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    return tuple(item for item in evidence if item.text.strip())


def _verdict(case: UseCase, lookup: Lookup) -> VerdictView:
    tracks = lookup.tracks or ("none",)
    decisions = [decide(case, lookup, track) for track in tracks]
    main = next((d for d in decisions if d.status != "insufficient"), decisions[0])
    others = tuple(
        f"On {d.track} settings: {verdict_sentence(d, lookup)}"
        for d in decisions
        if d is not main and d.status != "insufficient" and (d.first, d.status) != (main.first, main.status)
    )
    said = verdict_sentence(main, lookup), limits(main, lookup)
    return VerdictView(case, main, *said, others, inline(main.next))


def _sections(lookup: Lookup) -> list[Section]:
    built: list[Section | None] = [_code(lookup), _setup(lookup), _runtime(lookup)]
    built += [scaling.section(lookup), resources.section(lookup), recovery.section(lookup), _debugging(lookup)]
    found = [section for section in built if section]
    return found + others.sections(lookup, [section.key for section in found])


def _first(lookup: Lookup, name: str, what: str, mode: str = "") -> str:
    track = lookup.tracks[0] if lookup.tracks else "none"
    return finding(lookup, describe(name), what, lookup.readings(name, track, mode))


def _further(lookup: Lookup, group: str, told: str) -> list[str]:
    """What else matters of a question, by its headlines: a sentence each, without what is told."""
    found = next(one for one in questions() if one.group == group and one.headlines).headlines
    others = [one for one in found if one.metric != told and one.metric in lookup.names(one.metric)]
    said = [_first(lookup, one.metric, lower(one.title), one.mode) for one in others]
    return said[: FINDINGS - 1]


def _code(lookup: Lookup) -> Section:
    table = arm_table(lookup, "table-code", "Size and complexity of the pipelines", Plan(columns("authoring")))
    sentence = _first(lookup, "authoring.symbols", "number of engine names to know")
    further = _further(lookup, "code", "authoring.symbols")
    figure = figures.code_figure(lookup)
    return made("code", "How much code?", sentence, figures=[figure], tables=[table], further=further)


def _setup(lookup: Lookup) -> Section:
    sentence = _first(lookup, "setup.total_s", "setup time")
    parts = figures.parts_figure(lookup, "figure-setup", figures.SETUP_PARTS, "Setup in parts", "")
    times = arm_table(lookup, "table-setup", "From an empty folder to the first run", Plan(columns("setup")))
    install = arm_table(lookup, "table-install", "What is installed", Plan(columns("setup", "install")))
    further = _further(lookup, "setup", "setup.total_s")
    return made("setup", "How long to set up?", sentence, figures=[parts], tables=[times, install], further=further)


def _runtime(lookup: Lookup) -> Section:
    names = columns("runtime")
    drawn = [
        figures.dots_figure(lookup, "served"),
        figures.parts_figure(lookup, "figure-parts", figures.MAKESPAN_PARTS, "A run in parts", "served"),
        figures.dots_figure(lookup, "local"),
    ]
    served = arm_table(lookup, "table-served", "On a server: from submit", Plan(names, "served", isolation=True))
    plan = Plan(names, "local", baseline=True, isolation=True)
    local = arm_table(lookup, "table-local", "Without a server: from the start of the process", plan)
    sentence = _first(lookup, "runtime.overhead_s", "overhead of a run on a server", "served")
    tables = [served, between.table(lookup), local]
    parts = [isolation.price(lookup)]
    further = _further(lookup, "runtime", "runtime.overhead_s")
    return made("runtime", "How fast?", sentence, figures=drawn, tables=tables, parts=parts, further=further)


def _debugging(lookup: Lookup) -> Section:
    topics = lookup.topics("debugging")
    leaves = LEAVES["debugging"]
    tables = [
        arm_table(lookup, f"table-{topic}", subject(topic), Plan([f"debugging.{topic}.{leaf}" for leaf in leaves]))
        for topic in topics
    ]
    sentence = facts_named(lookup, topics) if topics else "No bug was planted in this result."
    return made(
        "debugging", "How soon is an error found?", sentence, figures=[figures.debugging_figure(lookup)], tables=tables
    )

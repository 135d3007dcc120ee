"""What a result found, in some ten lines for a terminal: the sentences of its report, and of what was broken a line for
each engine and fault."""

from __future__ import annotations

from collections.abc import Iterator

from bench.questions.catalogue import metric as describe
from reports.draw.heat import Heat
from reports.pages.model import Report
from reports.read.lookup import Lookup
from reports.sections.section import present
from reports.words.catalogue import scale_of
from reports.words.numbers import scaled, with_unit

MOST_MISSING = 3
TIMES = {"detection_s": "seen after", "recovery_s": "right after"}


def findings(report: Report) -> Iterator[str]:
    """The first of each use case, one sentence a question, and what is missing."""
    for verdict in report.verdicts:
        if verdict.decision.status == "favoured":
            yield plain(f"{verdict.case.title}: {verdict.sentence}")
    alone = [section for section in report.sections if section.key == report.opening]
    shown = alone or [section for section in report.sections if present(section)]
    yield from (plain(f"{section.title} {section.sentence}") for section in shown if section.sentence)
    yield from _missing(report)


def of_broken(report: Report, lookup: Lookup) -> Iterator[str]:
    """What was broken, a line each; or one of the points that were drawn, where nothing else was. What is missing."""
    asked = next((one for one in report.sections if one.key == report.opening), None)
    drawn = [plain(part.sentence) for part in (asked.parts if asked else ()) if part.sentence]
    yield from list(of_faults(report, lookup)) or drawn
    yield from _missing(report)


def _missing(report: Report) -> Iterator[str]:
    yield from report.missing[:MOST_MISSING]
    if len(report.missing) > MOST_MISSING:
        yield f"{len(report.missing) - MOST_MISSING} more that a reader would miss stand in the report."


def of_faults(report: Report, lookup: Lookup) -> Iterator[str]:
    """What became of each engine's runs under each fault: outcome, detection, recovery, duplicates."""
    rows = [row for group in report.heat.groups for row in group.rows] if report.heat else []
    for row in rows:
        for cell in row.cells:
            said = f"{row.title}, {lookup.title(cell.engine)}: {cell.text}"
            yield plain("; ".join([said, *_measured(lookup, row.key, cell)]))


def plain(text: str) -> str:
    """Without what only a page needs: spaces at which no line breaks."""
    return " ".join(text.split())


def _measured(lookup: Lookup, scenario: str, cell: Heat) -> Iterator[str]:
    for leaf, words in TIMES.items():
        name = f"recovery.{scenario}.{leaf}"
        reading = lookup.reading(name, cell.engine, cell.track)
        if reading and isinstance(reading.value, int | float):
            scale = scale_of(describe(name), [reading.value])
            yield f"{words} {with_unit(scaled(reading.value, scale), scale.unit)}"
    twice = lookup.reading(f"recovery.{scenario}.duplicates", cell.engine, cell.track)
    if twice and isinstance(twice.value, int | float) and twice.value:
        yield f"effects more than once: {twice.value:g}"

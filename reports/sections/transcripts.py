"""What the engines showed their users when something broke, word for word, the line of the cause marked."""

from __future__ import annotations

from dataclasses import dataclass

from bench.contract.records import Evidence
from bench.questions.catalogue import subject
from reports.read.lookup import Lookup

HEAD = 150
AROUND = 40
LONGEST_LINE = 1000


@dataclass(frozen=True, slots=True)
class TextLine:
    """`number` is 0 for the remark that stands where lines were left out."""

    number: int
    text: str
    cause: bool = False


@dataclass(frozen=True, slots=True)
class Transcript:
    engine: str
    title: str
    track: str
    scenario: str
    headline: str
    source: str
    lines: tuple[TextLine, ...]
    total: int
    cause_line: int


def transcripts(lookup: Lookup, evidence: tuple[Evidence, ...]) -> tuple[Transcript, ...]:
    """All texts, grouped by scenario in the order met, engines in the order of the report."""
    engines = list(lookup.engines)
    scenarios = list(dict.fromkeys(item.scenario for item in evidence))
    known = [item for item in evidence if item.engine in engines]
    known.sort(key=lambda item: (scenarios.index(item.scenario), engines.index(item.engine)))
    return tuple(_transcript(lookup, item) for item in known)


def _transcript(lookup: Lookup, item: Evidence) -> Transcript:
    text = item.text.split("\n")
    return Transcript(
        engine=item.engine,
        title=lookup.title(item.engine),
        track=item.track,
        scenario=subject(item.scenario),
        headline=item.title,
        source=item.source,
        lines=tuple(_lines(text, item.cause_line)),
        total=len(text),
        cause_line=item.cause_line,
    )


def _lines(text: list[str], cause: int) -> list[TextLine]:
    """The head, the tail and the neighbourhood of the cause; a remark for what is left out."""
    kept: list[TextLine] = []
    for number, line in enumerate(text, 1):
        near = bool(cause) and abs(number - cause) <= AROUND
        if number <= HEAD or number > len(text) - HEAD or near:
            kept.append(TextLine(number, _cut(line), number == cause))
        elif kept and kept[-1].number:
            kept.append(TextLine(0, "… lines left out here; all are in evidence.jsonl"))
    return kept


def _cut(line: str) -> str:
    clean = "".join(c if c.isprintable() or c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in line)
    return clean if len(clean) <= LONGEST_LINE else clean[:LONGEST_LINE] + " … cut"

"""Easy and hard, from each engine's NOTES.md, with the measured values beside the claims that cite them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from markupsafe import Markup

from bench.questions.catalogue import metric as describe
from bench.questions.discovery import questions
from bench.questions.metric import Scale
from reports.read.lookup import PLAIN, Lookup
from reports.words.catalogue import ABILITIES, scale_of
from reports.words.numbers import scaled, with_unit
from reports.words.ranking import Reading
from reports.words.safetext import inline, parse_notes

_METRIC = re.compile(
    r"\b(?:authoring|setup|runtime|scaling|resources|recovery|debugging)\.[a-z0-9_]+(?:\.[a-z0-9_]+)?\b"
)


FIRST = 3
"""So many of a kind are read at once; the rest is folded."""
OTHERS = "Not measured here"


@dataclass(frozen=True, slots=True)
class Evidence:
    metric: str
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Claim:
    html: Markup
    evidence: tuple[Evidence, ...]
    question: str
    """That its first measurement answers; of one that cites none, OTHERS."""
    carried: bool
    """Whether this result has a value of the engine for it."""
    gainsaid: bool
    """Whether the engine is told to be worse there than another."""


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of one kind: a few first that measurements carry, the others by question."""

    heading: str
    first: tuple[Claim, ...]
    others: tuple[tuple[str, tuple[Claim, ...]], ...]

    @property
    def folded(self) -> int:
        return sum(len(claims) for _, claims in self.others)


@dataclass(frozen=True, slots=True)
class Experience:
    engine: str
    title: str
    claims: tuple[Claims, ...]


@dataclass(frozen=True, slots=True)
class AbilityRow:
    """One ability, and for each engine whether it is offered and how, or why not."""

    title: str
    offers: tuple[tuple[bool, Markup], ...]


def abilities(lookup: Lookup) -> tuple[AbilityRow, ...]:
    """What each engine offers by itself, in the order of the engines; empty if the result does not say."""
    told = {(row["ability"], row["engine"]): row for row in lookup.result.manifest.abilities}
    rows = []
    for ability in dict.fromkeys(name for name, _ in told):
        found = [told.get((ability, engine), {}) for engine in lookup.authored]
        offers = tuple((row.get("offered") == "yes", inline(row.get("text", "not told"))) for row in found)
        rows.append(AbilityRow(ABILITIES.get(ability, ability.replace("_", " ")), offers))
    return tuple(rows)


def experiences(lookup: Lookup) -> tuple[Experience, ...]:
    """One for each engine whose notes hold such a list."""
    found = []
    for engine in lookup.engines:
        notes = parse_notes(lookup.result.notes.get(engine, ""))
        easy, hard = ([_claim(text, engine, lookup) for text in notes.under(heading)] for heading in ("easy", "hard"))
        kinds = (_claims("Easy", [one for one in easy if not one.gainsaid]), _claims("Hard", hard))
        gainsaid = _claims("Thought easy, and another did better here", [one for one in easy if one.gainsaid])
        if shown := tuple(one for one in (*kinds, gainsaid) if one.first or one.others):
            found.append(Experience(engine, lookup.title(engine), shown))
    return tuple(found)


def _claims(heading: str, claims: Sequence[Claim]) -> Claims:
    first = tuple([one for one in claims if one.carried][:FIRST])
    others: dict[str, list[Claim]] = {}
    for one in claims:
        if one not in first:
            others.setdefault(one.question, []).append(one)
    order = sorted(others, key=lambda question: question == OTHERS)
    return Claims(heading, first, tuple((question, tuple(others[question])) for question in order))


def _claim(text: str, engine: str, lookup: Lookup) -> Claim:
    cited = dict.fromkeys(_METRIC.findall(text))
    found = {name: readings for name in cited if (readings := _readings(name, lookup))}
    own = [one for readings in found.values() for one in readings if one.engine == engine and one.measured]
    ranked = [readings for readings in found.values() if any(one.mark for one in readings)]
    behind = [one for readings in ranked for one in readings if one.engine == engine and one.measured and not one.mark]
    question = next((groups()[name.partition(".")[0]] for name in cited if name.partition(".")[0] in groups()), OTHERS)
    evidence = tuple(_evidence(name, readings, lookup) for name, readings in found.items())
    return Claim(inline(text), evidence, question, bool(own), bool(behind))


@cache
def groups() -> Mapping[str, str]:
    """How metrics of a question begin -> the question."""
    found = {one.group: one.title for one in questions()}
    return found | {name.partition(".")[0]: one.title for one in questions() for name in (m.name for m in one.metrics)}


def _readings(name: str, lookup: Lookup) -> tuple[Reading, ...]:
    track = lookup.tracks[0] if lookup.tracks else "none"
    mode = "served" if name.startswith(("runtime.", "scaling.")) else ""
    scopes = (PLAIN, *lookup.scopes(name, mode))
    return next((found for scope in scopes if (found := lookup.readings(name, track, mode, scope=scope))), ())


def _evidence(name: str, readings: Sequence[Reading], lookup: Lookup) -> Evidence:
    unit = describe(name).unit
    scale = scale_of(describe(name), [reading.value for reading in readings])
    values = []
    for reading in readings:
        value = reading.value
        shown = value if isinstance(value, str | None) else _shown(value, unit, scale)
        values.append((lookup.title(reading.engine), shown or reading.note or "not measured"))
    return Evidence(name, tuple(values))


def _shown(value: float, unit: str, scale: Scale) -> str:
    if unit == "boolean":
        return "yes" if value else "no"
    return with_unit(scaled(value, scale), scale.unit)

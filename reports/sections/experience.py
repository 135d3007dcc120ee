"""Easy and hard, from each engine's NOTES.md, with the measured values beside the claims that cite them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from markupsafe import Markup

from bench.questions.catalogue import metric as describe
from bench.questions.metric import Scale
from reports.read.lookup import PLAIN, Lookup
from reports.words.catalogue import ABILITIES, scale_of
from reports.words.numbers import scaled, with_unit
from reports.words.safetext import inline, parse_notes

_METRIC = re.compile(
    r"\b(?:authoring|setup|runtime|scaling|resources|recovery|debugging)\.[a-z0-9_]+(?:\.[a-z0-9_]+)?\b"
)


@dataclass(frozen=True, slots=True)
class Evidence:
    metric: str
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Claim:
    html: Markup
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Experience:
    engine: str
    title: str
    easy: tuple[Claim, ...]
    hard: tuple[Claim, ...]


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
        easy = tuple(_claim(text, lookup) for text in notes.under("easy"))
        hard = tuple(_claim(text, lookup) for text in notes.under("hard"))
        if easy or hard:
            found.append(Experience(engine, lookup.title(engine), easy, hard))
    return tuple(found)


def _claim(text: str, lookup: Lookup) -> Claim:
    cited = dict.fromkeys(_METRIC.findall(text))
    evidence = (_evidence(name, lookup) for name in cited)
    return Claim(inline(text), tuple(item for item in evidence if item))


def _evidence(name: str, lookup: Lookup) -> Evidence | None:
    track = lookup.tracks[0] if lookup.tracks else "none"
    mode = "served" if name.startswith(("runtime.", "scaling.")) else ""
    scopes = (PLAIN, *lookup.scopes(name, mode))
    readings = next((found for scope in scopes if (found := lookup.readings(name, track, mode, scope=scope))), ())
    if not readings:
        return None
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

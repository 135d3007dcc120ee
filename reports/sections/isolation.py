"""What it costs to keep the steps of a run apart: the served arms with their variants, and each against its engine."""

from __future__ import annotations

from bench.analyse.noise import Ratio, by_block
from bench.analyse.tell_apart import tell_apart
from bench.questions.catalogue import metric as describe
from reports.read.lookup import Lookup
from reports.sections.section import Section, made
from reports.sections.tables import ALIKE, Cell, Column, Row, Table, cell
from reports.words.catalogue import scale_of
from reports.words.numbers import MISSING, interval, listing, plural, scale_for, scaled
from reports.words.ranking import Reading, rank_alike

KINDS = ("in-process", "threads", "process pool", "process per step")
"""From the least kept apart to the most."""
NAMES = ("runtime.makespan_s", "runtime.overhead_s", "runtime.transition_s")
RATIOS = NAMES[:2]
RATIO = scale_for("ratio", ())
Arms = dict[str, dict[str, Reading]]
"""Arm -> metric -> reading."""


def price(lookup: Lookup) -> Section | None:
    """Where an engine was measured with more than one isolation. A price is a verdict: none before times are ranked."""
    if lookup.early:
        return None
    tables, said = [], []
    for track in lookup.tracks:
        arms = _arms(lookup, track)
        if any(name in arms for name in lookup.isolations):
            tables.append(_table(lookup, track, arms))
            said += [_sentence(lookup, track, arms, name) for name in lookup.isolations if name in arms]
    return made("isolation", "The price of isolation", " ".join(said), tables=tables) if tables else None


def _arms(lookup: Lookup, track: str) -> Arms:
    """The served arms of a track with a value, by how they keep their steps apart."""
    arms: Arms = {}
    for engine in (*lookup.engines, *lookup.isolations):
        found = {name: lookup.reading(name, engine, track, "served") for name in NAMES}
        readings = {name: r for name, r in found.items() if r and r.measured}
        if NAMES[0] in readings:
            arms[engine] = readings
    return dict(sorted(arms.items(), key=lambda arm: _place(arm[1][NAMES[0]].isolation)))


def _place(kind: str) -> int:
    return KINDS.index(kind) if kind in KINDS else len(KINDS)


def _ranked(lookup: Lookup, arms: Arms, name: str) -> dict[str, Reading]:
    readings = [found[name] for found in arms.values() if name in found]
    return {r.engine: r for r in rank_alike(readings, describe(name), lookup.noise)}


def _table(lookup: Lookup, track: str, arms: Arms) -> Table:
    ranked = {name: _ranked(lookup, arms, name) for name in NAMES}
    scales = {name: scale_of(describe(name), [r.value for r in ranked[name].values()]) for name in NAMES}
    columns = [Column("Isolation", numeric=False)]
    columns += [Column(describe(name).title, scales[name].unit, describe(name).help) for name in NAMES]
    columns += [
        Column(f"{describe(name).title}, variant to engine", "×", "paired by block, with its 95 % interval")
        for name in RATIOS
    ]
    rows = tuple(
        Row(lookup.base(arm), lookup.title(arm), track, (
            Cell(found[NAMES[0]].isolation, numeric=False),
            *(cell(ranked[name].get(arm), describe(name), scales[name]) for name in NAMES),
            *(_ratio_cell(lookup, arms, arm, name) for name in RATIOS),
        ))
        for arm, found in arms.items()
    )  # fmt: skip
    told = {row["name"]: row["text"] for row in lookup.result.manifest.variants}
    remark = " ".join(f"{lookup.title(name)}: {told[name]}." for name in lookup.isolations if name in arms)
    said = f"{ALIKE} {remark}"
    return Table(f"table-isolation-{track}", f"Served arms by isolation, {track} track", tuple(columns), rows, said)


def _ratio(lookup: Lookup, arms: Arms, arm: str, name: str) -> Ratio | None:
    ours, engines = arms[arm].get(name), arms.get(lookup.base(arm), {}).get(name)
    return by_block(ours.samples, engines.samples) if ours and engines else None


def _ratio_cell(lookup: Lookup, arms: Arms, arm: str, name: str) -> Cell:
    if arm not in lookup.isolations:
        return Cell("")
    ratio = _ratio(lookup, arms, arm, name)
    if ratio is None:
        return Cell(MISSING, note="no ratio: not measured in the same block, or a value of 0 or less")
    return Cell(
        scaled(ratio.value, RATIO), lookup.base(arm), repr(ratio.value), interval(ratio.low, ratio.high, RATIO), ratio.n
    )


def _sentence(lookup: Lookup, track: str, arms: Arms, arm: str) -> str:
    base = lookup.base(arm)
    where = f" on {track} settings" if len(lookup.tracks) > 1 else ""
    if base not in arms:
        return f"{lookup.title(arm)} was measured{where} without {lookup.title(base)} to stand beside."
    kinds = [arms[name][NAMES[0]].isolation for name in (arm, base)]
    lead = f"{lookup.title(base)}{where}, {kinds[0]} against {kinds[1]}: "
    return lead + listing(_said(lookup, arms, arm, name) for name in RATIOS) + "."


def _said(lookup: Lookup, arms: Arms, arm: str, name: str) -> str:
    title, ratio = describe(name).title.lower(), _ratio(lookup, arms, arm, name)
    if ratio is None:
        return f"no ratio of the {title}"
    engine, variant = (arms[one][name].values for one in (lookup.base(arm), arm))
    told = tell_apart(engine, variant, describe(name), floor=lookup.noise.ratio, paired=True)
    ends = interval(ratio.low, ratio.high, RATIO)
    about = f"{ends}, {plural(ratio.n, 'block')}" if ends else plural(ratio.n, "block")
    alike = "" if told.moved else ", which is no clear difference"
    return f"{scaled(ratio.value, RATIO)}× the {title} ({about}){alike}"

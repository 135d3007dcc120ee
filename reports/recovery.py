"""The section on recovery: outcomes, times, what was left behind, kill points, and what people do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from bench.scenarios import PEOPLE
from reports import figures
from reports.catalogue import metric as describe
from reports.catalogue import subject
from reports.compare import Reading
from reports.heat import SWEEP, SYMBOLS, HeatMap, Tone, heat_map, scenarios, tone_of
from reports.lookup import Lookup
from reports.numbers import MISSING, Scale, listing, number, plural
from reports.section import Section, made, present
from reports.tables import DIFFERS, PRICE, Cell, Column, Row, Table, cell, differ, leaf_title

QUESTIONS = {
    "detection_s": "How soon the engine's own record shows it",
    "recovery_s": "How long until the run was right again",
    "wasted_s": "Work that did not count in the end",
    "attempts": "Attempts of the step that suffered",
    "actions": "What people, or the process manager that they have set up, did",
    "record": "What the engine's own record claims, against the journal",
    "orphan_s": "How long processes of steps lived on after the run's end",
    "session": "Whether the engine was itself again afterwards",
}
"""Leaf -> caption of its table: scenarios as rows, engines as columns."""
OPEN = ("detection_s", "recovery_s")
PARTS = {"recovery_work_s": "work", "recovery_delay_s": "configured delay", "recovery_rest_s": "the rest"}
BEHIND = {
    "duplicates": "an effect happened twice",
    "overlaps": "a step ran twice at once",
    "orphans": "a process was left",
    "leaked_slots": "a slot was lost for the next run",
}
REPAIR = ("outcome", "recovery_s", "gone_s", "missing", "twice", "wasted_s", "extra_lines", "actions")
SAID: dict[Tone, str] = {
    "good": "ended as it should", "told": "failed and said so", "wrong": "went wrong", "unknown": "cannot be told",
}  # fmt: skip
PROPORTIONS = ("completed", "correct", "effect_once")
LOST = "replaced"
BEYOND = ">"
"""How a note begins that stands for a value beyond the limit."""
SECONDS, PLAIN_NUMBER, PERCENT = Scale("s"), Scale("", whole=True), Scale("%", 100.0)


def section(lookup: Lookup) -> Section:
    """The section; it says so if nothing was broken."""
    found = heat_map(lookup)
    people = {one.name for one in PEOPLE}
    broken = [name for name in scenarios(lookup) if name not in people]
    repaired = [name for name in scenarios(lookup) if name in people]
    tables = [_left_behind(lookup, broken)]
    tables += [_by_scenario(lookup, leaf, caption, broken) for leaf, caption in QUESTIONS.items()]
    sentence = _sentence(found, lookup) if found else "No fault was injected in this result."
    return made(
        "recovery", "What survives a fault?", sentence,
        figures=figures.timeline_figures(lookup), tables=tables, parts=[_people(lookup, repaired), _sweep(lookup)],
    )  # fmt: skip


def _sentence(found: HeatMap, lookup: Lookup) -> str:
    """For each engine, how many scenarios ended in which way, on the first track."""
    track = found.columns[0][1]
    said = []
    for engine, own, title in found.columns:
        if own != track:
            continue
        counts: Counter[Tone] = Counter(
            c.tone for c in found.cells if (c.engine, c.track) == (engine, track) and c.tone != "absent"
        )
        total = sum(counts.values())
        parts = [f"{counts[tone]} {SAID[tone]}" for tone in SAID if counts[tone]]
        if total:
            said.append(f"{title}, of {plural(total, 'scenario')}: {listing(parts)}")
    return f"{'; '.join(said)}." if said else f"Nothing was measured of {plural(len(scenarios(lookup)), 'scenario')}."


def _by_scenario(lookup: Lookup, leaf: str, caption: str, names: Sequence[str]) -> Table | None:
    """One question: scenarios as rows, engines as columns. None if nothing of it is known."""
    rows: list[Row] = []
    met: list[Reading] = []
    for track in lookup.tracks:
        for name in names:
            readings = lookup.readings(f"recovery.{name}.{leaf}", track)
            met += readings
            if any(reading.measured or reading.note.startswith(BEYOND) for reading in readings):
                found = {reading.engine: _shown(lookup, name, leaf, track, reading) for reading in readings}
                cells = tuple(found.get(engine, Cell(MISSING, note="not measured")) for engine in lookup.engines)
                rows.append(Row("", subject(name), track, cells))
    if not rows:
        return None
    unit = describe(f"recovery.{names[0]}.{leaf}").unit
    priced = unit == "s" and differ(met)
    shown = (
        tuple(replace(row, cells=tuple(replace(c, marked=PRICE) for c in row.cells)) for row in rows)
        if priced
        else rows
    )
    columns = tuple(
        Column(lookup.title(engine), "s" if unit == "s" else "", "", unit != "text") for engine in lookup.engines
    )
    remark = DIFFERS if priced else ""
    key = f"table-{leaf}"
    return Table(key, caption, columns, tuple(shown), remark, folded=leaf not in OPEN, heading="Scenario")


def _shown(lookup: Lookup, name: str, leaf: str, track: str, reading: Reading) -> Cell:
    """A value; beyond the limit, that; a recovery time with its parts."""
    shown = cell(reading, describe(f"recovery.{name}.{leaf}"), SECONDS if leaf.endswith("_s") else PLAIN_NUMBER)
    if not reading.measured and reading.note.startswith(BEYOND):
        return replace(shown, text=reading.note, note="")
    if leaf == "recovery_s" and reading.measured:
        return replace(shown, note=_parts(lookup, name, reading.engine, track))
    return shown


def _parts(lookup: Lookup, name: str, engine: str, track: str) -> str:
    found = {said: lookup.reading(f"recovery.{name}.{leaf}", engine, track) for leaf, said in PARTS.items()}
    told = [f"{said} {number(r.value)}" for said, r in found.items() if r and isinstance(r.value, int | float)]
    return ", ".join(told)


def _left_behind(lookup: Lookup, names: Sequence[str]) -> Table | None:
    """Everything beyond the outcome that went wrong, one row for each run in which it did."""
    rows = []
    for track in lookup.tracks:
        for name in names:
            for engine in lookup.engines:
                said = _wrongs(lookup, name, engine, track)
                if said:
                    cells = (Cell(subject(name), numeric=False), Cell("; ".join(said), numeric=False))
                    rows.append(Row(engine, lookup.title(engine), track, cells))
    if not rows:
        return None
    columns = (Column("Scenario", numeric=False), Column("What was seen", numeric=False))
    return Table(
        "table-left-behind", "Doubled effects, overlapping attempts, and what was left behind", columns, tuple(rows)
    )


def _wrongs(lookup: Lookup, name: str, engine: str, track: str) -> list[str]:
    said = []
    for leaf, what in BEHIND.items():
        reading = lookup.reading(f"recovery.{name}.{leaf}", engine, track)
        if reading and isinstance(reading.value, int | float) and reading.value > 0:
            said.append(f"{what} ({number(reading.value)})")
    after = lookup.reading(f"recovery.{name}.session", engine, track)
    if after and after.value == LOST:
        said.append(f"the engine did not come back, and its session was replaced: {after.note}")
    return said


def _people(lookup: Lookup, names: Sequence[str]) -> Section | None:
    """What people can do, by the engine's own means."""
    tables = [_repair(lookup, name) for name in names]
    sentence = "Each by the engine's own means, over its API."
    return present(made("repair", "What people can do", sentence, tables=tables))


def _repair(lookup: Lookup, name: str) -> Table | None:
    leaves = [leaf for leaf in REPAIR if lookup.names(f"recovery.{name}.{leaf}")]
    rows = []
    for track in lookup.tracks:
        for engine in lookup.engines:
            found = {leaf: lookup.reading(f"recovery.{name}.{leaf}", engine, track) for leaf in leaves}
            if any(found.values()):
                cells = [
                    _shown(lookup, name, leaf, track, r) if r else Cell(MISSING, note="not measured")
                    for leaf, r in found.items()
                ]
                if not any(r and r.measured for r in found.values()):  # the reason once is enough
                    cells = [cells[0], *(Cell(MISSING) for _ in cells[1:])]
                rows.append(Row(engine, lookup.title(engine), track, tuple(cells)))
    told = [leaf for leaf in leaves if any(row.cells[leaves.index(leaf)].text != MISSING for row in rows)] or leaves[:1]
    keep = [leaves.index(leaf) for leaf in told]
    shown = tuple(replace(row, cells=tuple(row.cells[i] for i in keep)) for row in rows)
    metrics = [describe(f"recovery.{name}.{leaf}") for leaf in told]
    columns = tuple(
        Column(leaf_title(one.name), "s" if one.unit == "s" else "", one.help, one.unit != "text") for one in metrics
    )
    return Table(f"table-{name}", subject(name), columns, shown) if rows else None


def _sweep(lookup: Lookup) -> Section | None:
    """Kill points: proportions with their intervals, and every point."""
    tables = [_proportions(lookup), _points(lookup)]
    sentence = (
        "One target was killed at one point of the history, drawn from all boundaries and middles of steps by the "
        "result's seed. Proportions with Wilson's 95 % interval."
    )
    return present(made("sweep", "Kill points", sentence, tables=tables))


def _proportions(lookup: Lookup) -> Table | None:
    rows = []
    for track in lookup.tracks:
        for engine in lookup.engines:
            found = [lookup.reading(f"recovery.{SWEEP}.{leaf}", engine, track) for leaf in PROPORTIONS]
            if any(reading and reading.measured for reading in found):
                cells = tuple(
                    cell(r, replace(describe(f"recovery.{SWEEP}.{leaf}"), kind="info"), PERCENT)
                    for leaf, r in zip(PROPORTIONS, found, strict=True)
                )
                rows.append(Row(engine, lookup.title(engine), track, tuple(replace(c, isolation="") for c in cells)))
    titles = ("Completed by itself", "Right artifacts", "Effect exactly once")
    columns = tuple(Column(title, "%") for title in titles)
    return Table("table-sweep", "Share of kill points", columns, tuple(rows)) if rows else None


def _points(lookup: Lookup) -> Table | None:
    """Target and moment as rows, engines as columns."""
    name = f"recovery.{SWEEP}.outcome"
    rows = []
    for track in lookup.tracks:
        for case in sorted(lookup.cases(name), key=lambda case: sorted(case.params.items())):
            found = [lookup.reading(name, engine, track, case=case) for engine in lookup.engines]
            if any(found):
                title = " ".join(str(case.params[key]) for key in ("action", "target", "at") if key in case.params)
                rows.append(Row("", title.replace("_", " "), track, tuple(_point(reading) for reading in found)))
    columns = tuple(Column(lookup.title(engine), numeric=False) for engine in lookup.engines)
    return (
        Table("table-points", "Every kill point", columns, tuple(rows), folded=True, heading="Killed") if rows else None
    )


def _point(reading: Reading | None) -> Cell:
    if reading is None:
        return Cell(MISSING, note="not drawn", numeric=False)
    if not isinstance(reading.value, str):
        return Cell(MISSING, note=reading.note, numeric=False)
    return Cell(
        f"{SYMBOLS[tone_of(SWEEP, reading.value)]} {reading.value}", reading.engine, reading.value, numeric=False
    )

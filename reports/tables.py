"""Tables as the templates take them: text, sort keys and marks are decided here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reports.catalogue import OF_BUG, OF_SCENARIO, Metric
from reports.catalogue import metric as describe
from reports.compare import Mark, Reading
from reports.lookup import BASELINE, Lookup
from reports.numbers import MISSING, Scale, interval, scale_for, scaled

YES, NO = "yes", "no"


@dataclass(frozen=True, slots=True)
class Cell:
    """`sort` is empty where there is no value; the note then says why."""

    text: str
    engine: str = ""
    sort: str = ""
    interval: str = ""
    n: int = 0
    mark: Mark = ""
    note: str = ""
    numeric: bool = True
    isolation: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    unit: str = ""
    help: str = ""
    numeric: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    engine: str
    title: str
    track: str
    cells: tuple[Cell, ...]
    key: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    key: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    remark: str = ""


def cell(reading: Reading | None, metric: Metric, scale: Scale) -> Cell:
    """Show one reading in the unit of its column or row."""
    if reading is None:
        return Cell(MISSING, note="not measured")
    n = 0 if metric.kind == "exact" or metric.name.startswith("authoring.") else reading.n
    value = reading.value
    if value is None:
        return Cell(MISSING, engine=reading.engine, note=reading.note or "not measured")
    if isinstance(value, str):
        return Cell(value, reading.engine, value, "", n, reading.mark, reading.note, numeric=False)
    text = (YES if value else NO) if metric.kind == "flag" else scaled(value, scale)
    isolation = reading.isolation if reading.isolation != "none" else ""
    ends = interval(reading.low, reading.high, scale)
    sort = repr(float(value))
    return Cell(text, reading.engine, sort, ends, n, reading.mark, reading.note, isolation=isolation)


def arm_table(
    lookup: Lookup, key: str, caption: str, names: Iterable[str], *, mode: str = "", baseline: bool = False
) -> Table | None:
    """Arms (engine and track) as rows, metrics as columns. None if nothing was measured."""
    names = [name for name in names if any(lookup.readings(name, track, mode) for track in lookup.tracks or ("none",))]
    arms = _arms(lookup, names, mode, baseline=baseline)
    if not names or not arms:
        return None
    found = {(name, t): _with_baseline(lookup, name, t, mode) for name in names for t in {track for _, track in arms}}
    columns, scales = _columns(names, found)
    rows = []
    for engine, track in arms:
        readings = [found[name, track].get(engine) for name in names]
        cells = tuple(cell(r, describe(n), s) for r, n, s in zip(readings, names, scales, strict=True))
        rows.append(Row(engine, lookup.title(engine), "" if engine == BASELINE else track, cells))
    kept_apart = [r for (name, _), by_engine in found.items() if matters(name) for r in by_engine.values()]
    return Table(key, caption, columns, tuple(rows), isolation_remark(lookup, kept_apart))


def _arms(lookup: Lookup, names: Sequence[str], mode: str, *, baseline: bool) -> list[tuple[str, str]]:
    tracks = lookup.tracks or ("none",)
    met = {
        (r.engine, r.track)
        for r in lookup.result.records
        if r.metric in names and (not mode or r.mode == mode)
    }  # fmt: skip
    tracks = tuple(t for t in tracks if any(track == t for _, track in met)) or ("none",)
    arms = [(e, t) for t in tracks for e in lookup.engines if {(e, t), (e, "none")} & met]
    plain = [(BASELINE, tracks[0])] if baseline and any(engine == BASELINE for engine, _ in met) else []
    return arms + plain


def _with_baseline(lookup: Lookup, name: str, track: str, mode: str) -> dict[str, Reading]:
    found = {reading.engine: reading for reading in lookup.readings(name, track, mode)}
    plain = lookup.reading(name, BASELINE, track)
    return found | ({BASELINE: plain} if plain else {})


def _columns(
    names: Sequence[str], found: dict[tuple[str, str], dict[str, Reading]]
) -> tuple[tuple[Column, ...], list[Scale]]:
    columns, scales = [], []
    for name in names:
        metric = describe(name)
        values = [r.value for (n, _), readings in found.items() if n == name for r in readings.values()]
        scale = scale_for(metric.unit, values)
        title = leaf_title(name)
        columns.append(
            Column(
                title,
                "" if scale.unit == "lines" and "lines" in title.lower() else scale.unit,
                metric.help,
                metric.kind != "outcome",
            )
        )
        scales.append(scale)
    return tuple(columns), scales


def leaf_title(name: str) -> str:
    """The title without the scenario or bug, which the table's caption names."""
    leaf = name.rpartition(".")[2]
    found = {"recovery": OF_SCENARIO, "debugging": OF_BUG}.get(name.partition(".")[0], {}).get(leaf)
    return found.title if found else describe(name).title


def matters(name: str) -> bool:
    """Whether the isolation of steps has a price in this metric."""
    return name.startswith(("runtime.", "recovery."))


def isolation_remark(lookup: Lookup, readings: Iterable[Reading]) -> str:
    """Say how steps were kept apart, and that a difference between kinds includes the price of it."""
    by_engine: dict[str, dict[str, None]] = {}
    for reading in readings:
        if reading.isolation not in ("none", "") and reading.engine != BASELINE:
            by_engine.setdefault(reading.engine, {})[reading.isolation] = None
    if not by_engine:
        return ""
    said = "; ".join(f"{lookup.title(engine)}: {' and '.join(kinds)}" for engine, kinds in by_engine.items())
    differ = len({tuple(sorted(kinds)) for kinds in by_engine.values()}) > 1
    return f"Isolation of steps: {said}." + (
        " It differs, so a difference between engines includes the price of isolation." if differ else ""
    )

"""Tables as the templates take them: text, sort keys and marks are decided here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bench.analyse.outcomes import with_runs
from bench.questions.catalogue import leaf
from bench.questions.catalogue import metric as describe
from bench.questions.metric import Metric, Scale
from reports.read.lookup import BASELINE, PLAIN, Lookup, Scope
from reports.words.catalogue import matters, scale_of
from reports.words.numbers import MISSING, interval, scaled
from reports.words.ranking import Mark, Reading

YES, NO = "yes", "no"
MOST_COLUMNS = 4
"""So many metrics fit beside the name of an engine on paper and on a small screen."""
BEYOND = "> "
"""How a note begins that stands for a value beyond a limit: it is shown, but never a number to rank or average."""
PRICE = "includes the price of isolation"
ALIKE = "Marks stand within the same isolation."
DIFFERS = "Isolation differs, so a difference between engines includes the price of isolation."


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
    marked: str = ""
    """What the mark includes."""
    bar: tuple[tuple[float, float], ...] = ()
    """Parts of the value as start and width, in hundredths of the largest value of the table."""


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
    note: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    key: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    remark: str = ""
    folded: bool = False
    heading: str = "Engine"
    source: str = ""
    """Address of what was not measured here."""
    turned: bool = False
    """Whether it is shown with its columns as rows: many metrics of few arms would run off the page."""


def cell(reading: Reading | None, metric: Metric, scale: Scale) -> Cell:
    """Show one reading in the unit of its column or row."""
    if reading is None:
        return Cell(MISSING, note="not measured")
    n = 0 if metric.kind == "exact" or metric.name.startswith("authoring.") else reading.n
    value = reading.value
    if value is None and reading.note.startswith(BEYOND):
        return Cell(reading.note, engine=reading.engine)
    if value is None:
        return Cell(MISSING, engine=reading.engine, note=reading.note or "not measured")
    if metric.kind == "outcome" and n > 1:
        return Cell(with_runs(reading.outcomes), reading.engine, str(value), "", 0, reading.mark, reading.note,
                    numeric=False)  # fmt: skip
    if isinstance(value, str):
        return Cell(value, reading.engine, value, "", n, reading.mark, reading.note, numeric=False)
    text = (YES if value else NO) if metric.unit == "boolean" else scaled(value, scale)
    isolation = reading.isolation if reading.isolation != "none" else ""
    ends = interval(reading.low, reading.high, scale)
    sort = repr(float(value))
    return Cell(text, reading.engine, sort, ends, n, reading.mark, reading.note, isolation=isolation)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a table is made of: metrics as columns, and as rows arms within each scope, or scopes within each arm."""

    names: Sequence[str]
    mode: str = ""
    scopes: Sequence[Scope] = (PLAIN,)
    head: str = ""
    """Title of the column that names the scope; empty for none."""
    baseline: bool = False
    isolation: bool = False
    """Whether each row says how steps were kept apart."""
    by_arm: bool = False
    ranked: bool = True
    engines: Sequence[str] = ()
    """Those of the result unless told."""
    folded: bool = False


RowKey = tuple[str, Scope, str]
"""Track, scope, engine: one row."""


def arm_table(lookup: Lookup, key: str, caption: str, plan: Plan) -> Table | None:
    """A table of all that was measured of the plan. None if that is nothing."""
    found = _found(lookup, plan)
    names = [name for name in plan.names if any(name in readings for _, readings in found)]
    if not names:
        return None
    if plan.by_arm:
        order = {(track, engine): i for i, ((track, _, engine), _) in reversed(list(enumerate(found)))}
        found.sort(key=lambda pair: order[pair[0][0], pair[0][2]])
    columns, scales = _columns(names, [readings for _, readings in found])
    lead = [Column(plan.head, numeric=False)] if plan.head else []
    mixed = _mixed(found)
    rows = []
    for (track, scope, engine), readings in found:
        also = PRICE if (track, scope.key) in mixed and plan.mode != "local" else ""
        values = [_cell(readings.get(n), describe(n), s, also) for n, s in zip(names, scales, strict=True)]
        cells = (*([Cell(scope.label, numeric=False)] if plan.head else []), *_told_once(values))
        note = _isolation(readings) if plan.isolation else ""
        rows.append(
            Row(lookup.base(engine), lookup.title(engine), "" if engine == BASELINE else track, cells, note=note)
        )
    remark = _remark(lookup, plan, [readings for _, readings in found], differs=bool(mixed))
    turned = not plan.head and len(columns) > MOST_COLUMNS
    return Table(key, caption, (*lead, *columns), tuple(rows), remark, plan.folded, turned=turned)


def _mixed(found: Iterable[tuple[RowKey, dict[str, Reading]]]) -> set[tuple[str, tuple[str, str]]]:
    """The tracks and scopes in which engines that stand beside each other keep their steps apart in different ways."""
    groups: dict[tuple[str, tuple[str, str]], list[Reading]] = {}
    for (track, scope, _), readings in found:
        groups.setdefault((track, scope.key), []).extend(r for name, r in readings.items() if matters(name))
    return {group for group, readings in groups.items() if differ(readings)}


def _cell(reading: Reading | None, metric: Metric, scale: Scale, also: str) -> Cell:
    shown = cell(reading, metric, scale)
    return replace(shown, marked=also) if matters(metric.name) and metric.kind == "time" else shown


def _told_once(cells: Sequence[Cell]) -> list[Cell]:
    """What holds for several cells of a row stands in the first of them, except where it is all there is."""
    met: set[str] = set()
    told = []
    for one in cells:
        told.append(replace(one, note="") if one.sort and one.note in met else one)
        met.add(one.note)
    return told


def _isolation(readings: dict[str, Reading]) -> str:
    return " and ".join(dict.fromkeys(r.isolation for r in readings.values() if r.isolation not in ("none", "")))


def _found(lookup: Lookup, plan: Plan) -> list[tuple[RowKey, dict[str, Reading]]]:
    """The rows that hold any reading, with them by metric; what has no track stands on the first that is met."""
    met = {r.track for r in lookup.result.records if r.metric in plan.names and (not plan.mode or r.mode == plan.mode)}
    tracks = [track for track in lookup.tracks if track in met] or ["none"]
    places = [(t, scope, e) for t in tracks for scope in plan.scopes for e in plan.engines or lookup.engines]
    places += [(tracks[0], scope, BASELINE) for scope in plan.scopes if plan.baseline]
    ranked = {
        (t, scope.key, name): {r.engine: r for r in lookup.readings(name, t, plan.mode, scope=scope)}
        for t in tracks for scope in plan.scopes for name in plan.names
    }  # fmt: skip
    found = []
    for track, scope, engine in places:
        alone = {name: lookup.reading(name, engine, track, _mode(plan, engine), scope=scope) for name in plan.names}
        readings = {n: ranked[track, scope.key, n].get(engine, r) if plan.ranked else r for n, r in alone.items() if r}
        if readings:
            found.append(((track, scope, engine), readings))
    return found


def _mode(plan: Plan, engine: str) -> str:
    return "" if engine == BASELINE else plan.mode


def _columns(names: Sequence[str], found: Sequence[dict[str, Reading]]) -> tuple[tuple[Column, ...], list[Scale]]:
    columns, scales = [], []
    for name in names:
        metric = describe(name)
        scale = scale_of(metric, [readings[name].value for readings in found if name in readings])
        title = leaf_title(name)
        unit = "" if scale.unit == "lines" and "lines" in title.lower() else scale.unit
        columns.append(Column(title, unit, metric.help, metric.kind != "outcome"))
        scales.append(scale)
    return tuple(columns), scales


def leaf_title(name: str) -> str:
    """The title without the scenario or bug, which the table's caption names."""
    return (leaf(name) or describe(name)).title


def differ(readings: Iterable[Reading]) -> bool:
    """Whether the engines kept their steps apart in different ways."""
    return len({tuple(sorted(kinds)) for kinds in _kinds(readings).values()}) > 1


def _kinds(readings: Iterable[Reading]) -> dict[str, dict[str, None]]:
    by_engine: dict[str, dict[str, None]] = {}
    for reading in readings:
        if reading.isolation not in ("none", "") and reading.engine != BASELINE:
            by_engine.setdefault(reading.engine, {})[reading.isolation] = None
    return by_engine


def _remark(lookup: Lookup, plan: Plan, found: Iterable[dict[str, Reading]], *, differs: bool) -> str:
    """Say how steps were kept apart, if the rows do not, and that a difference between kinds includes its price."""
    kinds = _kinds(r for readings in found for name, r in readings.items() if matters(name))
    if not kinds or not plan.ranked:
        return ""
    listed = "; ".join(f"{lookup.title(engine)}: {' and '.join(of)}" for engine, of in kinds.items())
    said = [] if plan.isolation else [f"Isolation of steps: {listed}."]
    if differs:
        said += [ALIKE] if plan.mode == "local" else [DIFFERS]
    return " ".join(said)

"""The section on recovery: outcomes, times, what was left behind, what people do, and kill points."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bench.contract.targets import Target
from bench.plan.scenarios import SCENARIOS
from bench.questions.catalogue import metric as describe
from bench.questions.catalogue import subject
from bench.questions.metric import Scale
from reports.draw.heat import HeatMap, Tone, heat_map, scenarios
from reports.read.lookup import Lookup
from reports.sections import repair, sweep
from reports.sections.section import Section, made
from reports.sections.tables import DIFFERS, PRICE, Cell, Column, Row, Table, cell, differ
from reports.words.numbers import MISSING, listing, number, plural
from reports.words.ranking import Reading

QUESTIONS = {
    "detection_s": "How soon the engine's own record shows it",
    "recovery_s": "How long until the run was right again",
    "wasted_s": "Work that did not count in the end",
    "attempts": "Attempts of the step that was struck",
    "record": "What the engine's own record claims, against the journal",
    "actions": "What people did, or the process manager that they have set up",
    "struck": "What was really struck",
}
"""Leaf -> caption of its table: scenarios as rows, engines as columns."""
OPEN = ("detection_s", "recovery_s")
PARTS = {"recovery_work_s": "work", "recovery_delay_s": "delay", "recovery_rest_s": "rest"}
LIMITED = {"detection_delay_s": "until the limit that you set", "detection_rest_s": "beyond it"}
"""Of a detection that waited for a limit of ours."""
BARS = (
    "Until the last step's right end, which may be before the engine calls the run ended. Bars, in this order and on "
    "one scale for the whole table: work of the steps, with the pause in which one is struck; configured delay, in "
    "which are retries and all time in which something was kept down; and the rest, which the engine took. Where no "
    "step was lost, this is the rest of an ordinary run, and nothing is ranked."
)
BEHIND = {
    "duplicates": "an effect happened twice",
    "overlaps": "a step ran twice at once",
    "orphans": "a process was left",
    "leaked_slots": "a slot was lost for the next run",
}
SAID: dict[Tone, str] = {
    "good": "ended as it should", "told": "failed and said so", "wrong": "went wrong", "unknown": "cannot be told",
}  # fmt: skip
LOST = "replaced"
SECONDS, PLAIN_NUMBER = Scale("s"), Scale("", whole=True)
ONCE = "One run each."
NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class _Place:
    """One scenario on one engine."""

    lookup: Lookup
    scenario: str
    engine: str
    track: str

    def reading(self, leaf: str) -> Reading | None:
        return self.lookup.reading(f"recovery.{self.scenario}.{leaf}", self.engine, self.track)

    def value(self, leaf: str) -> float:
        """A number, or nothing if there is none."""
        found = self.reading(leaf)
        return float(found.value) if found and isinstance(found.value, int | float) else 0.0

    def most(self, leaf: str) -> float:
        """The same of the worst run, where there are several."""
        return max(self.runs(leaf), default=self.value(leaf))

    def runs(self, leaf: str) -> list[float]:
        """The numbers of all runs."""
        found = self.reading(leaf)
        numbers = found.samples if found and found.measured else ()
        return [float(s.value) for s in numbers if isinstance(s.value, int | float)]


def section(lookup: Lookup) -> Section:
    """The section; it says so if nothing was broken."""
    found = heat_map(lookup)
    people = {one.key for one in SCENARIOS.values() if one.remedy}
    broken = [name for name in scenarios(lookup) if name not in people]
    tables = [_by_scenario(lookup, leaf, caption, broken) for leaf, caption in QUESTIONS.items()]
    tables.insert(len(OPEN), _left_behind(lookup, broken))
    parts = [repair.section(lookup), sweep.section(lookup)]
    nothing = "" if any(parts) else "No fault was injected in this result."
    sentence = _sentence(found, lookup) if found else nothing
    return made("recovery", "What survives a fault?", sentence, tables=[*tables, _targets(lookup)], parts=parts)


def _sentence(found: HeatMap, lookup: Lookup) -> str:
    """For each engine, how many scenarios ended in which way, on the first track."""
    track = found.columns[0][1]
    said = []
    for engine, own, title in found.columns:
        if own != track:
            continue
        cells = [c for c in found.cells if (c.engine, c.track) == (engine, track) and c.tone != "absent"]
        counts: Counter[Tone] = Counter(c.tone for c in cells)
        parts = [f"{counts[tone]} {SAID[tone]}" for tone in SAID if counts[tone]]
        differing = sum(c.agreement.startswith("differs") for c in cells)
        beside = f" ({differing} {'differs' if differing == 1 else 'differ'} from the documentation)"
        if cells:
            counted = f"{title}, of {plural(len(cells), 'scenario')}: {listing(parts)}"
            said.append(counted + (beside if differing else ""))
    where = f"On {track} settings. " if len({own for _, own, _ in found.columns}) > 1 else ""
    nothing = f"Nothing was measured of {plural(len(scenarios(lookup)), 'scenario')}."
    return f"{where}{'; '.join(said)}." if said else nothing


def _rows(lookup: Lookup, names: Iterable[str], shown: Callable[[_Place], Cell]) -> list[Row]:
    """Scenarios as rows, engines as columns; without rows in which there is nothing to say."""
    names, rows = list(names), []
    for track in lookup.tracks:
        for name in names:
            cells = tuple(shown(_Place(lookup, name, engine, track)) for engine in lookup.engines)
            if any(one.text not in (MISSING, NOTHING) for one in cells):
                rows.append(Row("", subject(name), track, cells))
    return rows


def _by_scenario(lookup: Lookup, leaf: str, caption: str, names: Sequence[str]) -> Table | None:
    """One question. None if nothing of it is known."""
    ranked = {
        (track, name): {r.engine: r for r in lookup.readings(f"recovery.{name}.{leaf}", track)}
        for track in lookup.tracks for name in names
    }  # fmt: skip
    met = [reading for readings in ranked.values() for reading in readings.values()]
    unit = describe(f"recovery.x.{leaf}").unit
    priced = unit == "s" and differ(met)
    longest = max((float(r.value) for r in met if isinstance(r.value, int | float)), default=0.0)

    def shown(place: _Place) -> Cell:
        one = _value(place, leaf, ranked[place.track, place.scenario].get(place.engine), longest)
        return replace(one, marked=PRICE) if priced else one

    rows = _rows(lookup, names, shown)
    columns = tuple(
        Column(lookup.title(engine), "s" if unit == "s" else "", "", unit != "text") for engine in lookup.engines
    )
    drawn = any(one.bar for row in rows for one in row.cells)
    remarks = [ONCE] * all(r.n <= 1 for r in met) + [BARS] * drawn + [DIFFERS] * priced
    table = Table(f"table-{leaf}", caption, columns, tuple(rows), " ".join(remarks), leaf not in OPEN, "Scenario")
    return table if rows else None


def _value(place: _Place, leaf: str, reading: Reading | None, longest: float) -> Cell:
    """A value; beyond the limit, that; a recovery time with its parts. Why it is not there, the heat map says."""
    if reading is None:
        return Cell(MISSING)
    scale = SECONDS if leaf.endswith("_s") else PLAIN_NUMBER
    shown = cell(reading, describe(f"recovery.{place.scenario}.{leaf}"), scale)
    if not reading.measured:
        return shown if isinstance(_outcome(place), str) else replace(shown, note="")
    shown = replace(shown, n=shown.n if shown.n > 1 else 0)
    if _unfit(place, leaf):
        shown = replace(shown, mark="", marked="")
    if leaf == "detection_s" and place.value("detection_delay_s"):
        return replace(shown, note=f"{_sum(_parts(place, LIMITED))}; {reading.note}")
    if leaf != "recovery_s":
        return shown
    parts = _parts(place, PARTS)
    return replace(shown, note=_sum(parts), bar=_bar(parts.values(), longest))


def _parts(place: _Place, leaves: Mapping[str, str]) -> dict[str, float]:
    return {said: place.value(leaf) for leaf, said in leaves.items() if place.reading(leaf)}


def _sum(parts: Mapping[str, float]) -> str:
    return " + ".join(f"{number(seconds, whole=False)} {said}" for said, seconds in parts.items())


def _unfit(place: _Place, leaf: str) -> bool:
    """Whether a value should win nothing: a recovery where nothing was lost, or that waited for a limit of ours; little
    lost work where a step lives on."""
    if leaf == "recovery_s":
        nothing_lost = place.value("attempts") <= 1 and not place.value("wasted_s")
        return nothing_lost or place.value("detection_delay_s") > 0
    return leaf == "wasted_s" and place.most("orphans") > 0


def _bar(parts: Iterable[float], longest: float) -> tuple[tuple[float, float], ...]:
    """Start and width of each part, in hundredths of the longest."""
    found, start = [], 0.0
    for seconds in parts:
        width = 100 * seconds / longest if longest else 0.0
        found.append((round(start, 2), round(width, 2)))
        start += width
    return tuple(found)


def _outcome(place: _Place) -> float | str | None:
    found = place.reading("outcome")
    return found.value if found else None


def _left_behind(lookup: Lookup, names: Sequence[str]) -> Table | None:
    """Everything beyond the outcome that went wrong."""
    rows = _rows(lookup, names, _after)
    columns = tuple(Column(lookup.title(engine), numeric=False) for engine in lookup.engines)
    caption = "Doubled effects, overlapping attempts, and what was left behind"
    remark = f"{MISSING} not measured. Scenarios that are not listed left nothing on the engines that met them."
    return Table("table-left-behind", caption, columns, tuple(rows), remark, heading="Scenario") if rows else None


def _after(place: _Place) -> Cell:
    met = isinstance(_outcome(place), str)
    return Cell("; ".join(_wrongs(place)) or (NOTHING if met else MISSING), numeric=False)


def _wrongs(place: _Place) -> list[str]:
    said = [
        f"{what} ({number(place.most(leaf))}{_in_runs(place, leaf)})"
        for leaf, what in BEHIND.items()
        if place.most(leaf) > 0
    ]
    doubled = place.reading("duplicates")
    if said and doubled and doubled.note and place.most("duplicates"):
        said[0] += f", {doubled.note}"
    lived = place.reading("orphan_s")
    if lived and place.most("orphans") > 0:
        text = f"{number(place.value('orphan_s'), whole=False)} s" if lived.measured else lived.note
        said = [f"{one}, for {text}" if one.startswith(BEHIND["orphans"]) else one for one in said]
    after = place.reading("session")
    if after and after.value == LOST:
        said.append(f"the engine did not come back, and its session was replaced: {after.note}")
    return said


def _in_runs(place: _Place, leaf: str) -> str:
    """In how many of several runs; the number beside it is that of the worst."""
    seen = place.runs(leaf)
    return f" at most, in {sum(value > 0 for value in seen)} of {len(seen)} runs" if len(seen) > 1 else ""


def _targets(lookup: Lookup) -> Table | None:
    """Which process of each engine it is that is struck from outside."""
    told = {(row["engine"], row["target"]): row for row in lookup.result.manifest.targets}
    rows = [
        Row("", str(target).replace("_", " ").capitalize(), "", tuple(_target(told, e, target) for e in lookup.engines))
        for target in Target if any((engine, target) in told for engine in lookup.engines)
    ]  # fmt: skip
    columns = tuple(Column(lookup.title(engine), numeric=False) for engine in lookup.engines)
    caption = "Which process is struck from outside"
    return Table("table-targets", caption, columns, tuple(rows), folded=True, heading="Target") if rows else None


def _target(told: dict[tuple[str, str], dict[str, str]], engine: str, target: str) -> Cell:
    row = told.get((engine, target))
    if row is None:
        return Cell(MISSING, numeric=False)
    return Cell(row["text"] if row["offered"] == "yes" else f"none: {row['text']}", numeric=False)

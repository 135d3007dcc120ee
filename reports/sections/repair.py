"""What people do after something went wrong, by each engine's own means, and what it takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bench.analyse.outcomes import with_runs
from bench.plan.scenarios import SCENARIOS
from bench.plan.scenarios.record import Scenario
from bench.questions.catalogue import metric as describe
from bench.questions.catalogue import subject
from bench.questions.metric import Scale
from reports.draw.heat import ABSENT, SYMBOLS, tone_of
from reports.read.lookup import Lookup
from reports.sections.section import Section, made, present
from reports.sections.tables import Cell, Column, Row, Table, cell
from reports.words.numbers import MISSING, listing, plural
from reports.words.ranking import Reading

TASKS = tuple(one for one in SCENARIOS.values() if one.remedy)
DAYS = {"missing": "missing", "twice": "done twice"}
SECONDS, LINES = Scale("s"), Scale("", whole=True)
COLUMNS = (
    Column("Task", numeric=False),
    Column("Outcome", numeric=False),
    Column("Time", "s"),
    Column("Done by people, or by their process manager", numeric=False),
    Column("Work done again", "s"),
    Column("Extra code", "lines"),
)


@dataclass(frozen=True, slots=True)
class _Place:
    lookup: Lookup
    task: Scenario
    engine: str
    track: str

    def reading(self, leaf: str) -> Reading | None:
        return self.lookup.reading(f"recovery.{self.task.key}.{leaf}", self.engine, self.track)


def section(lookup: Lookup) -> Section | None:
    """None if nobody did anything."""
    return present(made("repair", "What people can do", _sentence(lookup), tables=[_table(lookup)]))


def _places(lookup: Lookup) -> list[_Place]:
    """Those of which anything is known."""
    found = [
        _Place(lookup, task, engine, track)
        for track in lookup.tracks for task in TASKS for engine in lookup.engines
    ]  # fmt: skip
    return [place for place in found if place.reading("outcome")]


def _sentence(lookup: Lookup) -> str:
    """On the first track, what each engine has no means for."""
    first = [place for place in _places(lookup) if place.track == lookup.tracks[0]]
    said = []
    for engine in lookup.engines:
        own = [place for place in first if place.engine == engine]
        outcomes = {place.task.key: place.reading("outcome") for place in own}
        good = [n for n, r in outcomes.items() if r and r.outcomes and tone_of(n, *r.outcomes) == "good"]
        lacks = [subject(n).lower() for n, r in outcomes.items() if r and r.note.startswith("not supported")]
        if own:
            without = f", and has no means of its own for: {listing(lacks)}" if lacks else ""
            said.append(f"{lookup.title(engine)} does {len(good)} of {plural(len(own), 'task')} as it should{without}")
    return f"Each by the engine's own means, over its API. {'; '.join(said)}." if said else ""


def _table(lookup: Lookup) -> Table | None:
    """Without columns of which nothing is known."""
    places = _places(lookup)
    found = [tuple(_cells(place)) for place in places]
    told = [i for i in range(len(COLUMNS)) if any(cells[i].text != MISSING for cells in found)]
    rows = tuple(
        Row(place.engine, lookup.title(place.engine), place.track, tuple(cells[i] for i in told))
        for place, cells in zip(places, found, strict=True)
    )
    met = [reading for place in places for leaf in ("outcome", "recovery_s") if (reading := place.reading(leaf))]
    once = " One run each." if all(reading.n <= 1 for reading in met) else ""
    remark = f"Time: from what people do until the run is right, unless the task says otherwise.{once}"
    columns = tuple(COLUMNS[i] for i in told)
    return Table("table-repair", "Tasks, and what they take", columns, rows, remark) if rows else None


def _cells(place: _Place) -> Sequence[Cell]:
    task = Cell(place.task.title, note=place.task.since, numeric=False)
    outcome = place.reading("outcome")
    if outcome is None or not isinstance(outcome.value, str):
        note = outcome.note if outcome else ""
        said = next((word for word in ABSENT if note.startswith(word)), "not measured")
        why = note.removeprefix(f"{said}: ")
        return (
            task,
            Cell(f"{SYMBOLS['absent']} {said}", note=why, numeric=False),
            *(Cell(MISSING, numeric=one.numeric) for one in COLUMNS[2:]),
        )
    shown = Cell(
        f"{SYMBOLS[tone_of(place.task.key, *outcome.outcomes)]} {with_runs(outcome.outcomes)}",
        place.engine, outcome.value, note=_days(place), numeric=False,
    )  # fmt: skip
    return (
        task,
        shown,
        _value(place, place.task.counts, SECONDS),
        _value(place, "actions", LINES),
        _value(place, "wasted_s", SECONDS),
        _value(place, "extra_lines", LINES),
    )


def _value(place: _Place, leaf: str, scale: Scale) -> Cell:
    """Without marks, for what people take is not ranked; and without the notes of values."""
    reading = place.reading(leaf)
    if reading is None:
        return Cell(MISSING, numeric=leaf != "actions")
    shown = cell(reading, describe(f"recovery.{place.task.key}.{leaf}"), scale)
    return replace(shown, n=shown.n if shown.n > 1 else 0, mark="", note="" if reading.measured else shown.note)


def _days(place: _Place) -> str:
    """Days that a backfill missed or did twice."""
    said = []
    for leaf, what in DAYS.items():
        reading = place.reading(leaf)
        if reading and isinstance(reading.value, int | float) and reading.value:
            said.append(f"{plural(int(reading.value), 'day')} {what}: {reading.note}")
    return "; ".join(said)

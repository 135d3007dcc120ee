"""The heat map of recovery: what became of each broken run, beside what the documentation lets expect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from bench.analyse.outcomes import is_right, with_runs
from bench.judge.outcome import FAILED, HELPED
from bench.plan import sweep
from bench.plan.scenarios import GROUPS, SCENARIOS
from bench.questions.catalogue import subject
from reports.read.lookup import Lookup
from reports.words.ranking import Reading

Tone = Literal["good", "told", "wrong", "unknown", "absent"]
Agreement = Literal["as documented", "differs from the documentation", "nothing documented", ""]

OTHERS = "Others"
ONCE, UNLESS = "One run each:", "One run, unless a number of runs is said:"
NO_VERDICT = "what one engine did once. One run is no verdict by itself; the many together are compared below."
SYMBOLS: dict[Tone, str] = {"good": "✓", "told": "!", "wrong": "✗", "unknown": "?", "absent": "–"}
MEANINGS: dict[Tone, str] = {
    "good": "as it should be",
    "told": "failed, and shown as failed; or right with a client's help",
    "wrong": "lost, stuck, done twice, a request ignored, or its end misreported",
    "unknown": "cannot be told",
    "absent": "not there, not supported or not measured; the note says why",
}
ABSENT = ("not applicable", "not supported", "not run", "not struck")


@dataclass(frozen=True, slots=True)
class Heat:
    """One outcome."""

    key: str
    engine: str
    track: str
    tone: Tone
    symbol: str
    text: str
    note: str = ""
    agreement: Agreement = ""
    expected: str = ""
    source: str = ""
    struck: str = ""
    """What was really struck."""
    outcomes: tuple[str, ...] = ()
    """Those met, of any number of runs."""


@dataclass(frozen=True, slots=True)
class HeatRow:
    key: str
    title: str
    cells: tuple[Heat, ...]

    @property
    def differs(self) -> bool:
        return any(cell.agreement.startswith("differs") for cell in self.cells)


@dataclass(frozen=True, slots=True)
class HeatGroup:
    title: str
    rows: tuple[HeatRow, ...]


@dataclass(frozen=True, slots=True)
class HeatMap:
    columns: tuple[tuple[str, str, str], ...]
    """Engine, track, title of the engine."""
    groups: tuple[HeatGroup, ...]
    remark: str = ""

    @property
    def cells(self) -> tuple[Heat, ...]:
        return tuple(cell for group in self.groups for row in group.rows for cell in row.cells)

    @property
    def outside(self) -> bool:
        """Whether anything was struck from outside."""
        rows = (row.key for group in self.groups for row in group.rows)
        return any(SCENARIOS[key].nemesis for key in rows if key in SCENARIOS)

    @property
    def expecting(self) -> bool:
        """Whether documentation was looked up."""
        return any(cell.agreement for cell in self.cells)

    @property
    def legend(self) -> tuple[tuple[Tone, str, str], ...]:
        met = {cell.tone for cell in self.cells}
        return tuple((tone, symbol, MEANINGS[tone]) for tone, symbol in SYMBOLS.items() if tone in met)


def scenarios(lookup: Lookup) -> tuple[str, ...]:
    """The scenarios of which anything is known, in the order of their groups."""
    met = [topic for topic in lookup.topics("recovery") if topic != sweep.KEY]
    return (*(name for name in SCENARIOS if name in met), *(name for name in met if name not in SCENARIOS))


def heat_map(lookup: Lookup) -> HeatMap | None:
    """None if nothing was broken."""
    met = scenarios(lookup)
    tracks = _tracks(lookup)
    columns = tuple((engine, track, lookup.title(engine)) for track in tracks for engine in lookup.engines)
    if not met or not columns:
        return None
    groups = [(title, [one.key for one in group if one.key in met]) for title, group in GROUPS.items()]
    groups.append((OTHERS, [name for name in met if name not in SCENARIOS]))
    promised = {(row["engine"], row["scenario"]): row for row in lookup.result.manifest.expectations}
    return HeatMap(
        columns,
        tuple(
            HeatGroup(title, tuple(_row(lookup, name, columns, promised) for name in names))
            for title, names in groups
            if names
        ),
        _runs(lookup, met),
    )


def _runs(lookup: Lookup, names: Iterable[str]) -> str:
    """How many runs stand behind a cell, and that one decides nothing."""
    metrics = {f"recovery.{name}.outcome" for name in names}
    most = max((r.n for r in lookup.result.records if r.metric in metrics), default=0)
    return f"{ONCE if most < 2 else UNLESS} {NO_VERDICT}"


def _tracks(lookup: Lookup) -> tuple[str, ...]:
    """The tracks on which anything was broken."""
    met = {record.track for record in lookup.result.records if record.metric.startswith("recovery.")}
    return tuple(track for track in lookup.tracks if track in met)


def _row(
    lookup: Lookup,
    name: str,
    columns: Iterable[tuple[str, str, str]],
    promised: Mapping[tuple[str, str], dict[str, str]],
) -> HeatRow:
    cells = []
    for engine, track, _ in columns:
        reading = lookup.reading(f"recovery.{name}.outcome", engine, track)
        found = _heat(f"heat-{name}-{engine}-{track}", name, engine, track, reading)
        if reading is None:
            found = replace(found, note=_planned(lookup, name, engine, track))
        struck = lookup.reading(f"recovery.{name}.struck", engine, track)
        if struck and isinstance(struck.value, str):
            found = replace(found, struck=struck.value)
        cells.append(_expected(found, promised.get((engine, name)), track))
    return HeatRow(name, subject(name), tuple(cells))


def _heat(key: str, name: str, engine: str, track: str, reading: Reading | None) -> Heat:
    if reading is None or not isinstance(reading.value, str):
        note = reading.note if reading else ""
        said = next((word for word in ABSENT if note.startswith(word)), "not measured")
        return Heat(key, engine, track, "absent", SYMBOLS["absent"], said, note.removeprefix(f"{said}: "))
    tone = tone_of(name, *reading.outcomes)
    said = with_runs(reading.outcomes)
    return Heat(key, engine, track, tone, SYMBOLS[tone], said, reading.note, outcomes=tuple(reading.outcomes))


def _planned(lookup: Lookup, name: str, engine: str, track: str) -> str:
    """Why there is no record: what became of the cell that was planned for it."""
    found = [c for c in lookup.result.manifest.cells if c.name.endswith(f"{engine} {track}: recovery: {name}")]
    last = next((c for c in reversed(found) if c.state != "done"), None)
    said = last.state.replace("_", " ") if last else "not part of this result, or it had not come so far"
    return f"{said}: {last.reason}" if last and last.reason else said


def tone_of(name: str, *outcomes: str) -> Tone:
    """How good the worst outcome is, for what its scenario expects: to fail is right where the fault does not go away.

    What cannot be told hides nothing that can.
    """
    met = {_tone(name, outcome) for outcome in outcomes}
    return next(tone for tone in ("wrong", "told", "unknown", "good") if tone in met)


def _tone(name: str, outcome: str) -> Tone:
    if outcome == "indeterminate":
        return "unknown"
    if is_right(f"recovery.{name}.outcome", outcome):
        return "good"
    return "told" if outcome in (*FAILED, HELPED) else "wrong"


def _expected(found: Heat, row: Mapping[str, str] | None, track: str) -> Heat:
    """Expectations are those of tuned settings."""
    if row is None or found.tone == "absent" or track != "tuned":
        return found
    outcomes = [one for one in row["outcomes"].split("; ") if one]
    agreement: Agreement = "nothing documented"
    if outcomes:
        agreement = "as documented" if set(found.outcomes) <= set(outcomes) else "differs from the documentation"
    return replace(found, agreement=agreement, expected=row["text"], source=row["source"])

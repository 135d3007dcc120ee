"""Kill points: how often a run comes through, and what became of it at each point."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from bench.sweep import MOMENTS, TARGETS
from reports import charts, figures
from reports.catalogue import metric as describe
from reports.charts import Figure
from reports.compare import Reading
from reports.heat import SEVERAL, SWEEP, SYMBOLS, tone_of
from reports.lookup import Case, Lookup
from reports.numbers import MISSING, Scale, listing, plural, with_unit
from reports.section import Section, made, present
from reports.tables import Cell, Column, Row, Table, cell

PERCENT = Scale("%", 100.0, whole=True)
PROPORTIONS = {
    "completed": "Completed by itself",
    "correct": "Right artifacts",
    "effect_once": "Effect exactly once",
}
OUTCOME = f"recovery.{SWEEP}.outcome"
MOMENT_ORDER = tuple(str(moment) for moment in MOMENTS)
TARGET_ORDER = tuple(str(target) for target in TARGETS)


def section(lookup: Lookup) -> Section | None:
    """None if no point was struck."""
    tables = [_proportions(lookup), *_matrices(lookup), _points(lookup)]
    return present(made("sweep", "Kill points", _sentence(lookup), figures=[_shares(lookup)], tables=tables))


def _sentence(lookup: Lookup) -> str:
    """For each engine, at how many points its run came through."""
    said = []
    for track, engine, (completed, *_) in _arms(lookup):
        if completed and isinstance(completed.value, int | float):
            through = round(completed.value * completed.n)
            said.append(f"{_arm(lookup, engine, track)}: {through} of {plural(completed.n, 'point')}")
    lead = (
        "One part was killed at one point of a run, at points drawn by the result's seed: the parts in turn, each at "
        "starts and middles of steps"
    )
    return f"{lead}. Runs that then completed by themselves: {'; '.join(said) or 'none'}."


def _arm(lookup: Lookup, engine: str, track: str) -> str:
    """The track goes without saying where points were struck on one alone."""
    tracks = {record.track for record in lookup.result.records if record.metric == OUTCOME}
    return figures.arm_title(lookup, engine, track if len(tracks) > 1 else "none")


def _outcomes(lookup: Lookup, engine: str, track: str) -> Iterable[tuple[Case, str]]:
    for case in lookup.cases(OUTCOME):
        reading = lookup.reading(OUTCOME, engine, track, case=case)
        if reading and isinstance(reading.value, str):
            yield case, reading.value


def _arms(lookup: Lookup) -> list[tuple[str, str, list[Reading | None]]]:
    arms = [
        (track, engine, [lookup.reading(f"recovery.{SWEEP}.{leaf}", engine, track) for leaf in PROPORTIONS])
        for track in lookup.tracks for engine in lookup.engines
    ]  # fmt: skip
    return [arm for arm in arms if any(reading and reading.measured for reading in arm[2])]


def _proportions(lookup: Lookup) -> Table | None:
    rows = []
    for track, engine, found in _arms(lookup):
        cells = tuple(
            cell(r, replace(describe(f"recovery.{SWEEP}.{leaf}"), kind="info"), PERCENT)
            for leaf, r in zip(PROPORTIONS, found, strict=True)
        )
        rows.append(Row(engine, lookup.title(engine), track, tuple(replace(c, isolation="", note="") for c in cells)))
    columns = tuple(Column(title, "%") for title in PROPORTIONS.values())
    remark = "Below each share its 95 % interval (Wilson's) and the number of points."
    return Table("table-sweep", "Share of kill points", columns, tuple(rows), remark) if rows else None


def _shares(lookup: Lookup) -> Figure | None:
    rows = [_share(lookup, engine, track, leaf, reading)
            for track, engine, found in _arms(lookup) for leaf, reading in zip(PROPORTIONS, found, strict=True)
            if reading and isinstance(reading.value, int | float)]  # fmt: skip
    if not rows:
        return None
    firsts = [row for row in rows if row["panel"] == PROPORTIONS["completed"]]
    title = "Completed by itself: " + listing(f"{row['arm']} {row['shown']}" for row in firsts)
    caption = "Mark: the share of kill points. Line: 95 % interval (Wilson's)."
    return charts.figure("figure-sweep", title, charts.shares(rows, figures.palette(lookup)), rows, caption)


def _share(lookup: Lookup, engine: str, track: str, leaf: str, reading: Reading) -> dict[str, Any]:
    value = float(reading.value) if isinstance(reading.value, int | float) else 0.0
    low, high = (None if end is None else round(100 * end, 2) for end in (reading.low, reading.high))
    return {"engine": engine, "track": track, "arm": _arm(lookup, engine, track),
            "panel": PROPORTIONS[leaf], "value": round(100 * value, 2), "low": low, "high": high,
            "shown": with_unit(f"{100 * value:.0f}", "%"), "about": plural(reading.n, "point")}  # fmt: skip


def _matrices(lookup: Lookup) -> Iterable[Table]:
    """For each track: target and engine as rows, points of the history as columns."""
    for track in lookup.tracks:
        found = {
            (engine, _target(case), str(case.params.get("at", ""))): outcome
            for engine in lookup.engines for case, outcome in _outcomes(lookup, engine, track)
        }  # fmt: skip
        if found:
            yield _matrix(lookup, track, found)


def _target(case: Case) -> str:
    """What was done to what; killing goes without saying."""
    return " ".join(str(case.params[key]) for key in ("action", "target") if key in case.params)


def _matrix(lookup: Lookup, track: str, found: dict[tuple[str, str, str], str]) -> Table:
    targets, moments = (
        _in_order([t for _, t, _ in found], TARGET_ORDER),
        _in_order([at for *_, at in found], MOMENT_ORDER),
    )
    absent = {
        (row["engine"], row["target"]): row["text"] for row in lookup.result.manifest.targets if row["offered"] == "no"
    }
    rows = []
    for target in targets:
        for engine in lookup.engines:
            cells = [_outcome(found.get((engine, target, at))) for at in moments]
            note = f"not applicable: {absent[engine, target]}" if (engine, target) in absent else ""
            shown = (Cell(target.replace("_", " "), note=note, numeric=False), *cells)
            rows.append(Row(engine, lookup.title(engine), "", shown))
    columns = (Column("Killed", numeric=False), *(Column(at, numeric=False) for at in moments))
    caption = "What became of the run, by what was killed and when" + (f", {track}" if len(lookup.tracks) > 1 else "")
    remark = f"{SYMBOLS['good']} completed, by itself; anything else is named. Empty: this point was not drawn."
    return Table(f"table-points-{track}", caption, columns, tuple(rows), remark)


def _in_order(met: Iterable[str], known: Sequence[str]) -> list[str]:
    return sorted(set(met), key=lambda one: (known.index(one) if one in known else len(known), one))


def _outcome(outcome: str | None) -> Cell:
    if outcome is None:
        return Cell("", numeric=False)
    good = tone_of(SWEEP, outcome) == "good"
    return Cell(SYMBOLS["good"] if good else _signed(outcome), sort=outcome, numeric=False)


def _signed(outcome: str) -> str:
    """With its sign; several outcomes, of a step that was struck at several instants, have none."""
    return outcome if SEVERAL in outcome else f"{SYMBOLS[tone_of(SWEEP, outcome)]} {outcome}"


def _points(lookup: Lookup) -> Table | None:
    """Every point in words: target and moment as rows, engines as columns."""
    rows = []
    for track in lookup.tracks:
        for case in sorted(lookup.cases(OUTCOME), key=_place):
            found = [lookup.reading(OUTCOME, engine, track, case=case) for engine in lookup.engines]
            if any(found):
                title = f"{_target(case)} {case.params.get('at', '')}".replace("_", " ")
                rows.append(Row("", title, track, tuple(_point(reading) for reading in found)))
    columns = tuple(Column(lookup.title(engine), numeric=False) for engine in lookup.engines)
    if not rows:
        return None
    return Table("table-points", "Every kill point, in words", columns, tuple(rows), folded=True, heading="Killed")


def _place(case: Case) -> tuple[int, int, str]:
    target, at = str(case.params.get("target", "")), str(case.params.get("at", ""))
    return (
        TARGET_ORDER.index(target) if target in TARGET_ORDER else len(TARGET_ORDER),
        MOMENT_ORDER.index(at) if at in MOMENT_ORDER else len(MOMENT_ORDER),
        _target(case),
    )


def _point(reading: Reading | None) -> Cell:
    if reading is None:
        return Cell("not drawn", numeric=False)
    if not isinstance(reading.value, str):
        return Cell(MISSING, note=reading.note, numeric=False)
    return Cell(_signed(reading.value), reading.engine, reading.value, numeric=False)

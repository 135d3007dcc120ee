"""Kill points: how often a run comes through, and what became of it at each point."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from bench.analyse.outcomes import Counts, with_runs
from bench.analyse.summary import PROPORTION
from bench.plan.sweep import KEY, TARGETS, TITLE, moments
from bench.questions.catalogue import metric as describe
from bench.questions.metric import Scale
from core.declaration import pipelines
from reports.draw import charts, figures
from reports.draw.charts import Figure
from reports.draw.heat import MEANINGS, SYMBOLS, tone_of
from reports.read.lookup import Lookup, Scope
from reports.sections.section import Section, made, present
from reports.sections.tables import Cell, Column, Row, Table, cell
from reports.words.numbers import MISSING, listing, plural, with_unit
from reports.words.ranking import Reading

PERCENT = Scale("%", 100.0, whole=True)
PROPORTIONS = {
    "completed": "Came right by itself",
    "correct": "Right artifacts",
    "effect_once": "Effect exactly once",
}
UNLIKE = "Engines have unlike parts, so their totals are of unlike points: compare them part by part."
OUTCOME = f"recovery.{KEY}.outcome"
TARGET_ORDER = tuple(str(target) for target in TARGETS)


def section(lookup: Lookup) -> Section | None:
    """None if no point was struck."""
    tables = [_proportions(lookup), *_by_target(lookup), *_matrices(lookup), _points(lookup)]
    return present(made(KEY, TITLE, _sentence(lookup), figures=[_shares(lookup)], tables=tables))


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
    return f"{lead}. Runs that then came right by themselves: {'; '.join(said) or 'none'}. {UNLIKE}"


def _arm(lookup: Lookup, engine: str, track: str) -> str:
    """The track goes without saying where points were struck on one alone."""
    tracks = {record.track for record in lookup.result.records if record.metric == OUTCOME}
    return figures.arm_title(lookup, engine, track if len(tracks) > 1 else "none")


def _arms(lookup: Lookup) -> list[tuple[str, str, list[Reading | None]]]:
    arms = [
        (track, engine, [lookup.reading(f"recovery.{KEY}.{leaf}", engine, track) for leaf in PROPORTIONS])
        for track in lookup.tracks for engine in lookup.engines
    ]  # fmt: skip
    return [arm for arm in arms if any(reading and reading.measured for reading in arm[2])]


def _proportions(lookup: Lookup) -> Table | None:
    rows = []
    for track, engine, found in _arms(lookup):
        cells = tuple(
            cell(r, replace(describe(f"recovery.{KEY}.{leaf}"), kind="info", unit=PROPORTION), PERCENT)
            for leaf, r in zip(PROPORTIONS, found, strict=True)
        )
        rows.append(Row(engine, lookup.title(engine), track, tuple(replace(c, isolation="", note="") for c in cells)))
    columns = tuple(Column(title, "%") for title in PROPORTIONS.values())
    remark = (
        "Below each share its 95 % interval (Wilson's) and the number of points. Came right: completed, with nothing "
        "done twice. Not exactly once is twice, or never where the run failed before it came to that."
    )
    return Table("table-sweep", "Share of kill points", columns, tuple(rows), remark) if rows else None


def _shares(lookup: Lookup) -> Figure | None:
    rows = [_share(lookup, engine, track, leaf, reading)
            for track, engine, found in _arms(lookup) for leaf, reading in zip(PROPORTIONS, found, strict=True)
            if reading and isinstance(reading.value, int | float)]  # fmt: skip
    if not rows:
        return None
    firsts = [row for row in rows if row["panel"] == PROPORTIONS["completed"]]
    title = "Came right by itself: " + listing(f"{row['arm']} {row['shown']}" for row in firsts)
    caption = f"Mark: the share of kill points. Line: 95 % interval (Wilson's). {UNLIKE}"
    return charts.figure("figure-sweep", title, charts.shares(rows, figures.palette(lookup)), rows, caption)


def _share(lookup: Lookup, engine: str, track: str, leaf: str, reading: Reading) -> dict[str, Any]:
    value = float(reading.value) if isinstance(reading.value, int | float) else 0.0
    low, high = (None if end is None else round(100 * end, 2) for end in (reading.low, reading.high))
    return {"engine": engine, "track": track, "arm": _arm(lookup, engine, track),
            "panel": PROPORTIONS[leaf], "value": round(100 * value, 2), "low": low, "high": high,
            "shown": with_unit(f"{100 * value:.0f}", "%"), "about": plural(reading.n, "point")}  # fmt: skip


Place = tuple[str, str, str]
"""Engine, what was killed, and when."""


def _outcomes_by_place(lookup: Lookup, track: str) -> dict[Place, list[str]]:
    """The outcome of every point that was struck."""
    found: dict[Place, list[str]] = {}
    for one in lookup.result.samples:
        if one.metric == OUTCOME and one.track == track and isinstance(one.value, str):
            place = (one.engine, _target(one.params), str(one.params.get("at", "")))
            found.setdefault(place, []).append(one.value)
    return found


def _by_target(lookup: Lookup) -> Iterable[Table]:
    """For each track: how many runs came right, by what was killed."""
    for track in lookup.tracks:
        found = _outcomes_by_place(lookup, track)
        rows = [
            Row("", target.replace("_", " "), "", tuple(_came_right(lookup, found, e, target) for e in lookup.engines))
            for target in _in_order((target for _, target, _ in found), TARGET_ORDER)
        ]
        columns = tuple(Column(lookup.title(engine), numeric=False) for engine in lookup.engines)
        caption = "Came right by itself, by what was killed" + _on(lookup, track)
        if rows:
            yield Table(f"table-by-target-{track}", caption, columns, tuple(rows), heading="Killed")


def _came_right(lookup: Lookup, found: dict[Place, list[str]], engine: str, target: str) -> Cell:
    outcomes = [one for place, told in found.items() if place[:2] == (engine, target) for one in told]
    good = sum(tone_of(KEY, one) == "good" for one in outcomes)
    if outcomes:
        return Cell(f"{good} of {len(outcomes)}", sort=str(good / len(outcomes)), numeric=False)
    return Cell(MISSING, note=_absent(lookup).get((engine, target), ""), numeric=False)


def _absent(lookup: Lookup) -> dict[tuple[str, str], str]:
    """Engine and target -> why it has none."""
    told = lookup.result.manifest.targets
    return {(row["engine"], row["target"]): row["text"] for row in told if row["offered"] == "no"}


def _on(lookup: Lookup, track: str) -> str:
    return f", {track}" if len(lookup.tracks) > 1 else ""


def _target(params: Mapping[str, Any]) -> str:
    """What was done to what; killing goes without saying."""
    return " ".join(str(params[key]) for key in ("action", "target") if key in params)


def _matrices(lookup: Lookup) -> Iterable[Table]:
    """For each track: target and engine as rows, points of the history as columns."""
    for track in lookup.tracks:
        if found := _outcomes_by_place(lookup, track):
            yield _matrix(lookup, track, found)


def _matrix(lookup: Lookup, track: str, found: dict[Place, list[str]]) -> Table:
    targets = _in_order((target for _, target, _ in found), TARGET_ORDER)
    at_all = _in_order((at for *_, at in found), _moments(lookup))
    rows = [
        Row(engine, lookup.title(engine), "", (
            Cell(target.replace("_", " "), numeric=False),
            *(_symbols(found.get((engine, target, at), [])) for at in at_all),
        ))
        for target in targets for engine in lookup.engines if (engine, target) not in _absent(lookup)
    ]  # fmt: skip
    columns = (Column("Killed", numeric=False), *(Column(at, numeric=False) for at in at_all))
    caption = "What became of the run, by what was killed and when" + _on(lookup, track)
    met = {tone_of(KEY, one) for told in found.values() for one in told}
    meanings = (f"{SYMBOLS[tone]} {MEANINGS[tone]}" for tone in SYMBOLS if tone in met)
    remark = f"{'; '.join(meanings)}. Empty: this point was not drawn. In words below."
    return Table(f"table-points-{track}", caption, columns, tuple(rows), remark)


def _moments(lookup: Lookup) -> tuple[str, ...]:
    """Points in the order in which runs come to them, of those pipelines that are known here."""
    known = {one.name: one for one in pipelines()}
    met = [one for one in lookup.result.samples if one.metric == OUTCOME]
    steps = [str(one.params.get("at", "")).rpartition(" ")[2] for one in met]
    graphs = [known[name].graph({}) for name in dict.fromkeys(one.pipeline for one in met) if name in known]
    found = (moments(graph, [*(step.name for step in graph), *steps]) for graph in graphs)
    return tuple(str(moment) for each in found for moment in each)


def _symbols(outcomes: Sequence[str]) -> Cell:
    """A step that was struck at several instants has several."""
    signs = Counter(SYMBOLS[tone_of(KEY, one)] for one in outcomes)
    text = " ".join(f"{times if times > 1 else ''}{sign}" for sign, times in signs.items())
    return Cell(text, sort="".join(sorted(signs)), numeric=False)


def _in_order(met: Iterable[str], known: Sequence[str]) -> list[str]:
    return sorted(set(met), key=lambda one: (known.index(one) if one in known else len(known), one))


def _signed(outcomes: Counts) -> str:
    """With the sign of the worst, where a step was struck at several instants."""
    return f"{SYMBOLS[tone_of(KEY, *outcomes)]} {with_runs(outcomes)}"


def _points(lookup: Lookup) -> Table | None:
    """Every point in words: target and moment as rows, engines as columns."""
    rows = []
    for track in lookup.tracks:
        for scope in sorted(lookup.scopes(OUTCOME), key=partial(_place, order=_moments(lookup))):
            found = [lookup.reading(OUTCOME, engine, track, scope=scope) for engine in lookup.engines]
            if any(found):
                title = f"{_target(scope.params)} {scope.params.get('at', '')}".replace("_", " ")
                absent = [(one, str(scope.params.get("target", ""))) in _absent(lookup) for one in lookup.engines]
                rows.append(Row("", title, track, tuple(map(_point, found, absent))))
    columns = tuple(Column(lookup.title(engine), numeric=False) for engine in lookup.engines)
    if not rows:
        return None
    return Table("table-points", "Every kill point, in words", columns, tuple(rows), folded=True, heading="Killed")


def _place(scope: Scope, order: Sequence[str]) -> tuple[int, int, str]:
    target, at = str(scope.params.get("target", "")), str(scope.params.get("at", ""))
    return (
        TARGET_ORDER.index(target) if target in TARGET_ORDER else len(TARGET_ORDER),
        order.index(at) if at in order else len(order),
        _target(scope.params),
    )


def _point(reading: Reading | None, absent: bool) -> Cell:
    if reading is None:
        return Cell("no such process" if absent else "not drawn", numeric=False)
    if not isinstance(reading.value, str):
        return Cell(MISSING, note=reading.note, numeric=False)
    return Cell(_signed(reading.outcomes), reading.engine, reading.value, numeric=False)

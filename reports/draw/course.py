"""Draws what happened in each scenario: the engines below one another, on the same scale of time."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from bench.contract.records import Run, Sample
from bench.plan.scenarios import SCENARIOS
from bench.questions.catalogue import subject
from reports.draw.heat import Heat, HeatMap
from reports.draw.timeline import Bar, Timeline, timeline
from reports.read.lookup import Lookup
from reports.words.numbers import number, with_unit

LEFT, RIGHT, TOP, ROW, BAR = 104.0, 700.0, 16.0, 14.0, 9.0
"""In units of the drawing: where time begins and ends, where the first row is, height of a row and of a bar."""
LEAST, GAP = 1.5, 0.4
TICKS = 6
NICE = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600)
BY_PEOPLE = frozenset(one.key for one in SCENARIOS.values() if one.remedy)
LIMIT = "> "
MarkKind = Literal["fault", "asked", "seen", "right", "end", "limit"]


@dataclass(frozen=True, slots=True)
class Box:
    """A bar of an attempt, or the band of a strike; `sign` stands at its end."""

    x: float
    y: float
    width: float
    kind: str
    about: str
    sign: str = ""
    height: float = BAR


@dataclass(frozen=True, slots=True)
class Mark:
    x: float
    y: float
    kind: MarkKind
    about: str


@dataclass(frozen=True, slots=True)
class Course:
    """What happened on one engine, in units of the drawing."""

    engine: str
    title: str
    heat: Heat
    said: str
    height: float
    steps: tuple[tuple[str, float], ...]
    bands: tuple[Box, ...]
    bars: tuple[Box, ...]
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Courses:
    """One scenario."""

    key: str
    title: str
    ticks: tuple[tuple[str, float], ...]
    courses: tuple[Course, ...]


@dataclass(frozen=True, slots=True)
class _Seen:
    """A timeline, with what was measured in that very run, in seconds since its start."""

    heat: Heat
    line: Timeline
    seen_s: float | None
    right_s: float | None
    limit_s: float | None

    @property
    def span_s(self) -> float:
        return max(self.line.last_s, self.seen_s or 0, self.right_s or 0, self.limit_s or 0, 1.0)


def courses(lookup: Lookup, heat: HeatMap | None) -> tuple[Courses, ...]:
    """Every scenario of which a journal was kept, in the heat map's order. Of several sessions the first is drawn."""
    rows = [row for group in heat.groups for row in group.rows] if heat else []
    found = ((row, [one for cell in row.cells if (one := _seen(lookup, row.key, cell))]) for row in rows)
    return tuple(_drawn(lookup, row.key, seen) for row, seen in found if seen)


def _seen(lookup: Lookup, scenario: str, cell: Heat) -> _Seen | None:
    if cell.tone == "absent":
        return None
    samples = {s.metric.rpartition(".")[2]: s for s in reversed(_samples(lookup, scenario, cell))}
    runs = _runs(lookup, scenario, cell, samples.get("outcome"))
    ids = list(dict.fromkeys(run.run_id for run in runs))
    journals = [lookup.result.journals.get(name, []) for name in ids]
    limit = _limit(samples.values())
    strikes = [one for one in lookup.result.strikes if one.run_id in ids]
    line = timeline(runs, journals, strikes, limit, _number(samples.get("gone_s")), order=_steps(lookup, runs))
    if line is None:
        return None
    since = None if scenario in BY_PEOPLE else line.struck_s
    seen, right = (_after(since, samples.get(leaf)) for leaf in ("detection_s", "recovery_s"))
    return _Seen(cell, line, seen, right, line.submit_s + limit if limit else None)


def _steps(lookup: Lookup, runs: Iterable[Run]) -> list[str]:
    """Of the pipelines that ran, in their order."""
    ran = {run.pipeline for run in runs}
    return [step for one in lookup.result.manifest.pipelines if one.name in ran for step in one.steps]


def _samples(lookup: Lookup, scenario: str, cell: Heat) -> list[Sample]:
    """Of the first session."""
    ours = [
        s for s in lookup.result.samples
        if s.metric.startswith(f"recovery.{scenario}.") and (s.engine, s.track) == (cell.engine, cell.track)
    ]  # fmt: skip
    return [s for s in ours if s.session == ours[0].session]


def _runs(lookup: Lookup, scenario: str, cell: Heat, outcome: Sample | None) -> list[Run]:
    """All that belong to the run that was judged: it itself, resumed, and that which failed before it."""
    ours = [
        run for run in lookup.result.runs
        if run.scenario == scenario and (run.engine, run.track) == (cell.engine, cell.track) and not run.warm_up
    ]  # fmt: skip
    judged = next((run for run in ours if outcome and run.run_id == outcome.run_id), None)
    session = judged.session if judged else ours[-1].session if ours else 0
    same = [run for run in ours if run.session == session]
    return same if judged is None or scenario in BY_PEOPLE else [run for run in same if run.run_id == judged.run_id]


def _number(sample: Sample | None) -> float | None:
    return float(sample.value) if sample and isinstance(sample.value, int | float) else None


def _after(since: float | None, sample: Sample | None) -> float | None:
    seconds = _number(sample)
    return None if since is None or seconds is None else since + seconds


def _limit(samples: Iterable[Sample]) -> float | None:
    """How long a run was waited for that never ended, as the notes say it."""
    notes = [s.note for s in samples if s.value is None and s.metric.endswith("recovery_s")]
    found = [note.removeprefix(LIMIT).removesuffix(" s") for note in notes if note.startswith(LIMIT)]
    return next((float(text) for text in found if text.isdecimal()), None)


def _drawn(lookup: Lookup, scenario: str, seen: list[_Seen]) -> Courses:
    span = max(one.span_s for one in seen)
    scale = (RIGHT - LEFT) / span
    step = next((step for step in NICE if span / step <= TICKS), span / TICKS)
    ticks = [number(step * i) for i in range(math.floor(span / step) + 1)]
    return Courses(
        f"course-{scenario}",
        subject(scenario),
        tuple((text, _x(step * i, scale)) for i, text in enumerate(ticks)),
        tuple(_course(lookup, one, scale) for one in seen),
    )


def _x(seconds: float, scale: float) -> float:
    return round(LEFT + max(0.0, seconds) * scale, 1)


def _course(lookup: Lookup, one: _Seen, scale: float) -> Course:
    line = one.line
    rows = {step: TOP + ROW * i for i, step in enumerate(line.steps)}
    return Course(
        one.heat.engine,
        lookup.title(one.heat.engine),
        one.heat,
        _said(one),
        TOP + ROW * len(rows),
        tuple((step, y + BAR - 1) for step, y in rows.items()),
        tuple(
            Box(_x(b.start_s, scale), 0, _width(b.start_s, b.end_s, scale), "band", f"{b.what}, {_span(b)}")
            for b in line.bands
        ),
        tuple(_box(bar, rows[bar.step], _lane(bar, line.bars), scale) for bar in line.bars),
        tuple(_marks(one, rows, scale)),
    )


SIGNS = {"ended": "", "error": "!", "killed": "×", "open": ""}


def _lane(bar: Bar, bars: Iterable[Bar]) -> tuple[int, int]:
    """Which of how many lanes of its row: a step that ran twice at once has two."""
    others = [one for one in bars if one.step == bar.step]
    at_once = any(one.start_s < other.end_s and other.start_s < one.end_s for one, other in combinations(others, 2))
    return (others.index(bar) % 2, 2) if at_once else (0, 1)


def _box(bar: Bar, y: float, lane: tuple[int, int], scale: float) -> Box:
    place, lanes = lane
    about = f"{bar.step}, attempt {bar.attempt}, {bar.how}, {_span(bar)}"
    height = BAR if lanes == 1 else BAR / lanes - GAP
    width = _width(bar.start_s, bar.end_s, scale)
    return Box(
        _x(bar.start_s, scale), y + place * (height + 2 * GAP), width, bar.how, about, SIGNS[bar.how], round(height, 2)
    )


def _width(start_s: float, end_s: float, scale: float) -> float:
    return max(LEAST, round((end_s - start_s) * scale, 1))


def _span(one: object) -> str:
    start, end = getattr(one, "start_s", 0.0), getattr(one, "end_s", 0.0)
    return f"{start:.2f} to {end:.2f} s"


def _marks(one: _Seen, rows: dict[str, float], scale: float) -> Iterable[Mark]:
    for point in one.line.points:
        yield Mark(
            _x(point.at_s, scale), rows[point.step] + BAR / 2, "fault", f"fault: {point.what}, {point.at_s:.2f} s"
        )
    lanes: list[tuple[MarkKind, float | None, str]] = [
        ("seen", one.seen_s, "in the engine's own record"),
        ("right", one.right_s, "right again"),
        ("limit", one.limit_s, "given up"),
    ]
    lanes += [("end", end, "the engine's terminal state") for end in one.line.ends]
    lanes += [("asked", at, "people act") for at in one.line.asked]
    for kind, at, what in lanes:
        if at is not None:
            yield Mark(_x(at, scale), TOP / 2, kind, f"{what}, {at:.2f} s")


def _said(one: _Seen) -> str:
    """The marks in words."""
    line = one.line
    inside = not line.bands and line.points
    told = [f"{band.what} at {_seconds(band.start_s)}" for band in line.bands]
    told += [f"fault at {_seconds(line.points[0].at_s)}"] if inside else []
    told += [f"{what} at {_seconds(at)}" for what, at in (("seen", one.seen_s), ("right again", one.right_s)) if at]
    later = [*((end, "terminal state") for end in line.ends), *((at, "people act") for at in line.asked)]
    told += [f"{what} at {_seconds(at)}" for at, what in sorted(later)]
    told += [f"given up at {_seconds(one.limit_s)}"] if one.limit_s else []
    return ", ".join(told)


def _seconds(value: float) -> str:
    return with_unit(number(value, whole=False), "s")

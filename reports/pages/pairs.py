"""Results, arms or tracks side by side, as a reader meets them: every metric with its change and verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from bench.analyse.change import Change, change
from bench.analyse.comparability import BASELINE, incomparable, remarks
from bench.analyse.noise import noise_floor
from bench.analyse.sides import Identity, Measured, Side, Values
from bench.analyse.summary import PROPORTION
from bench.analyse.tell_apart import Difference, tell_apart, worse_by
from bench.questions.catalogue import metric as describe
from bench.questions.metric import Metric, Scale
from reports.pages.wording import PERCENT, Names, common_scale, identity_order, title, value_text, where
from reports.words.numbers import MINUS, number, plural, scaled, with_unit

ONLY_IN = "only in"
TO = "\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}"
MAKESPAN = "runtime.makespan_s"

MOST_MISSING = 5
"""So many values of a family are named one by one where they are gone."""


@dataclass(frozen=True, slots=True)
class Row:
    """One metric at one place, in words. `worse_by` is in percent of the reference."""

    place: Identity
    title: str
    where: str
    before: str
    after: str
    sessions: str
    """How many gave a value on each side."""
    change: str
    interval: str
    detectable: str
    """The smallest ratio that this comparison would have shown."""
    verdict: Difference
    note: str = ""
    worse_by: float = 0.0

    @property
    def said(self) -> str:
        """The verdict in full: the word, its turn, and why it is no more."""
        more = "; ".join(filter(None, (self.verdict.turn, self.verdict.why)))
        return f"{self.verdict.word} ({more})" if more else self.verdict.word


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of one engine; the title has its versions on both sides."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """The reference and one other side."""

    before: Side
    after: Side
    floor: float
    groups: tuple[Group, ...]
    reasons: tuple[str, ...] = ()
    """Why the two are not comparable; not empty only where that was forced."""
    remarks: tuple[str, ...] = ()
    paired: bool = False

    @property
    def rows(self) -> tuple[Row, ...]:
        return tuple(row for group in self.groups for row in group.rows)

    @property
    def tally(self) -> str:
        """How many rows there are of each verdict, the most common first."""
        words = Counter(f"{r.verdict.word} ({r.verdict.turn})" if r.verdict.turn else r.verdict.word for r in self.rows)
        return f"{plural(len(self.rows), 'value')}: {', '.join(f'{n} {word}' for word, n in words.most_common())}"

    def regressions(self, percent: float) -> list[Row]:
        """Rows that are worse by more than so many percent of the reference, told apart from noise."""
        return [row for row in self.rows if row.worse_by > percent]

    def missing(self) -> list[str]:
        """What only the reference has values of: whole engines, else whole arms, else single metrics,
        or where they are many their family."""
        had, have = (
            {place for place, held in side.values.items() if held.record.value is not None}
            for side in (self.before, self.after)
        )
        lost = [row for row in self.rows if row.place in had - have and not row.worse_by]
        engines, arms = {place.engine for place in have}, {place[:3] for place in have}
        families = Counter((row.place.engine, row.place.metric.partition(".")[0]) for row in lost)
        return list(dict.fromkeys(_lost(row, engines, arms, families) for row in lost))


def between_results(results: Sequence[Measured], sides: Sequence[Side], metrics: Sequence[str] = ()) -> list[Pair]:
    """Each result against the first. `metrics`: only those whose names start so."""
    (first, *others), (reference, *compared) = results, sides
    return [
        pair(
            reference, side, max(noise_floor(r.records) or 1.0 for r in (first, one)), metrics=metrics,
            names=Names.of(first.manifest, one.manifest), reasons=incomparable(first.manifest, one.manifest),
            said=remarks(first.manifest, one.manifest, (reference.label, side.label)),
        )
        for one, side in zip(others, compared, strict=True)
    ]  # fmt: skip


def within_result(result: Measured, sides: Sequence[Side], metrics: Sequence[str] = ()) -> list[Pair]:
    """Each arm or track of one result against the first, paired by block."""
    floor = noise_floor(result.records) or 1.0
    reference, *others = sides
    return [
        pair(reference, one, floor, names=Names.of(result.manifest), metrics=metrics, paired=True) for one in others
    ]


def pair(
    before: Side,
    after: Side,
    floor: float,
    *,
    names: Names,
    metrics: Sequence[str] = (),
    paired: bool = False,
    reasons: Iterable[str] = (),
    said: Iterable[str] = (),
) -> Pair:
    """Compare all that either side holds; differences under the ratio `floor` are ties."""
    places = sorted(
        (p for p in before.values.keys() | after.values.keys() if p.metric.startswith(tuple(metrics) or "")),
        key=identity_order,
    )
    rows = [_row(place, before, after, floor, names, paired=paired) for place in places]
    rows.sort(key=lambda row: row.verdict.word.startswith(ONLY_IN))
    groups = tuple(
        Group(_heading(engine, before, after, names), tuple(row for row in rows if row.place.engine == engine))
        for engine in dict.fromkeys(place.engine for place in places)
    )
    return Pair(before, after, floor, groups, tuple(reasons), (*said, *_of_baseline(before, after)), paired)


def _row(place: Identity, before: Side, after: Side, floor: float, names: Names, *, paired: bool) -> Row:
    one, other = before.values.get(place), after.values.get(place)
    metric = _described(place, one, other)
    scale = common_scale(metric, (one, other))
    about = place, title(metric), where(place, names), value_text(one, metric, scale), value_text(other, metric, scale)
    if one is None or other is None:
        there = before if one else after
        return Row(*about, "", "", "", "", Difference(f"{ONLY_IN} {there.label}"), _note(one, other, before, after))
    verdict = tell_apart(one, other, metric, floor=floor, paired=paired)
    shown = ("", "", "") if metric.unit == "boolean" or verdict.word == "same" else _change_text(verdict.change, scale)
    sessions = f"{one.record.n},\N{NO-BREAK SPACE}{other.record.n}"
    return Row(*about, sessions, *shown, verdict, _note(one, other, before, after), worse_by(verdict, one, metric))


def _lost(row: Row, engines: set[str], arms: Collection[tuple[str, ...]], families: Counter[tuple[str, str]]) -> str:
    place = row.place
    if place.engine not in engines:
        return place.engine
    if place[:3] not in arms:
        return " ".join(filter(None, (place.engine, place.track, place.mode)))
    family = place.metric.partition(".")[0]
    if (many := families[place.engine, family]) > MOST_MISSING:
        return f"{place.engine} {family}, {many} values"
    return " ".join(filter(None, (place.engine, place.metric, row.where)))


def _described(place: Identity, *sides: Values | None) -> Metric:
    """As the catalogue has it; what was measured as a share of trials is one, whatever its leaf is elsewhere."""
    metric = describe(place.metric)
    if any(side and side.record.unit == PROPORTION for side in sides):
        return replace(metric, kind="info", unit=PROPORTION, scale=PERCENT)
    return metric


def _change_text(found: Change | None, scale: Scale) -> tuple[str, str, str]:
    """The change, its interval, and what would have shown; a difference has its sign."""
    if found is None:
        return "", "", ""

    def show(value: float) -> str:
        if found.scale == "ratio":
            return f"{number(value, whole=False)}×"
        sign = MINUS if value < 0 else "+" if value > 0 else ""
        return with_unit(sign + scaled(abs(value), scale), "points" if scale == PERCENT else scale.unit)

    ends = "" if found.low is None or found.high is None else f"{show(found.low)}{TO}{show(found.high)}"
    return show(found.value), ends, show(found.detectable) if found.detectable else ""


def _note(one: Values | None, other: Values | None, before: Side, after: Side) -> str:
    """What the values carry beside them: failures, missing abilities, another isolation."""
    notes = {side.label: held.record.note for side, held in ((before, one), (after, other)) if held}
    said = [f"{label}: {note}" for label, note in notes.items() if note]
    if len(said) > 1 and len(set(notes.values())) == 1:
        said = [next(iter(notes.values()))]
    if one and other and one.isolation and other.isolation and one.isolation != other.isolation:
        said.append(f"isolation: {one.isolation} in {before.label}, {other.isolation} in {after.label}")
    return "; ".join(said)


def _heading(engine: str, before: Side, after: Side, names: Names) -> str:
    """The engine by name with its version; both versions, where they differ."""
    versions = [
        ", ".join(sorted({v.version for place, v in side.values.items() if place.engine == engine and v.version}))
        for side in (before, after)
    ]
    if not engine:
        named = (f"{s.label} {version}" for s, version in zip((before, after), versions, strict=True))
        return " → ".join(named)
    return f"{names.engine(engine)} {' → '.join(dict.fromkeys(filter(None, versions)))}".strip()


def _of_baseline(before: Side, after: Side) -> list[str]:
    """The plain loop, which no engine touches, is the control of the machine."""
    both = (p for p in before.values.keys() & after.values.keys() if p.engine == BASELINE and p.params == "{}")
    place = next((p for p in both if p.metric == MAKESPAN), None)
    if place is None:
        return []
    found = change(before.values[place], after.values[place])
    if found is None or not found.beyond_chance:
        return []
    value, interval, _ = _change_text(found, Scale("s"))
    took = f"the plain loop, which no engine touches, took {value} the time in {after.label} ({interval})"
    return [f"{took}: the machine or the steps changed too"]

"""The page of a comparison: what was compared, what differs, and every value behind it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.analyse.sides import Measured, Side
from bench.analyse.summary import CONFIDENCE
from reports.pages.document import Document, Line, Section, Table
from reports.pages.pairs import TO, Group, Pair, Row
from reports.words.numbers import listing, number

COLUMNS = ("Metric", "Where", "", "", "n", "Ratio", "95 % interval", "Would show", "Verdict", "Note")
NUMERIC = frozenset({2, 3, 4, 5, 6, 7})
SHOWN = (
    "Would show: the smallest ratio that so many sessions with this spread tell apart in 80 of 100 cases. One session, "
    "or one run, is shown and not told apart; runs are by Fisher's exact test, which is not adjusted for their number."
)
MOST_TOLD = 3
ONE_IN = round(1 / (1 - CONFIDENCE))


def document(results: Sequence[Measured], sides: Sequence[Side], pairs: Sequence[Pair]) -> Document:
    """The page of some results, or of arms or tracks of one result; the first side is the reference."""
    names = [f"{side.about} ({side.label})" if len(results) > 1 else side.label for side in sides]
    if len(results) > 1:
        facts = [(side.label, described(result)) for side, result in zip(sides, results, strict=True)]
    else:
        facts = [("Result", described(results[0]))]
    facts.append(("Ratio", f"the other's value divided by {sides[0].label}'s; below 1× is less"))
    several = len(pairs) > 1
    return Document(
        title=f"{listing(names[1:])} against {names[0]}",
        facts=tuple(facts),
        warnings=tuple(
            f"{pair.after.label} is not comparable with {pair.before.label}, and was compared all the same: {reason}"
            for pair in pairs for reason in pair.reasons
        ),
        notes=tuple(dict.fromkeys(remark for pair in pairs for remark in pair.remarks)),
        sections=tuple(section for pair in pairs for section in _sections(pair, several=several)),
    )  # fmt: skip


def described(result: Measured) -> str:
    """Name, date, budget and versions of a result in one line."""
    versions = sorted({f"{r.engine} {r.version}" for r in result.records if r.version and "-" not in r.engine})
    manifest = result.manifest
    return f"{result.name}: {manifest.created_utc[:16].replace('T', ' ')} UTC, {manifest.budget}, {', '.join(versions)}"


def _sections(pair: Pair, *, several: bool) -> Iterable[Section]:
    name = f": {pair.after.label} against {pair.before.label}" if several else ""
    moved = [
        Group(group.title, rows)
        for group in pair.groups
        if (rows := tuple(row for row in group.rows if row.verdict.moved))
    ]
    changed = _table("", pair, [line for group in moved for line in (_heading(group), *map(_line, group.rows))])
    yield Section(f"What differs{name}", _explained(pair), (changed,) if moved else ())
    every = tuple(_table(group.title, pair, map(_line, group.rows), folded=True) for group in pair.groups)
    yield Section(f"Every value{name}", tables=every)


def _explained(pair: Pair) -> tuple[str, ...]:
    """How many rows there are of each verdict, and how far the verdicts can be trusted."""
    intervals = sum(bool(row.interval) for row in pair.rows)
    how = "paired by block" if pair.paired else "Welch's t-interval over sessions"
    floor = f"Differences under {number(pair.floor, whole=False)}× are noise (A/A)" if pair.floor > 1 else "No A/A arm"
    chance = f"; by chance alone up to 1 in {ONE_IN} of them would differ" if intervals else ""
    return (
        f"{_sentence(pair)} {pair.tally}.",
        f"{floor}. {intervals} comparisons have an interval ({how}){chance}. {SHOWN}",
    )


def _sentence(pair: Pair) -> str:
    """What differs most, the worst first."""
    moved = [(group.title, row) for group in pair.groups for row in group.rows if row.verdict.moved]
    if not moved:
        return "Nothing differs."
    moved.sort(key=lambda found: -found[1].worse_by)
    told = [_told(engine, row) for engine, row in moved[:MOST_TOLD]]
    more = f", and {len(moved) - MOST_TOLD} more" if len(moved) > MOST_TOLD else ""
    return f"{pair.after.label} differs from {pair.before.label} in {'; '.join(told)}{more}."


def _told(engine: str, row: Row) -> str:
    where = f" ({row.where})" if row.where else ""
    turn = f", {row.verdict.turn}" if row.verdict.turn else ""
    return f"{engine}: {row.title.lower()}{where} {row.change or TO.join((row.before, row.after))}{turn}"


def _table(title: str, pair: Pair, lines: Iterable[Line], *, folded: bool = False) -> Table:
    columns = (*COLUMNS[:2], pair.before.label, pair.after.label, *COLUMNS[4:])
    return Table(title, columns, tuple(lines), NUMERIC, folded)


def _heading(group: Group) -> Line:
    return Line((group.title, *("" for _ in COLUMNS[1:])), "heading")


def _line(row: Row) -> Line:
    values = row.before, row.after, row.sessions, row.change, row.interval, row.detectable
    return Line((row.title, row.where, *values, row.said, row.note), row.verdict.turn)

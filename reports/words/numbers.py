"""Numbers as people read them: two or three significant digits, ranges with an en dash."""

from __future__ import annotations

from collections.abc import Iterable

from bench.questions.metric import Scale

MS_BELOW = 0.1
MISSING = "—"
MINUS = "\N{MINUS SIGN}"


PLAIN_UNITS = {"text": "", "boolean": "", "count": "", "ratio": "×", "score": ""}
COUNTED = ("count", "lines")


def scale_for(unit: str, values: Iterable[float | str | None]) -> Scale:
    """One unit for all the values that are compared, so that they can be compared by eye."""
    largest = max((abs(v) for v in values if isinstance(v, int | float)), default=0.0)
    if unit == "s" and 0 < largest < MS_BELOW:
        return Scale("ms", 1e3)
    if unit == "bytes":
        return Scale("MB", 1e-6)
    return Scale(PLAIN_UNITS.get(unit, unit), whole=unit in COUNTED)


def number(value: float, *, whole: bool = True) -> str:
    """Three significant digits, without exponents; counts without a fraction keep all their digits."""
    if value < 0:
        return MINUS + number(-value, whole=whole)
    if value == 0 or value >= 100 or (whole and value == int(value)):
        return f"{round(value):,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    if value < 0.0005:
        return "<0.001"
    digits = 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:.{digits}f}"


def scaled(value: float, scale: Scale) -> str:
    return number(value * scale.factor, whole=scale.whole)


def interval(low: float | None, high: float | None, scale: Scale) -> str:
    if low is None or high is None:
        return ""
    return f"{scaled(low, scale)}–{scaled(high, scale)}"


def with_unit(text: str, unit: str) -> str:
    return f"{text}\N{NO-BREAK SPACE}{unit}" if unit else text


def ratio(larger: float, smaller: float) -> str:
    """How many times; empty where a ratio would say nothing."""
    if smaller <= 0 or larger <= 0 or larger / smaller < 1.005:
        return ""
    return f"{number(larger / smaller, whole=False)}×"


def listing(names: Iterable[str]) -> str:
    """`A`, `A and B`, `A, B and C`."""
    names = list(names)
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"

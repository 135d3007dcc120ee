"""Numbers as they are written: their decimal mark, and what parts their thousands."""

from __future__ import annotations

import re
from collections.abc import Iterable

OTHER = {",": r"\.", ".": ","}
WITH_DECIMAL = {
    mark: re.compile(rf"[-+]?(\d{{1,3}}({other}\d{{3}})+|\d*){re.escape(mark)}\d+([eE][-+]?\d+)?")
    for mark, other in OTHER.items()
}
BY_THREE = {mark: re.compile(rf"[-+]?[1-9]\d{{0,2}}({re.escape(mark)}\d{{3}})+") for mark in OTHER}
SIGNS = r"[A-Z]{0,3}[$\u00a2-\u00a5\ufdfc\u20a0-\u20cf]"
"""Of currencies: R$, US$ and so on."""
LONGEST = 40
"""Characters that a number has at most."""


def plain(decimal: str) -> re.Pattern[str]:
    """What is read as a number."""
    mark = re.escape(decimal)
    return re.compile(rf"[-+]?(\d+{mark}?\d*|{mark}\d+)([eE][-+]?\d+)?")


def is_number(text: str, decimal: str) -> bool:
    """Whether it is read as one."""
    return plain(decimal).fullmatch(text) is not None


def clear_decimal(fields: Iterable[str], mark: str) -> str:
    """The first number in which this can but be the decimal mark; empty if there is none."""
    found = (one for one in fields if mark in one and WITH_DECIMAL[mark].fullmatch(one))
    return next((one for one in found if not BY_THREE[mark].fullmatch(one)), "")


def thousands(fields: Iterable[str], mark: str) -> str:
    """The first number in which this may part thousands; empty if there is none."""
    return next((one for one in fields if mark in one and BY_THREE[mark].fullmatch(one)), "")


def dressed(decimal: str) -> re.Pattern[str]:
    """What a reader takes for a number, and the parser for text: with a currency, a percent sign, thousands or the
    other decimal mark; neither a date nor a version."""
    parts = r"(?:(?:,\d{3})+|(?:\.\d{3})+|(?:[ '\u2019\u00a0\u202f]\d{3})+)"
    other = "".join(mark for mark in OTHER if mark != decimal)
    number = rf"\d+{parts}?(?:[.,]\d+)?"
    before = rf"(?:{SIGNS}|[A-Z]{{3}}(?=\s)|kr|zł|Kč|Fr\.)"
    behind = rf"(?:\s*(?:{SIGNS}|kr|zł|Kč|%|\+)|\s[A-Z]{{3}})"
    alone = rf"[1-9]\d{{0,2}}{parts}(?:[.,]\d+)?|\d+[{other}]\d+|(?<=[(\u2212]){number}"
    return re.compile(rf"[-+\u2212(]?\s*(?:{before}\s*[-+\u2212]?\s*{number}{behind}?|{number}{behind}|{alone})\s*\)?")

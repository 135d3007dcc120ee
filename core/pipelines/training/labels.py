"""How a class is spelled, wherever it is met."""

from __future__ import annotations

import re

NUMBER = re.compile(r"([-+]?)(\d+)(?:\.(\d+))?")


def label(value: object) -> str:
    """The same whether a column holds it as a number or as text: 1, 1.0 and "1.0" are the class 1."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = str(value)
    number = NUMBER.fullmatch(text)
    if not number:
        return text
    sign, whole, fraction = number[1], number[2], (number[3] or "").rstrip("0")
    negative = sign == "-" and (whole.strip("0") or fraction)
    return f"{'-' if negative else ''}{whole}{'.' if fraction else ''}{fraction}"

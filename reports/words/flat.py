"""Nested values, such as what is known of a host, as one list of names and texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.words.numbers import number

Pairs = tuple[tuple[str, str], ...]


def flat(found: Mapping[str, Any], prefix: str = "") -> Pairs:
    """Nested values as dotted names, lists joined."""
    pairs: list[tuple[str, str]] = []
    for key, value in found.items():
        if isinstance(value, Mapping):
            pairs += flat(value, f"{prefix}{key}.")
        elif isinstance(value, list | tuple):
            pairs.append((prefix + key, ", ".join(str(item) for item in value)))
        else:
            pairs.append((prefix + key, _plain(key, value)))
    return tuple(pairs)


def _plain(key: str, value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if key.endswith("_bytes") and isinstance(value, int | float):
        return f"{number(round(value / 2**30, 1))} GiB"
    return str(value)

"""How a CSV file is written."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
BLANKS = " "
"""As a separator it stands for any number of spaces and tabs."""
WORDS = {**SEPARATORS, BLANKS: "space"}


class Dialect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What has to be known of a CSV file before it can be read."""

    separator: Annotated[str, Meta(min_length=1, max_length=1, description="between fields; a space: blanks")] = ","
    decimal: Annotated[str, Meta(min_length=1, max_length=1, description="mark in numbers")] = "."
    encoding: Annotated[str, Meta(description="as Python names it")] = "utf-8"
    compression: Annotated[str, Meta(description="gzip, bz2, xz or zip; empty: none")] = ""
    skip: Annotated[int, Meta(ge=0, description="lines above the header, such as sep=;")] = 0


PLAIN = Dialect()


def told(dialect: Dialect) -> str:
    """In words what is not as usual; empty if all is."""
    words = (
        (dialect.separator != PLAIN.separator, f"separated by {WORDS.get(dialect.separator, dialect.separator)}"),
        (dialect.decimal != PLAIN.decimal, f"decimal mark '{dialect.decimal}'"),
        (dialect.encoding != PLAIN.encoding, f"encoding {dialect.encoding}"),
        (bool(dialect.compression), f"compressed with {dialect.compression}"),
    )
    return ", ".join(word for unusual, word in words if unusual)

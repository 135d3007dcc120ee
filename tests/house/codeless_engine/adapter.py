"""An engine that has code for no pipeline, and binds none: the double of the harness's own tests, beside this file."""

from __future__ import annotations

from impl_codeless.doubles import Double


class Codeless(Double):
    """It has no lock, so that nobody could install it."""

    name, title = "codeless", "Codeless"
    default = False
    binds = frozenset()


ADAPTER = Codeless

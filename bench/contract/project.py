"""Where the checkout is, in which engines and pipelines are found."""

from __future__ import annotations

from pathlib import Path

PROJECT = Path(__file__).parents[2]

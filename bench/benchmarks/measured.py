"""Which pipeline is measured: the one that is where nobody asks for another."""

from __future__ import annotations

from core.declaration import pipelines

PIPELINE = next(one for one in pipelines() if one.default)
GRAPH = PIPELINE.graph({})
SEED = 7

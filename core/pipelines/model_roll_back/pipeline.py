"""What people run after a bad deployment."""

from __future__ import annotations

import msgspec

from core.declaration import Companion, Graph, Pipeline, Step, always


class RollBack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """It is told nothing: where models are kept, every run knows."""


PIPELINE = Pipeline(
    name="model_roll_back",
    title="roll-back of a model",
    graph=always(Graph((Step("roll_back"),))),
    settings=RollBack,
    effects=("roll_back",),
    outside="core.pipelines.models",
    family="models",
    role=Companion.ROLL_BACK,
)

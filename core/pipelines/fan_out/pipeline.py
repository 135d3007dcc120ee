"""n steps between one that names them and one that joins them. Engines learn n when the first returns, not before."""

from __future__ import annotations

from core.declaration import Graph, Kind, Part, Pipeline, Shape, Step, always
from core.pipelines.like_steps.settings import LikeSteps
from core.pipelines.like_steps.work import SPELLING

WORK = Step("work", ("plan",), Kind.MAP, over="plan", spelling=SPELLING)
GRAPH = Graph((Step("plan"), WORK, Step("gather", ("work",))))

PIPELINE = Pipeline(
    name="fan_out",
    title="fan-out",
    graph=always(GRAPH),
    settings=LikeSteps,
    code="core.pipelines.like_steps",
    parts={Part.EARLY: "plan", Part.HEAVY: WORK.instance(1).name, Part.LAST: "gather"},
    bulky=("parcels",),
    rows="parcels",
    size="n",
    shape=Shape.PARALLEL,
)

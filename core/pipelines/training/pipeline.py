"""Extract, validate, build features, train, evaluate; then deploy or notify, and clean up."""

from __future__ import annotations

from core.declaration import Graph, Kind, Part, Pipeline, Step, always
from core.pipelines.training.settings import Training

GRAPH = Graph(
    (
        Step("extract"),
        Step("validate", ("extract",)),
        Step("features", ("validate",)),
        Step("train", ("features",)),
        Step("evaluate", ("features", "train")),
        Step("branch", ("evaluate",), Kind.BRANCH, arms=("deploy", "notify")),
        Step("deploy", ("train", "evaluate", "branch")),
        Step("notify", ("evaluate", "branch")),
        Step("cleanup", ("deploy", "notify"), Kind.ALWAYS),
    )
)

PIPELINE = Pipeline(
    name="training",
    title="training pipeline",
    graph=always(GRAPH),
    settings=Training,
    bare="core.pipelines.training.bare",
    source="core.pipelines.training.source",
    artifacts={
        "extract": "raw", "validate": "raw", "features": "features", "train": "model", "evaluate": "metrics.json",
        "deploy": "the model's version", "notify": "outbox/notify.json",
    },
    merit="metrics.json",
    effects=("deploy", "notify"),
    with_effect={"threshold": 0.0},
    outside="core.pipelines.models",
    parts={Part.EARLY: "features", Part.HEAVY: "train", Part.EFFECT: "deploy", Part.LAST: "cleanup"},
    bulky=("raw", "features", "model"),
    family="models",
    timeout_factor=3.0,
    default=True,
)  # fmt: skip

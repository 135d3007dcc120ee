"""Square some numbers, add them up; then one of three arms, a report, a publication, and tidy up."""

from __future__ import annotations

from core.pipelines.toy.settings import Toy

from core.declaration import Graph, Kind, Part, Pipeline, Retry, Step, always

SOON = Retry(delay_s=0.2)
ARMS = ("low", "middle", "high")
GRAPH = Graph(
    (
        Step("numbers", retry=SOON),
        Step("square", ("numbers",), Kind.MAP, over="numbers", retry=SOON),
        Step("total", ("square",), retry=SOON),
        Step("choice", ("total",), Kind.BRANCH, arms=ARMS, retry=SOON),
        *(Step(arm, ("total", "choice"), retry=SOON) for arm in ARMS),
        Step("report", ARMS, Kind.JOIN, retry=SOON),
        Step("publish", ("report",), retry=SOON),
        Step("tidy", ("publish",), Kind.ALWAYS, retry=SOON),
    )
)

PIPELINE = Pipeline(
    name="toy",
    title="toy pipeline",
    graph=always(GRAPH),
    settings=Toy,
    artifacts={"total": "total.json", **dict.fromkeys(ARMS, "arm.json"), "report": "report.json"},
    effects=("publish",),
    parts={Part.EARLY: "numbers", Part.HEAVY: "total", Part.EFFECT: "publish", Part.LAST: "tidy"},
    size="n",
)

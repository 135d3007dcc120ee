"""Chains of tasks that compute Fibonacci numbers, and what a vendor has published of them."""

from __future__ import annotations

from bench.contract import registry
from bench.contract.described import PublishedFigure, PublishedSource
from bench.plan.workloads import shaped, sized
from core.declaration import Shape

SHORT_TASKS = sized(shaped(Shape.SERIES), 40, fib=10)
LONG_TASKS = sized(shaped(Shape.SERIES), 10, fib=33)
WORKLOADS = (SHORT_TASKS, LONG_TASKS)

SOURCE = "https://www.windmill.dev/docs/misc/benchmarks/competitors/results/python"
MACHINE = "AWS m4.large instances, each system from its own docker-compose file"
REMARK = (
    "Published by Windmill, one of the systems compared, for older versions on another machine; one run a cell. "
    "Not measured here, and no part of any verdict."
)


LABELS = {"short": SHORT_TASKS, "long": LONG_TASKS}
"""By these names adapters give what was published of their engines."""
OTHERS = {
    "Temporal": ("", {"short": 2.97, "long": 7.2}),
    "Kestra": ("0.22.3", {"short": 6.04, "long": 15.8}),
    "Hatchet": ("", {"short": 1.22, "long": 7.8}),
    "Windmill": ("", {"short": 4.38, "long": 8.3}),
}
"""System -> version, and seconds by label: of those that cannot be measured here."""
SOURCE_TOLD = PublishedSource(name="Windmill", address=SOURCE, machine=MACHINE, remark=REMARK)
"""As the manifest has it."""


def told() -> list[PublishedFigure]:
    """The figures as the manifest has them, those of the engines found here first."""
    own = [(one.title, one.published_version, one.published, one.name) for one in registry.in_order()]
    others = [(system, version, seconds, "") for system, (version, seconds) in OTHERS.items()]
    return [
        PublishedFigure(
            system=system, version=version, engine=engine, pipeline=workload.pipeline, params=workload.params,
            label=f"{workload.size} × fib({workload.settings['fib']}) in sequence", seconds=seconds[label],
        )
        for label, workload in LABELS.items()
        for system, version, seconds, engine in (*own, *others)
        if label in seconds
    ]  # fmt: skip

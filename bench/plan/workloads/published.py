"""Chains of tasks that compute Fibonacci numbers, and what a vendor has published of them."""

from __future__ import annotations

from dataclasses import dataclass

from bench.contract.described import PublishedFigure, PublishedSource
from bench.plan.workloads import Workload, shaped, sized
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


@dataclass(frozen=True, slots=True)
class Published:
    """One figure as its source gives it."""

    workload: Workload
    system: str
    version: str
    seconds: float


def _row(workload: Workload, **seconds: float) -> tuple[Published, ...]:
    return tuple(Published(workload, *SYSTEMS[name], value) for name, value in seconds.items())


SYSTEMS = {
    "airflow": ("Airflow", "2.7.3"),
    "prefect": ("Prefect", "2.14.4"),
    "temporal": ("Temporal", ""),
    "kestra": ("Kestra", "0.22.3"),
    "hatchet": ("Hatchet", ""),
    "windmill": ("Windmill", ""),
}
FIGURES = (
    *_row(SHORT_TASKS, airflow=116.2, prefect=4.87, temporal=2.97, kestra=6.04, hatchet=1.22, windmill=4.38),
    *_row(LONG_TASKS, airflow=54.7, prefect=15.5, temporal=7.2, kestra=15.8, hatchet=7.8, windmill=8.3),
)
SOURCE_TOLD = PublishedSource(name=SYSTEMS["windmill"][0], address=SOURCE, machine=MACHINE, remark=REMARK)
"""As the manifest has it."""


def told() -> list[PublishedFigure]:
    """The figures as the manifest has them."""
    engines = {title: name for name, (title, _) in SYSTEMS.items()}
    return [
        PublishedFigure(
            system=one.system, version=one.version, engine=engines[one.system], pipeline=one.workload.pipeline,
            params=one.workload.params, label=f"{one.workload.size} × fib({one.workload.settings['fib']}) in sequence",
            seconds=one.seconds,
        )
        for one in FIGURES
    ]  # fmt: skip

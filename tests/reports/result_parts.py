"""What the longer budgets add to the synthetic result: variants, sizes, resources, micro-benchmarks, audits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from bench.analyse.noise import by_block
from bench.analyse.summary import summarise
from bench.contract.records import Audit, Sample
from bench.plan.workloads import payload, published

if TYPE_CHECKING:
    from result_fixture import Builder

SIZES = (5, 20, 100)
VARIANTS = [
    {"name": "prefect-again", "engine": "prefect", "kind": "again", "text": "the same once more"},
    {"name": "prefect-processes", "engine": "prefect", "kind": "isolation", "text": "tasks in a pool of processes"},
    {"name": "dagster-in-process", "engine": "dagster", "kind": "isolation", "text": "all steps in one process"},
]
ROLES = {
    "airflow": {"api-server": 310e6, "scheduler": 240e6, "dag-processor": 190e6, "worker": 160e6, "triggerer": 90e6,
                "database": 60e6},
    "prefect": {"api": 210e6, "worker": 120e6, "database": 55e6},
    "dagster": {"webserver": 180e6, "daemon": 150e6, "code-server": 170e6, "database": 50e6},
}  # fmt: skip
AUDITS = [
    Audit(name="parts and wholes", verdict="pass", reason="80 sums of parts"),
    Audit(name="load by others", verdict="flag", reason="2 in 30 runs watched: airflow-1: 0.42 of 2 cores"),
    Audit(name="polling intervals", verdict="unknown", reason="no pairs of a latency and an interval"),
]
BROKEN = Audit(name="order of the steps", verdict="fail", reason="1 in 30 runs judged: <script>alert(1)</script>")


def _unit(metric: str) -> str:
    """By the metric's name."""
    return "bytes" if "bytes" in metric else "s" if metric.endswith(("_s", "_s_per_min")) else "count"


def sample(build: Builder, arm: str, metric: str, value: float | None, session: int, **more: Any) -> Sample:
    """A served sample on the first track; kept by the builder."""
    usual = {"pipeline": "training", "track": build.tracks[0], "mode": "served", "isolation": build.isolation(arm)}
    given = usual | more
    made = Sample(engine=arm, version=build.version(arm), metric=metric, unit=_unit(metric), value=value,
                  session=session, block=session, **given)  # fmt: skip
    build.samples.append(made)
    return made


def served(build: Builder, arm: str, metric: str, value: float, spread: Iterable[float], **more: Any) -> list[Sample]:
    """One sample a session around a value, and their record."""
    found = [
        sample(build, arm, metric, value * by, session, **more)
        for session, by in zip(range(build.sessions), spread, strict=False)
    ]
    build.records += summarise(found)
    return found


SPREAD = (1.0, 1.03, 0.98, 1.01, 0.97)


def isolation(build: Builder) -> None:
    """The variants in the same sessions as their engines, and overheads of all as samples."""
    for name, factor in (("prefect-again", 1.01), ("prefect-processes", 1.6), ("dagster-in-process", 0.4)):
        engine = next(row["engine"] for row in VARIANTS if row["name"] == name)
        if engine in build.engines:
            overhead = 2 * build.speed(engine) * factor
            for metric, value in (("makespan_s", 3.2 + overhead), ("overhead_s", overhead),
                                  ("transition_s", overhead * 0.08)):  # fmt: skip
                served(build, name, f"runtime.{metric}", value, reversed(SPREAD))
    for engine in build.engines:
        for session, by in zip(range(build.sessions), SPREAD, strict=False):
            sample(build, engine, "runtime.overhead_s", 2 * build.speed(engine) * by, session)


def scaling(build: Builder) -> None:
    """Chains and fan-outs; Airflow's chains fail at the largest size and Dagster's grow faster than a line."""
    for engine in build.engines:
        for workload, parallel in (("chain", 1.0), ("fan_out", 0.4)):
            fixed, marginal = build.speed(engine) * 0.5, 0.03 * build.speed(engine) * parallel
            for n in SIZES:
                _sized(build, engine, workload, n, fixed + marginal * n)
            given: dict[str, tuple[str, float | None, str]] = {
                "fixed_s": ("s", fixed, "n from 5 to 100"), "marginal_s": ("s", marginal, "n from 5 to 100"),
                "fails_at_n": ("count", 100.0 if _fails(engine, workload, 100) else None, "none up to n=100"),
                "superlinear_at_n": ("count", 100.0 if engine == "dagster" else None, "not up to n=100"),
            }  # fmt: skip
            for leaf, (unit, value, note) in given.items():
                build.add(engine, f"scaling.{leaf}", unit, value, track=build.tracks[0], mode="served",
                          noise=0.05 if unit == "s" else 0.0, note=note if value is None else "",
                          pipeline=workload)  # fmt: skip
    _published(build)
    _payload(build)
    _concurrency(build)


def _fails(engine: str, workload: str, n: int) -> bool:
    return (engine, workload, n) == ("airflow", "chain", 100)


def _sized(build: Builder, engine: str, workload: str, n: int, seconds: float) -> None:
    about: dict[str, Any] = {"pipeline": workload, "params": {"n": n}}
    if _fails(engine, workload, n):
        found = [sample(build, engine, "runtime.makespan_s", None, 1, note="failed: the limit", **about)]
        build.records += summarise(found)
        return
    served(build, engine, "runtime.makespan_s", seconds, SPREAD, **about)
    served(build, engine, "resources.cpu_per_task_s", 0.02 * build.speed(engine), SPREAD, **about)


def _published(build: Builder) -> None:
    for engine in build.engines:
        for workload in published.WORKLOADS:
            about: dict[str, Any] = {"pipeline": workload.pipeline, "params": workload.params}
            seconds = workload.size * (0.05 if workload.settings["fib"] < 30 else 0.6) * build.speed(engine)
            served(build, engine, "runtime.makespan_s", seconds, SPREAD, **about)
            served(build, engine, "runtime.completion_s", seconds + 0.2, SPREAD, **about)


def _payload(build: Builder) -> None:
    for engine in build.engines:
        for workload in payload.WORKLOADS:
            about: dict[str, Any] = {"pipeline": workload.pipeline, "params": workload.params}
            through = workload.settings["channel"] == "engine"
            served(build, engine, "runtime.makespan_s", 1.5 * build.speed(engine), SPREAD, **about)
            grown = 9e3 + (5.1 * workload.settings["payload_bytes"] if through else 0)
            served(build, engine, "payload.metadata_bytes", grown, SPREAD, **about)


def _concurrency(build: Builder) -> None:
    for engine in build.engines:
        for runs in (1, 4, 16):
            about: dict[str, Any] = {"pipeline": "chain", "params": {"n": 5, "concurrent": runs}}
            lost = 1.0 if (engine, runs) == ("dagster", 16) else 0.0
            served(build, engine, "concurrency.throughput_per_min", 20 * runs**0.5 / build.speed(engine),
                   SPREAD, **about)  # fmt: skip
            for leaf, factor in (("p50", 1.0), ("p95", 1.4)):
                served(build, engine, f"concurrency.completion_{leaf}_s", runs * factor * build.speed(engine),
                       SPREAD, **about)  # fmt: skip
            served(build, engine, "concurrency.failures", lost, (1.0,), **about)


def resources(build: Builder) -> None:
    """Idle and in a run, in total and by role; and many runs in a row."""
    for engine in build.engines:
        sizes = ROLES[engine.partition("@")[0]]
        for role, size in {"": sum(sizes.values()), **sizes}.items():
            about: dict[str, Any] = {"params": {"role": role}} if role else {}
            share = size / 200e6
            for when, cpu in (("idle", "cpu_s_per_min"), ("run", "cpu_s")):
                served(build, engine, f"resources.{when}.{cpu}", share * 1.5, SPREAD, **about)
                for leaf, by in (("pss_mean_bytes", 1.0), ("pss_peak_bytes", 1.1)):
                    served(build, engine, f"resources.{when}.{leaf}", size * by, SPREAD, **about)
            served(build, engine, "resources.idle.processes", round(3 * share), (1.0,), **about)
            served(build, engine, "resources.idle.threads", round(20 * share), (1.0,), **about)
        _soak(build, engine)


def _soak(build: Builder, engine: str) -> None:
    about: dict[str, Any] = {"pipeline": "chain", "params": {"n": 5}}
    for number in range(20):
        size = 300e6 + 4e3 * build.speed(engine) * number + 500 * (number % 3)
        sample(build, engine, "resources.soak.pss_bytes", size, 1, run_id=f"{engine}-soak-{number}", **about)
    served(build, engine, "resources.soak.pss_bytes_per_run", 4e3 * build.speed(engine), (1.0,), **about)
    served(build, engine, "resources.metadata_bytes_per_1000_tasks", 2e6 * build.speed(engine), (1.0,), **about)


def micro(build: Builder) -> None:
    """The steps without an engine, and the pipeline against a bare script."""
    for step, speed in (("extract", 8e5), ("train", 4e4)):
        for rows in (10_000, 100_000):
            build.add("inline", f"micro.{step}.rows_per_s", "rows/s", speed, params={"rows": rows})
            build.add("inline", f"micro.{step}.peak_bytes", "bytes", 2e8 + 400 * rows, params={"rows": rows})
    build.add("inline", "micro.pipeline.time_ratio", "ratio", 1.06, noise=0.02, params={"rows": 1_000_000})
    build.add("inline", "micro.pipeline.memory_ratio", "ratio", 1.01, noise=0.01, params={"rows": 1_000_000})
    build.add("inline", "micro.report_s", "s", 2.4)


def trust(build: Builder) -> None:
    """Clock, order of the sessions and load by others; one run of the first engine is an outlier."""
    build.add("inline", "noise.clock_resolution_s", "s", 4.2e-8)
    for name, unit, value in (
        ("position_p", "p", 0.43),
        ("drift_p", "p", 0.004),
        ("drift_per_hour_ratio", "ratio", 1.02),
    ):
        build.add("harness", f"noise.{name}", unit, value)
    for number, load in enumerate((0.01, 0.03, 0.42, 0.02)):
        sample(build, build.engines[0], "host.others_cores", load, number)
    own = [s for s in build.samples if s.metric == "runtime.makespan_s" and s.engine == build.engines[0]]
    usual = next((s for s in own if s.pipeline == "training" and not s.warm_up and s.mode == "served"), None)
    if usual:
        far = sample(build, usual.engine, usual.metric, 3 * float(usual.value or 0), 5, run_id="far-away")
        assert by_block([usual], [far]) is None, "it is in a block of its own"


PARTS = {function.__name__: function for function in (isolation, scaling, resources, micro, trust)}

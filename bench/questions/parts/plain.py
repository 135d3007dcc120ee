"""Parts about the training pipeline: its code, its setup and its run time."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace

import msgspec

from bench.contract import registry
from bench.contract.processes import Command
from bench.contract.project import PROJECT
from bench.contract.records import NO_PIPELINE, Arm
from bench.contract.settings import Variant
from bench.contract.words import Track
from bench.observe import host
from bench.observe.history import History
from bench.observe.store import Store
from bench.observe.watching import limit_s
from bench.plan.planner import AGAIN, VERSION
from bench.plan.workloads import Workload
from bench.questions import code, micro, runtime, setup
from bench.questions.parts.bound import Bound
from bench.run.conductor import EFFECTS, Conductor, Observation, inline_command
from bench.session import environments

INLINE_RUNS = 3
INSTRUMENT = "bench/benchmarks/test_instrument_benchmark.py"


def code_part(bound: Bound) -> None:
    """Count the code of every engine of the result, and keep it beside the numbers."""
    for engine in (name for name in bound.job.manifest.titles if VERSION not in name):
        version = bound.job.manifest.versions.get(engine, {}).get(registry.adapter(engine).install.package, "")
        for sample in code.measure(PROJECT, engine, version):
            bound.conductor.store.append(sample)
        keep_code(bound.conductor.store, engine)


def keep_code(store: Store, engine: str) -> None:
    """Copy an engine's pipelines and notes into the result, with the numbers of the counted lines."""
    folder = store.folder / "code" / engine
    origin = PROJECT / f"impl_{engine}"
    shutil.copytree(origin / "pipelines", folder, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    counted = {path.name: code.counted_lines(path) for path in sorted(folder.glob("*.py"))}
    (folder / "counted.json").write_text(json.dumps(counted))
    notes = origin / "NOTES.md"
    if notes.exists():
        shutil.copy(notes, folder / "NOTES.md")


def instrument(bound: Bound) -> None:
    """What `@step` itself costs an attempt, by pytest-benchmark, and how fine the clock is."""
    bound.conductor.sample(None, "noise.clock_resolution_s", "s", host.clock_resolution_s(), pipeline=NO_PIPELINE)
    report = bound.conductor.store.folder / "instrument.json"
    options = ("-q", "--benchmark-only", f"--benchmark-json={report}", "-p", "no:cacheprovider")
    command = Command((sys.executable, "-m", "pytest", INSTRUMENT, *options), cwd=PROJECT)
    bound.supervisor.run("instrument", command)
    for benchmark in json.loads(report.read_text())["benchmarks"]:
        name = "attempt_s" if benchmark["name"] == "test_instrument_attempt" else benchmark["name"]
        bound.conductor.sample(None, f"instrument.{name}", "s", benchmark["stats"]["median"], pipeline=NO_PIPELINE)


def micro_part(bound: Bound) -> None:
    """The micro-benchmarks, which run no engine."""
    budget = bound.job.budget
    micro.measure(bound.conductor, bound.supervisor, budget.rows, pairs=budget.pairs)


def inline(bound: Bound) -> None:
    """Run the block's pipelines without an engine. The first run of each is the oracle of all others."""
    for workload in (bound.job.plain, *bound.planned.workloads):
        for _ in range(1 if workload in bound.job.oracles else INLINE_RUNS):
            run_inline(bound, workload)


def run_inline(bound: Bound, workload: Workload) -> None:
    """One run of the plain loop."""
    job, first = bound.job, workload not in bound.job.oracles
    conductor = replace(bound.conductor, workload=workload, oracle=job.oracles.get(workload, History()))
    run, config = conductor.prepare(bound.scratch / EFFECTS)
    seen = conductor.process(bound.supervisor, inline_command(config), run)
    if first:  # it also fills the caches of the file system: not timed
        job.oracles[workload] = seen.history
    else:
        job.inline_runs.setdefault(workload, []).append(seen.history.step_times())
        runtime.measure(conductor, seen, job.inline_s(workload))


def environment(bound: Bound) -> None:
    """Time the installation of the engine's lock."""
    name = bound.planned.environment
    lock = environments.lock_in(bound.job.store.folder, name)
    conductor = replace(bound.conductor, arm=_anywhere(bound))
    bound.job.environment_s[name] = setup.environment(conductor, bound.supervisor, lock)
    if bound.job.budget.cold:
        setup.environment(conductor, bound.supervisor, lock, cold=True)


def first(bound: Bound) -> None:
    """Bring the engine up and run the pipeline once: the setup, and the warm-up of what follows."""
    bound.up.bring_up()
    seen = bound.conductor.served(bound.up, warm_up=True)
    setup.bring_up(bound.conductor, bound.up, seen, bound.job.environment_s.get(bound.planned.environment))
    setup.import_time(replace(bound.conductor, arm=_anywhere(bound)), bound.up)


def again(bound: Bound) -> None:
    """Bring the engine up once more in this block, after its first session was lost, and warm it up; not measured."""
    bound.up.bring_up()
    bound.conductor.served(bound.up, warm_up=True)


def samples(bound: Bound) -> None:
    """Plain runs on the warm engine, and as many of each other isolation that it offers, in an order drawn anew."""
    arms: list[Variant | None] = [None, *_variants(bound)]
    for _ in range(bound.job.budget.samples):
        bound.conductor.random.shuffle(arms)
        for variant in arms:
            conductor = _as_variant(bound, variant) if variant else bound.conductor
            runtime.measure(conductor, conductor.served(bound.up), bound.job.inline_s(bound.job.plain))


def _variants(bound: Bound) -> tuple[Variant, ...]:
    """The other isolations; not of the second, A/A arm."""
    wanted = bound.job.budget.variants and bound.planned.chains and not bound.planned.name.endswith(AGAIN)
    return bound.up.adapter.variants if wanted else ()


def _as_variant(bound: Bound, variant: Variant) -> Conductor:
    own = bound.conductor
    arm = msgspec.structs.replace(own.arm, engine=f"{own.arm.engine}-{variant.name}", isolation="none")
    return replace(own, arm=arm, variant=variant, label=f"{own.label}-{variant.name}", _isolation="")


def local(bound: Bound) -> None:
    """The engine's mode without a server, with its server stopped."""
    to_local(bound)
    for _ in range(bound.job.budget.samples):
        run_local(bound, bound.job.plain)


def to_local(bound: Bound) -> None:
    """Stop the engine and prepare its mode without a server, once a session."""
    if bound.local:
        return
    bound.up.stop_engine()
    for number, command in enumerate(bound.up.adapter.local_initialise(), 1):
        bound.supervisor.run(f"local-initialise-{number}", command)
    bound.local = True


def run_local(bound: Bound, workload: Workload) -> Observation:
    """One timed run without a server."""
    conductor = bound.of(workload, "local")
    run, config = conductor.prepare(bound.scratch / EFFECTS)
    command = replace(bound.up.adapter.local(workload.offered, config), timeout_s=limit_s(Track.STOCK, workload.steps))
    seen = conductor.process(bound.supervisor, command, run)
    runtime.measure(conductor, seen, bound.job.inline_s(workload))
    return seen


def _anywhere(bound: Bound) -> Arm:
    """The arm of what does not depend on track and mode, such as the installation."""
    return msgspec.structs.replace(bound.conductor.arm, track="none", mode="none")

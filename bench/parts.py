"""What is done in each part of a session: the bridge from the plan to the measures."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from bench import registry
from bench.contract import Command
from bench.errors import EngineError
from bench.measures import code, debugging, recovery, runtime, setup
from bench.planner import Part, Planned
from bench.results import Arm
from bench.runs import Conductor, Observation, inline_command
from bench.session import Session
from bench.store import Store
from bench.supervisor import Supervisor
from bench.workspace import PROJECT
from core.pipelines import TRAINING

if TYPE_CHECKING:
    from bench.job import Job

INLINE_RUNS = 3
INSTRUMENT = "tests/core/test_instrument_benchmark.py"


@dataclass
class Bound:
    """A session of one arm, bound to the job that it belongs to."""

    job: Job
    planned: Planned
    conductor: Conductor
    supervisor: Supervisor
    scratch: Path
    session: Session | None = None
    exception: tuple[Observation, str] | None = None
    """A run that ended at a planted exception, and its log: recovery makes it, debugging reads it."""

    @property
    def up(self) -> Session:
        """The engine's session; only inline has none."""
        if self.session is None:
            raise EngineError(f"{self.planned.name} has no engine")
        return self.session


def code_part(bound: Bound) -> None:
    """Count the code of every engine of the result, and keep it beside the numbers."""
    for engine in bound.job.manifest.titles:
        version = bound.job.manifest.versions.get(engine, {}).get(registry.adapter(engine).distribution, "")
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
    """What `@step` itself costs an attempt, by pytest-benchmark."""
    report = bound.conductor.store.folder / "instrument.json"
    options = ("-q", "--benchmark-only", f"--benchmark-json={report}", "-p", "no:cacheprovider")
    command = Command((sys.executable, "-m", "pytest", INSTRUMENT, *options), cwd=PROJECT)
    bound.supervisor.run("instrument", command)
    for benchmark in json.loads(report.read_text())["benchmarks"]:
        name = "attempt_s" if benchmark["name"] == "test_instrument_attempt" else benchmark["name"]
        bound.conductor.sample(None, f"instrument.{name}", "s", benchmark["stats"]["median"])


def inline(bound: Bound) -> None:
    """Run the pipeline without an engine. The first run of a result is the oracle of all others."""
    for _ in range(INLINE_RUNS if bound.planned.block == 1 else 1):
        run, config = bound.conductor.prepare(bound.scratch / "registry")
        seen = bound.conductor.process(bound.supervisor, inline_command(config), run)
        if not bound.job.oracle.attempts:
            bound.job.oracle = bound.conductor.oracle = seen.history
            continue  # it also fills the caches of the file system: not timed
        bound.job.inline_runs.append(seen.history.step_times())
        runtime.measure(bound.conductor, seen, bound.job.inline_s)


def environment(bound: Bound) -> None:
    """Time the installation of the engine's lock."""
    engine = bound.planned.engine
    conductor = replace(bound.conductor, arm=_anywhere(bound))
    bound.job.environment_s[engine] = setup.environment(conductor, bound.supervisor, engine)
    if bound.job.budget.cold:
        setup.environment(conductor, bound.supervisor, engine, cold=True)


def first(bound: Bound) -> None:
    """Bring the engine up and run the pipeline once: the setup, and the warm-up of what follows."""
    bound.up.bring_up()
    seen = bound.conductor.served(bound.up, warm_up=True)
    setup.bring_up(bound.conductor, bound.up, seen, bound.job.environment_s.get(bound.planned.engine))
    setup.import_time(replace(bound.conductor, arm=_anywhere(bound)), bound.up)


def samples(bound: Bound) -> None:
    """Plain runs on the warm engine."""
    for _ in range(bound.job.budget.samples):
        runtime.measure(bound.conductor, bound.conductor.served(bound.up), bound.job.inline_s)


def recovery_part(bound: Bound) -> None:
    """The recovery scenarios."""
    for scenario in recovery.UNATTENDED:
        recovery.unattended(bound.conductor, bound.up, scenario)
    failed, fixed = recovery.failing(bound.conductor, bound.up)
    bound.exception = failed, bound.up.adapter.logs(failed.run.engine_run_id, recovery.STEP)
    recovery.resume(bound.conductor, bound.up, failed, fixed)


def debugging_part(bound: Bound) -> None:
    """The planted bugs; the file that is broken on purpose comes last."""
    debugging.exception(bound.conductor, bound.up, bound.exception)
    debugging.renamed_column(bound.conductor, bound.up)
    debugging.import_error(bound.conductor, bound.up)


def local(bound: Bound) -> None:
    """The engine's mode without a server, with its server stopped."""
    session = bound.up
    session.stop_engine()
    for number, command in enumerate(session.adapter.local_initialise(), 1):
        bound.supervisor.run(f"local-initialise-{number}", command)
    conductor = replace(bound.conductor, arm=msgspec.structs.replace(bound.conductor.arm, mode="local"))
    conductor.label = f"{bound.conductor.label}-local"
    for _ in range(bound.job.budget.samples):
        run, config = conductor.prepare(bound.scratch / "registry")
        seen = conductor.process(bound.supervisor, session.adapter.local(TRAINING.name, config), run)
        runtime.measure(conductor, seen, bound.job.inline_s)


def _anywhere(bound: Bound) -> Arm:
    """The arm of what does not depend on track and mode, such as the installation."""
    return msgspec.structs.replace(bound.conductor.arm, track="none", mode="none")


MEASURES: dict[Part, Callable[[Bound], None]] = {
    Part.CODE: code_part,
    Part.INSTRUMENT: instrument,
    Part.INLINE: inline,
    Part.ENVIRONMENT: environment,
    Part.FIRST: first,
    Part.SAMPLES: samples,
    Part.RECOVERY: recovery_part,
    Part.DEBUGGING: debugging_part,
    Part.LOCAL: local,
}

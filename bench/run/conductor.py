"""Submits runs, watches them over the engine's API and their journal, and keeps what was seen."""

from __future__ import annotations

import json
import random
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import msgspec

from bench.contract.endpoint import ApiError, RunState
from bench.contract.errors import EngineError
from bench.contract.processes import Command
from bench.contract.project import PROJECT
from bench.contract.records import Arm, Run, Sample, Verdict
from bench.contract.settings import Variant, longest_wait_s
from bench.contract.words import Ability, Status
from bench.judge import gate
from bench.judge.outcome import FAILED
from bench.judge.outcome import outcome as named
from bench.observe.host import LoadWatch
from bench.observe.journal import Journal, read_journal
from bench.observe.store import Store, storing
from bench.observe.watching import Quiet, Sighting, last_word, limit_s, nothing, settle_s, watch
from bench.plan.arms import INLINE
from bench.plan.scenarios.record import RIGHT, Expected
from bench.plan.workloads import Workload
from bench.run.observation import Observation
from bench.run.phases import spread
from bench.run.source import Source
from bench.session.asking import Asked, ask
from bench.session.bring_up import Session
from bench.session.supervisor import Supervisor
from bench.session.workspace import PARALLELISM
from core.declaration import Graph
from core.instrument.config import Fault
from core.instrument.journal import now_ns

POOL = "process pool"
THE_SOURCES = Workload("")
EFFECTS = "effects"
"""Where in a session's folder runs change what outlives them."""


@dataclass
class Conductor:
    """Conducts the runs of one session and stores each of them at once."""

    store: Store
    source: Source
    arm: Arm
    label: str
    """Unique in the result: part of every run's id."""
    oracle: Journal
    """The inline run of the same workload."""
    workload: Workload = THE_SOURCES
    """The source's own pipeline unless another is told."""
    variant: Variant | None = None
    session: int = 0
    block: int = 0
    phases: Iterator[float] = field(default_factory=lambda: spread(random.random()))  # noqa: S311 - an offset
    """In which parts of the engine's longest polling interval runs are submitted, one after another."""
    _count: Iterator[int] = field(default_factory=lambda: count(1))
    """Shared by all conductors that were made from one, so that no two runs have the same id."""
    _isolation: str = ""

    def __post_init__(self) -> None:
        if self.workload == THE_SOURCES:
            self.workload = Workload(self.source.pipeline.name)

    @property
    def steps(self) -> int:
        """How many steps a run has: as many as the plain loop's had."""
        return len(self.oracle.steps()) or self.workload.steps

    def graph(self, journal: Journal) -> Graph:
        """The graph of a run, with an instance for each of the many like steps that it or the plain loop had."""
        return self.workload.graph.unrolled((*self.oracle.steps(), *journal.steps()))

    def sample(
        self,
        observation: Observation | None,
        metric: str,
        unit: str,
        value: Any,
        note: str = "",
        *,
        params: Mapping[str, Any] = MappingProxyType({}),
        pipeline: str = "",
    ) -> None:
        """Store one raw observation of this session. `params` add to the workload's; `pipeline` is its, unless told."""
        arm = observation.run if observation else self.arm
        self.store.append(
            Sample(
                engine=arm.engine, version=arm.version, track=arm.track, mode=arm.mode, isolation=arm.isolation,
                metric=metric, unit=unit, value=value, note=note, session=self.session, block=self.block,
                pipeline=pipeline or self.workload.pipeline, params=self.workload.params | dict(params),
                warm_up=observation.run.warm_up if observation else False,
                run_id=observation.run.run_id if observation else "",
            )
        )  # fmt: skip

    def prepare(
        self, effects_dir: Path, scenario: str = "", faults: tuple[Fault, ...] = (), **changes: Any
    ) -> tuple[Run, Path]:
        """Make a run's folder and configuration; return its record so far and the configuration's path.

        `changes` replace settings of the pipeline. StorageError if there is no room for a run.
        """
        self.store.need_room()
        size = self.workload.label if self.workload.declared.shape else ""
        run_id = "-".join(filter(None, (self.label, f"{next(self._count):02d}", size, scenario)))
        folder = self.store.folder / "runs" / run_id
        settings = self.workload.settings | changes
        path = self.source.config(self.workload.pipeline, run_id, folder, effects_dir, faults, **settings).save()
        arm = {name: getattr(self.arm, name) for name in Arm.__struct_fields__}
        run = Run(
            run_id=run_id, scenario=scenario, session=self.session, block=self.block,
            pipeline=self.workload.pipeline, params=self.workload.params, **arm,
        )  # fmt: skip
        return run, path

    def served(
        self,
        session: Session,
        scenario: str = "",
        *,
        expected: Expected = RIGHT,
        warm_up: bool = False,
        within_s: float | None = None,
        asked: bool = False,
        meanwhile: Callable[[Path], AbstractContextManager[object]] = nullcontext,
        faults: tuple[Fault, ...] = (),
        **changes: Any,
    ) -> Observation:
        """Submit a run over the engine's API and watch it to its end, for `within_s` or else the track's limit.

        `meanwhile` is given the run's folder. The engine is asked meanwhile if something is broken, or with `asked`.
        """
        run, path = self.prepare(session.scratch / EFFECTS, scenario, faults, **changes)
        self.get_out_of_phase(session)
        load = LoadWatch(session.supervisor)
        run = self.submit(session, msgspec.structs.replace(run, warm_up=warm_up), path)
        limit = within_s or self._limit_s(session)
        quietly = None if asked or faults or expected != RIGHT else self._quiet(path.parent, load.stop)
        with meanwhile(path.parent):
            sightings, timed_out = watch(session, run.engine_run_id, limit, quietly=quietly)
        cpu_s = load.engine_cpu_s  # known by now if the last step was seen to end
        run = self.given_up(session, run) if timed_out else run
        said = last_word(session, run.engine_run_id, sightings)
        seen = self.conclude(run, tuple(sightings), expected=expected, timed_out=timed_out, status=said)
        return self._with_load(seen, load, cpu_s)

    def _limit_s(self, session: Session, runs: int = 1) -> float:
        """How long one of so many runs may take."""
        return limit_s(session.workspace.track, self.steps * runs)

    def _quiet(self, run_dir: Path, at_last_end: Callable[[], object], *, runs: int = 1) -> Quiet:
        """How a run is watched that is left alone, one of so many at once."""
        return Quiet(run_dir, self.steps, settle_s(self.steps * runs), at_last_end)

    def get_out_of_phase(self, session: Session) -> None:
        """Wait for the next part of the engine's longest polling interval, as before every submission."""
        time.sleep(next(self.phases) * longest_wait_s(session.adapter.polling()))

    def submit(self, session: Session, run: Run, config: Path) -> Run:
        """Submit a prepared run; return its record with the engine's id and both times."""
        submit_ns = now_ns()
        variant = self.variant.name if self.variant else ""
        engine_run_id, asked = ask(lambda: session.submit(self.workload.offered, config, variant))
        times = {"submit_ns": submit_ns, "accepted_ns": now_ns()}
        return with_asked(msgspec.structs.replace(run, engine_run_id=engine_run_id, **times), asked)

    def at_once(self, session: Session, runs: int, faults: tuple[Fault, ...] = ()) -> list[Observation]:
        """Submit so many runs at the same time and watch them all; in the order of submission."""
        prepared = [self.prepare(session.scratch / EFFECTS, faults=faults) for _ in range(runs)]
        self.get_out_of_phase(session)
        limit = self._limit_s(session, runs)

        interrupted = threading.Event()

        def one(run: Run, config: Path) -> Observation:
            run = self.submit(session, run, config)
            quietly = self._quiet(config.parent, nothing, runs=runs)
            sightings, timed_out = watch(session, run.engine_run_id, limit, quietly=quietly, stop=interrupted)
            if interrupted.is_set():
                raise EngineError(f"{run.run_id}: interrupted")
            if timed_out:
                run = self.given_up(session, run)
            said = last_word(session, run.engine_run_id, sightings)
            return self.conclude(run, tuple(sightings), timed_out=timed_out, status=said)

        with ThreadPoolExecutor(runs) as pool:
            try:
                return list(pool.map(lambda pair: one(*pair), prepared))
            except KeyboardInterrupt:
                interrupted.set()
                raise

    def resumed(self, session: Session, failed: Run, resume: Callable[[str], str]) -> Observation:
        """Resume a run with the engine's own means, and watch it to its end."""
        asked_ns = now_ns()
        engine_run_id, asked = ask(lambda: resume(failed.engine_run_id))
        run = msgspec.structs.replace(
            failed, engine_run_id=engine_run_id, asked_ns=asked_ns, terminal_ns=0, note="resumed", repeats=0,
            waited_s=0.0,
        )  # fmt: skip
        run = with_asked(run, asked)
        sightings, timed_out = watch(session, engine_run_id, self._limit_s(session))
        if timed_out:
            run = self.given_up(session, run)
        said = last_word(session, engine_run_id, sightings)
        return self.conclude(run, tuple(sightings), timed_out=timed_out, status=said)

    def process(self, supervisor: Supervisor, command: Command, run: Run) -> Observation:
        """Run a pipeline in a process of its own (local mode, inline); submit is the process's start."""
        load = LoadWatch(supervisor)
        process = supervisor.run(run.run_id, command, check=False)
        load.stop()
        if process.code != 0:
            cause = "".join(f": {line}" for line in process.tail().splitlines()[-1:])
            raise EngineError(f"{run.run_id}: ended with exit code {process.code}{cause}", process.tail())
        run = msgspec.structs.replace(
            run, submit_ns=process.started_ns, accepted_ns=process.started_ns, terminal_ns=process.ended_ns
        )
        observation = self.conclude(run, (), status=Status.COMPLETED)
        return self._with_load(observation, load)

    def conclude(
        self,
        run: Run,
        sightings: tuple[Sighting, ...],
        *,
        expected: Expected = RIGHT,
        timed_out: bool = False,
        status: Status | None = None,
        faulted: bool = False,
        helped: bool = False,
        keep: bool = False,
    ) -> Observation:
        """Judge a run that has ended, store everything known of it, and drop its bulky artifacts.

        `faulted`: something was struck from outside; `helped`: it was submitted again.
        `keep`: the artifacts stay, as the run may be resumed.
        """
        folder = self.store.folder / "runs" / run.run_id
        journal = read_journal(folder)
        last = sightings[-1].state if sightings else None
        # only the first inline run has nothing to judge it by; an engine's run without it is not known to be right
        reference = run.engine == INLINE and not self.oracle.attempts
        outcome = named(
            journal, last.status if last else status, expected,
            timed_out=timed_out, oracle=journal if reference else self.oracle, faulted=faulted, helped=helped,
        )  # fmt: skip
        run = msgspec.structs.replace(
            run,
            outcome=outcome,
            isolation=self._isolation_of(journal, outcome),
            terminal_ns=run.terminal_ns or next((s.t_ns for s in sightings if s.state.status.ended), 0),
        )
        observation = Observation(run, journal, sightings)
        verdicts = () if reference else self._judge(observation, last, expected)
        self._keep(folder, run, sightings, verdicts)
        if not (keep or (expected.asked and run.outcome in FAILED)):  # such a run may be resumed, and needs them
            self.tidy(run)
        return replace(observation, verdicts=verdicts)

    def _with_load(self, observation: Observation, load: LoadWatch, cpu_s: float | None = None) -> Observation:
        """Keep how many cores the rest of the host used meanwhile, where the host tells."""
        if (others_cores := load.stop()) is not None:
            self.sample(observation, "host.others_cores", "count", others_cores)
        return replace(observation, cpu_s=cpu_s)

    def _isolation_of(self, journal: Journal, outcome: str) -> str:
        """How steps are kept apart: a property of the arm, read from its last run in which nothing went wrong.

        Where something did, a hook may have run cleanup inside another step's process.
        """
        if outcome == "completed" or not self._isolation:
            self._isolation = journal.isolation()
        if self.variant and self.variant.isolation == POOL and self._isolation == "in-process":
            return POOL  # one step after another keeps a single process of the pool busy
        return self._isolation

    def _judge(self, observation: Observation, state: RunState | None, expected: Expected) -> tuple[Verdict, ...]:
        known = gate.Known(
            run_id=observation.run.run_id, engine=observation.run.engine, journal=observation.journal,
            oracle=self.oracle, state=state, graph=self.graph(observation.journal),
            makespan_s=observation.makespan_s, parallelism=PARALLELISM,
        )  # fmt: skip
        return gate.judged(known, expected)

    def _keep(self, folder: Path, run: Run, sightings: tuple[Sighting, ...], verdicts: tuple[Verdict, ...]) -> None:
        self.store.append(run)
        for verdict in verdicts:
            self.store.append(verdict)
        seen = [{"t_ns": s.t_ns, "status": s.state.status, "raw": s.state.raw} for s in sightings]
        earlier = len(list(folder.glob("engine*.json")))  # of the same run before it was resumed
        with storing(self.store.folder):
            (folder / f"engine{f'-{earlier + 1}' if earlier else ''}.json").write_text(json.dumps(seen, default=str))

    def tidy(self, run: Run) -> None:
        """Drop the bulky artifacts of a run."""
        for name in self.workload.declared.bulky:
            shutil.rmtree(self.store.folder / "runs" / run.run_id / name, ignore_errors=True)

    def given_up(self, session: Session, run: Run) -> Run:
        """Stop a run that did not end within its limit, if the engine can; the record says what came of it."""
        cancel = session.endpoint.abilities()[Ability.CANCEL]
        if not callable(cancel):
            return msgspec.structs.replace(run, note="given up; it cannot be cancelled")
        try:
            _, asked = ask(lambda: cancel(run.engine_run_id))
        except (httpx.HTTPError, ApiError) as error:  # a stuck engine may not hear it; the run is recorded anyway
            return msgspec.structs.replace(run, note=f"given up; not cancelled: {error}")
        return with_asked(msgspec.structs.replace(run, note="given up and cancelled"), asked)


def with_asked(run: Run, asked: Asked) -> Run:
    """The run's record with what it took to have something done about it."""
    repeats, waited_s = run.repeats + asked.repeats, run.waited_s + asked.waited_s
    return msgspec.structs.replace(run, repeats=repeats, waited_s=waited_s)


def inline_command(config: Path) -> Command:
    """The inline reference in a fresh interpreter of the harness's environment."""
    return Command((sys.executable, "-m", "bench.run.inline", str(config)), cwd=PROJECT)

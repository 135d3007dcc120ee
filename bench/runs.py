"""Submits runs, watches them over the engine's API and their journal, and keeps what was seen."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import msgspec

from bench import checkers
from bench.contract import Ability, Command, RunState, Status, Track
from bench.data import Source
from bench.errors import EngineError
from bench.history import History, read_history
from bench.planner import INLINE
from bench.results import Arm, Run, Sample, Verdict
from bench.session import Session
from bench.store import Store
from bench.supervisor import Supervisor
from bench.workspace import PARALLELISM, PROJECT
from core.journal import now_ns
from core.pipelines import TRAINING

POLL_S = 0.25
"""How often an engine's API is asked for a run's state; the same for all."""
SETTLE_LIMIT_S = 5.0
RUN_LIMIT_S = {Track.TUNED: 120.0, Track.STOCK: 900.0}
SUBMIT_OFFSET_S = {Track.TUNED: 1.0, Track.STOCK: 10.0}
"""Upper end of the random delay before a submission: the longest polling interval of the track's engines."""
WITHOUT_OUTPUT = ("order", "engine_record", "engine_times")
"""Checkers that also judge a run that failed."""
HEAVY = ("raw", "features", "model", "registry")


@dataclass(frozen=True, slots=True)
class Sighting:
    """The engine's own view of a run at one instant."""

    t_ns: int
    state: RunState


@dataclass(frozen=True, slots=True)
class Observation:
    """All that is known of one run."""

    run: Run
    history: History
    sightings: tuple[Sighting, ...] = ()
    verdicts: tuple[Verdict, ...] = ()

    @property
    def state(self) -> RunState | None:
        """The engine's last word; None if it has no record."""
        return self.sightings[-1].state if self.sightings else None

    @property
    def right(self) -> bool:
        """Whether the gate is passed: the same artifacts as inline, in the right order."""
        return all(v.verdict == "pass" for v in self.verdicts if v.checker in checkers.GATE)

    @property
    def makespan_s(self) -> float | None:
        """Submit to the last step's end."""
        end = self.history.last_end_ns()
        return (end - self.run.submit_ns) / 1e9 if end else None


@dataclass
class Conductor:
    """Conducts the runs of one session and stores each of them at once."""

    store: Store
    source: Source
    arm: Arm
    label: str
    """Unique in the result: part of every run's id."""
    oracle: History
    session: int = 0
    block: int = 0
    random: random.Random = field(default_factory=random.Random)
    _count: int = 0
    _isolation: str = ""

    def sample(self, observation: Observation | None, metric: str, unit: str, value: Any, note: str = "") -> None:
        """Store one raw observation of this session."""
        arm = observation.run if observation else self.arm
        self.store.append(
            Sample(
                engine=arm.engine, version=arm.version, track=arm.track, mode=arm.mode, isolation=arm.isolation,
                metric=metric, unit=unit, value=value, note=note, session=self.session, block=self.block,
                warm_up=observation.run.warm_up if observation else False,
                run_id=observation.run.run_id if observation else "",
            )
        )  # fmt: skip

    def prepare(self, registry: Path, scenario: str = "", **changes: Any) -> tuple[Run, Path]:
        """Make a run's folder and configuration; return its record so far and the configuration's path."""
        self._count += 1
        run_id = "-".join(filter(None, (self.label, f"{self._count:02d}", scenario)))
        folder = self.store.folder / "runs" / run_id
        path = self.source.config(run_id, folder, registry, **changes).save()
        arm = {name: getattr(self.arm, name) for name in Arm.__struct_fields__}
        return Run(run_id=run_id, scenario=scenario, session=self.session, block=self.block, **arm), path

    def served(
        self,
        session: Session,
        scenario: str = "",
        *,
        expected_failure: bool = False,
        warm_up: bool = False,
        **changes: Any,
    ) -> Observation:
        """Submit a run over the engine's API and watch it to its end or the track's limit."""
        run, path = self.prepare(session.scratch / "registry", scenario, **changes)
        track = session.workspace.track
        time.sleep(self.random.uniform(0, SUBMIT_OFFSET_S[track]))  # so that no engine is met in phase with its polling
        submit_ns = now_ns()
        engine_run_id = session.adapter.submit(TRAINING.name, path)
        run = msgspec.structs.replace(
            run, engine_run_id=engine_run_id, submit_ns=submit_ns, accepted_ns=now_ns(), warm_up=warm_up
        )
        sightings, timed_out = watch(session, engine_run_id, RUN_LIMIT_S[track])
        if timed_out:
            self._cancel(session, engine_run_id)
        return self.conclude(run, tuple(sightings), expected_failure=expected_failure, timed_out=timed_out)

    def resumed(self, session: Session, failed: Run, engine_run_id: str) -> Observation:
        """Watch a run that was resumed just now with the engine's own means, to its end."""
        run = msgspec.structs.replace(failed, engine_run_id=engine_run_id, terminal_ns=0, note="resumed")
        sightings, timed_out = watch(session, engine_run_id, RUN_LIMIT_S[session.workspace.track])
        return self.conclude(run, tuple(sightings), timed_out=timed_out)

    def process(self, supervisor: Supervisor, command: Command, run: Run) -> Observation:
        """Run a pipeline in a process of its own (local mode, inline); submit is the process's start."""
        process = supervisor.run(run.run_id, command, check=False)
        if process.code != 0:
            cause = "".join(f": {line}" for line in process.tail().splitlines()[-1:])
            raise EngineError(f"{run.run_id}: ended with exit code {process.code}{cause}", process.tail())
        run = msgspec.structs.replace(
            run, submit_ns=process.started_ns, accepted_ns=process.started_ns, terminal_ns=process.ended_ns
        )
        return self.conclude(run, (), status=Status.COMPLETED)

    def conclude(
        self,
        run: Run,
        sightings: tuple[Sighting, ...],
        *,
        expected_failure: bool = False,
        timed_out: bool = False,
        status: Status | None = None,
    ) -> Observation:
        """Judge a run that has ended, store everything known of it, and drop its bulky artifacts."""
        folder = self.store.folder / "runs" / run.run_id
        history = read_history(folder)
        last = sightings[-1].state if sightings else None
        # only the first inline run has nothing to judge it by; an engine's run without it is not known to be right
        reference = run.engine == INLINE and not self.oracle.attempts
        outcome = checkers.outcome(
            history, last.status if last else status, expected_failure=expected_failure,
            timed_out=timed_out, oracle=history if reference else self.oracle,
        )  # fmt: skip
        run = msgspec.structs.replace(
            run,
            outcome=outcome,
            isolation=self._isolation_of(history, outcome),
            terminal_ns=run.terminal_ns or next((s.t_ns for s in sightings if s.state.status.ended), 0),
        )
        observation = Observation(run, history, sightings)
        verdicts = () if expected_failure or reference else self._judge(observation, last)
        self._keep(folder, run, sightings, verdicts)
        return replace(observation, verdicts=verdicts)

    def _isolation_of(self, history: History, outcome: str) -> str:
        """How steps are kept apart: a property of the arm, read from its last run in which nothing went wrong.

        Where something did, a hook may have run cleanup inside another step's process.
        """
        if outcome == "completed" or not self._isolation:
            self._isolation = history.isolation()
        return self._isolation

    def _judge(self, observation: Observation, state: RunState | None) -> tuple[Verdict, ...]:
        judged = checkers.check(
            observation.history, self.oracle, state, TRAINING,
            run_id=observation.run.run_id, engine=observation.run.engine,
            makespan_s=observation.makespan_s, parallelism=PARALLELISM,
        )  # fmt: skip
        if state is None:  # a process of its own: no engine's record to compare
            return tuple(v for v in judged if not v.checker.startswith("engine_"))
        complete = state.status is Status.COMPLETED  # of an honest failure no output is expected
        return tuple(v for v in judged if complete or v.checker in WITHOUT_OUTPUT)

    def _keep(self, folder: Path, run: Run, sightings: tuple[Sighting, ...], verdicts: tuple[Verdict, ...]) -> None:
        self.store.append(run)
        for verdict in verdicts:
            self.store.append(verdict)
        seen = [{"t_ns": s.t_ns, "status": s.state.status, "raw": s.state.raw} for s in sightings]
        (folder / "engine.json").write_text(json.dumps(seen, default=str))
        if run.outcome != "failed as expected":  # such a run may be resumed, and needs them
            for name in HEAVY:
                shutil.rmtree(folder / name, ignore_errors=True)

    def _cancel(self, session: Session, engine_run_id: str) -> None:
        cancel = session.adapter.abilities()[Ability.CANCEL]
        if callable(cancel):
            with contextlib.suppress(httpx.HTTPError):  # a stuck engine may not hear it; the run is recorded anyway
                cancel(engine_run_id)


def watch(session: Session, engine_run_id: str, limit_s: float) -> tuple[list[Sighting], bool]:
    """Ask for a run's state until it has ended; return what was seen when it changed, and whether time ran out.

    After the run's end its steps are asked for a little longer: some engines record them later.
    """
    deadline = time.monotonic() + limit_s
    sightings: list[Sighting] = []
    while time.monotonic() < deadline:
        state = ask_state(session, engine_run_id)
        if state and (not sightings or _differs(state, sightings[-1].state)):
            ended_before = bool(sightings) and sightings[-1].state.status.ended
            sightings.append(Sighting(now_ns(), state))
            if state.status.ended and not ended_before:
                deadline = min(deadline, time.monotonic() + SETTLE_LIMIT_S)
        if state and state.status.ended and all(step.status.ended for step in state.steps.values()):
            break
        time.sleep(POLL_S)
    return sightings, not (sightings and sightings[-1].state.status.ended)


def ask_state(session: Session, engine_run_id: str) -> RunState | None:
    """The engine's view of a run; None while its API does not answer."""
    try:
        return session.adapter.state(engine_run_id)
    except httpx.HTTPError:
        return None


def _differs(one: RunState, other: RunState) -> bool:
    def essence(state: RunState) -> tuple[Status, Mapping[str, tuple[Status, int]]]:
        return state.status, {name: (step.status, step.attempts) for name, step in state.steps.items()}

    return essence(one) != essence(other)


def inline_command(config: Path) -> Command:
    """The inline reference in a fresh interpreter of the harness's environment."""
    return Command((sys.executable, "-m", "bench.inline", TRAINING.name, str(config)), cwd=PROJECT)

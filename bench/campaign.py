"""The main job: walks the plan, one engine's session at a time, and keeps whatever was measured."""

from __future__ import annotations

import random
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median

import httpx
import psutil

from bench.contract import registry
from bench.contract.endpoint import ApiError
from bench.contract.errors import EngineError, StorageError
from bench.contract.records import Arm, Cell, Failure, Manifest, Run, Sample
from bench.contract.words import Track
from bench.observe.describing import describe
from bench.observe.history import History, read_history
from bench.observe.reading import load
from bench.observe.store import Store
from bench.plan.budgets import CELLULAR, ESSENTIAL, Budget, Part
from bench.plan.planner import INLINE, SESSION_S, VERSION, Clock, Estimates, Planned
from bench.plan.workloads import Workload
from bench.questions import parts
from bench.questions.recovery.left_behind import SessionLostError
from bench.run.conductor import Conductor
from bench.run.source import Source
from bench.session import environments
from bench.session.bring_up import open_session
from bench.session.supervisor import Supervisor
from bench.session.workspace import clean_environment, make_scratch
from core.declaration import Shaped, pipelines

MAX_LOST = 20
"""How often an engine that did not survive a fault is given a new session in one block."""
TIMEOUT_FACTOR = 10.0
"""A step's time limit is at least so many times what the slowest step takes without an engine."""
MAX_FAILURES = 2
"""An arm that failed in so many sessions is not tried again."""
HEADLINES = {Part.FIRST: "setup.total_s", Part.SAMPLES: "runtime.makespan_s"}
"""Metrics in which an engine that failed gets a row that says so, by the part in which they are measured."""


@dataclass
class Job:
    """One result in the making."""

    store: Store
    manifest: Manifest
    source: Source
    budget: Budget
    blocks: list[list[Planned]]
    clock: Clock
    say: Callable[[str, float], None]
    """Told what runs now, and the seconds left."""
    oracles: dict[Workload, History] = field(default_factory=dict)
    """The plain loop's first run of each workload: what every other run must equal."""
    inline_runs: dict[Workload, list[dict[str, float]]] = field(default_factory=dict)
    environment_s: dict[str, float] = field(default_factory=dict)
    estimates: Estimates = field(default_factory=Estimates)
    failed_sessions: dict[tuple[str, Track], int] = field(default_factory=dict)
    not_installed: list[Failure] = field(default_factory=list)
    sessions: int = 0

    @property
    def plain(self) -> Workload:
        """The pipeline that is measured, as it is."""
        return Workload(self.source.pipeline.name)

    def inline_s(self, workload: Workload) -> Mapping[str, float]:
        """Step -> seconds, the median of the inline runs so far."""
        runs = self.inline_runs.get(workload, [])
        return {name: median(run[name] for run in runs) for name in (runs[0] if runs else ())}

    def run(self) -> None:
        """Measure block by block. After the first, only a block that still fits as a whole is begun."""
        self._recall()
        for number, block in enumerate(self.blocks):
            if number and self.clock.left_s() < self.estimates.sessions_s(block, ESSENTIAL):
                self._leave_out(block for block in self.blocks[number : self.budget.blocks])
                break
            self._block(block, self.blocks[number + 1 : self.budget.blocks], scarce=number == 0)
        self._go_on(next(iter(self.blocks), []))
        bad = any(cell.state != "done" for cell in self.manifest.cells) or bool(self.manifest.failures)
        self.finish("partial" if bad else "complete")

    def finish(self, state: str) -> None:
        """Close the manifest: `complete`, `partial` or `interrupted`."""
        self.manifest.state = state  # type: ignore[assignment]
        self.manifest.finished_utc = datetime.now(UTC).isoformat()
        self.store.save_manifest(self.manifest)

    def _recall(self) -> None:
        """Take over what an interrupted job has measured: the oracle, the baseline, the numbering."""
        self.store.mend()
        begun = (path.name.split("-")[0] for path in (self.store.folder / "logs").glob("[0-9]*-*"))
        self.sessions = max(map(int, begun), default=0)  # also one in which no run came to its end
        for run in (r for r in load(self.store.folder, Run) if r.engine == INLINE and r.outcome == "completed"):
            history = read_history(self.store.folder / "runs" / run.run_id)
            if self.oracles.setdefault(Workload.of(run), history) is not history:
                self.inline_runs.setdefault(Workload.of(run), []).append(history.step_times())
        self.manifest.cells = [cell for cell in self.manifest.cells if cell.state == "done"]
        self.manifest.failures = list(self.not_installed)

    def _block(self, block: list[Planned], later: list[list[Planned]], *, scarce: bool) -> None:
        """Measure a block; `later` are those that are planned after it."""
        done = {cell.name for cell in self.manifest.cells}
        for number, one in enumerate(block):
            share_s = self.estimates.share_s(self.clock.left_s(), block[number:])
            left = tuple(part for part in one.parts if one.cell(part) not in done)
            to_come = [*block[number + 1 :], *(session for planned in later for session in planned)]
            if left:
                spare_s = self.clock.left_s() - self.estimates.sessions_s(to_come, ESSENTIAL)
                until = time.monotonic() + min(spare_s, share_s if scarce else float("inf"))
                self._sessions(one, left, until)

    def _go_on(self, block: list[Planned]) -> None:
        """Measure in the time left what sessions have left out for want of their share, as others needed less."""
        short = [one for one in block if self._cheapest_s(one) + SESSION_S < self.clock.left_s()]
        begun = tuple(one.cell(part) for one in short for part in CELLULAR)
        cells = self.manifest.cells
        self.manifest.cells = [one for one in cells if one.state != "left_out" or not one.name.startswith(begun)]
        self._block(short, [], scarce=True)

    def _cheapest_s(self, one: Planned) -> float:
        """Estimated seconds of the cheapest cell that a session has left out; infinite if it has left out none."""
        names = tuple(one.cell(part, "") for part in CELLULAR)
        cells = (cell for cell in self.manifest.cells if cell.state == "left_out" and cell.name.startswith(names))
        return min((cell.estimated_s for cell in cells), default=float("inf"))

    def _sessions(self, one: Planned, left: tuple[Part, ...], until: float) -> None:
        """Run what is left of a session; where a fault cost the engine its health, go on in a new one."""
        for _ in range(MAX_LOST):
            if not self._session(one, left, until):
                return
            done = {cell.name for cell in self.manifest.cells}
            left = tuple(part for part in left if one.cell(part) not in done)
        for part in left:
            self._note(one, part, "failed", reason=f"the engine was lost {MAX_LOST} times; not tried again")

    def _session(self, one: Planned, left: tuple[Part, ...], until: float) -> bool:
        """Run what is left of a session, each part only if it fits before `until`; failures end it, not the job.

        Returns whether the engine was lost in it, so that another session has to finish its parts.
        """
        if hopeless := self._hopeless(one):
            for part in left:
                self._note(one, part, "failed", reason=hopeless)
            return False
        self.sessions += 1
        self.manifest.order.append(f"block {one.block}: {one.name} {one.track}")
        todo = [part for part in left if part not in (Part.ENVIRONMENT, Part.FIRST)]
        running: list[Part] = [left[0]]
        # without the oracle nothing else could be judged; a later block is begun for its plain runs
        unquestioned = ESSENTIAL if one.block > 1 else (Part.INLINE,)
        try:
            with self._opened(one, left, running) as bound:
                bound.until = until
                for part in todo:
                    running[0] = part
                    late = part not in CELLULAR and time.monotonic() + self.estimates.part_s(one, part) > until
                    if late and part not in unquestioned:
                        self._note(one, part, "left_out", reason="no time left in this budget")
                        continue
                    self._measured(one, part, lambda part=part: parts.MEASURES[part](bound))  # type: ignore[misc]
        except KeyboardInterrupt:
            self._note(one, running[0], "interrupted", reason="interrupted")
            raise
        except SessionLostError as reason:
            self.say(f"{one.name} {one.track}: a new session, because {reason}", self.clock.left_s())
            return True
        except StorageError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever an engine or its adapter does, the others go on
            lost = left[left.index(running[0]) :] if running[0] in left else left  # a resumed session starts anew
            self._failed(one, lost, running[0], error)
        return False

    def cell(
        self,
        one: Planned,
        topics: Sequence[str],
        measure: Callable[[], object],
        *,
        part: Part,
        seconds: float,
        until: float,
    ) -> None:
        """Measure one of many cells of a part, or several at once, if that fits before `until`.

        SessionLostError if the engine may be out of order afterwards.
        """
        note = partial(self._note_all, one, part, topics, seconds)
        if time.monotonic() + seconds > until:
            note("left_out", reason="no time left in this budget")
            return
        self.say(one.cell(part, ", ".join(topics)), self.clock.left_s())
        begin = time.monotonic()
        try:
            measure()
        except SessionLostError as error:
            reason = f"its session was replaced: {self.store.shorten(str(error))}"
            note("done", actual_s=time.monotonic() - begin, reason=reason)
            raise
        except (EngineError, ApiError, httpx.HTTPError, psutil.Error) as error:
            reason = self.store.shorten(" ".join(f"{type(error).__name__}: {error}".split()))
            note("failed", reason=reason)
            raise SessionLostError(f"{', '.join(topics)} could not be conducted: {reason}") from error
        note("done", actual_s=time.monotonic() - begin)

    def _hopeless(self, one: Planned) -> str:
        """Why a session need not be tried; empty if it should be."""
        if self.failed_sessions.get((one.name, one.track), 0) >= MAX_FAILURES:
            return f"failed in {MAX_FAILURES} sessions before; not tried again"
        if one.name != INLINE and self.plain not in self.oracles:
            return "the inline run failed, and without it nothing can be judged"
        return ""

    @contextmanager
    def _opened(self, one: Planned, left: tuple[Part, ...], running: list[Part]) -> Iterator[parts.Bound]:
        """A session of the arm, up if one of its parts needs that."""
        logs = self.store.folder / "logs" / f"{self.sessions:03d}-{one.name}-{one.track}"
        if one.name == INLINE:
            scratch = make_scratch()
            with Supervisor(scratch, clean_environment(scratch / "home", Path("/usr/bin")), logs) as supervisor:
                yield parts.Bound(self, one, self._conductor(one, ""), supervisor, scratch)
            return
        kind = registry.adapter(one.engine)
        environment = environments.require(one.environment)
        version = kind.install.version(environment)
        slowest_s = max(self.inline_s(self.plain).values(), default=0.0)
        with open_session(
            kind, one.track, environment, logs, self._deployed(one), variants=bool(one.chains),
            step_timeout_s=max(one.step_timeout_s, TIMEOUT_FACTOR * slowest_s),
        ) as session:  # fmt: skip
            describe(self.manifest, self.store, session)
            conductor = self._conductor(one, version)
            bound = parts.Bound(self, one, conductor, session.supervisor, session.scratch, session)
            if Part.ENVIRONMENT in left:
                running[0] = Part.ENVIRONMENT
                self._measured(one, Part.ENVIRONMENT, lambda: parts.MEASURES[Part.ENVIRONMENT](bound))
            if set(left) - {Part.ENVIRONMENT}:
                running[0] = Part.FIRST
                if Part.FIRST in left:
                    self._measured(one, Part.FIRST, lambda: parts.MEASURES[Part.FIRST](bound))
                else:
                    parts.again(bound)
            yield bound

    def _deployed(self, one: Planned) -> list[Shaped]:
        """What the session has to offer: the pipeline that is measured, like steps of each size, and companions."""
        like = [each for each in pipelines() if each.shape]
        fixed = [Shaped(each.name, {each.size: n}) for each in like if each.fixed_by for n in one.chains]
        free = [Shaped(each.name) for each in like if not each.fixed_by and one.chains]
        beside = self.plain.declared.companions.values() if one.operations else ()
        return [Shaped(self.plain.pipeline), *fixed, *free, *map(Shaped, beside)]

    def _conductor(self, one: Planned, version: str) -> Conductor:
        inline = one.name == INLINE
        arm = Arm(
            engine=one.name,
            version=version,
            track="none" if inline else one.track,
            mode="local" if inline else "served",
        )
        label = f"{self.sessions:03d}-{one.name.replace(VERSION, '-')}" + ("" if inline else f"-{one.track}")
        draw = random.Random(f"offsets {self.manifest.seed} {label}")  # noqa: S311 - submission offsets
        return Conductor(
            self.store,
            self.source,
            arm,
            label,
            self.oracles.get(self.plain, History()),
            session=self.sessions,
            block=one.block,
            random=draw,
        )

    def _measured(self, one: Planned, part: Part, measure: Callable[[], None]) -> None:
        self.say(one.cell(part), self.clock.left_s())
        begin = time.monotonic()
        measure()
        seconds = time.monotonic() - begin
        below = one.cell(part, "")
        states = {cell.state for cell in self.manifest.cells if cell.name.startswith(below)}
        if "left_out" in states:
            self._note(one, part, "left_out", actual_s=seconds, reason="not all of it fitted in this budget")
            return
        if "failed" in states:  # not done, or an interrupted result would not come back to it
            self._note(one, part, "failed", actual_s=seconds, reason="not all of it could be conducted")
            return
        self._note(one, part, "done", actual_s=seconds)
        if part not in CELLULAR:  # some of its cells may have been done before
            self.estimates.learn(one, part, seconds)

    def _note(
        self,
        one: Planned,
        part: Part,
        state: str,
        *,
        topic: str | None = None,
        guess_s: float | None = None,
        actual_s: float = 0.0,
        reason: str = "",
    ) -> None:
        guess_s = self.estimates.part_s(one, part) if guess_s is None else guess_s
        cell = Cell(
            name=one.cell(part, topic), engine=one.name, track="" if one.name == INLINE else one.track,
            pipeline=self.source.pipeline.name, block=one.block, question=part, topic=topic or "", estimated_s=guess_s,
            state=state, actual_s=actual_s, reason=reason,  # type: ignore[arg-type]
        )  # fmt: skip
        self.manifest.cells.append(cell)
        self.store.save_manifest(self.manifest)

    def _note_all(
        self, one: Planned, part: Part, topics: Sequence[str], guess_s: float, state: str, *,
        actual_s: float = 0.0, reason: str = "",
    ) -> None:  # fmt: skip
        """Of cells that are measured at once each has its part of the seconds that they took."""
        for topic in topics:
            took_s = actual_s / len(topics)
            self._note(one, part, state, topic=topic, guess_s=guess_s, actual_s=took_s, reason=reason)

    def _failed(self, one: Planned, lost: tuple[Part, ...], part: Part, error: Exception) -> None:
        known = isinstance(error, EngineError)
        message = self.store.shorten(str(error) if known else f"{type(error).__name__}: {error}")
        log_tail = error.log_tail if isinstance(error, EngineError) else traceback.format_exc()
        arm = one.name, one.track
        self.failed_sessions[arm] = self.failed_sessions.get(arm, 0) + 1
        self.manifest.failures.append(
            Failure(
                engine=one.name,
                track=one.track,
                phase=part,
                message=message,
                log_tail=self.store.shorten(log_tail),
            )
        )
        self.say(f"{one.cell(part)}: failed: {message}", self.clock.left_s())
        for metric in (metric for measuring, metric in HEADLINES.items() if measuring in lost):
            self.store.append(
                Sample(
                    engine=one.name, track=one.track, mode="served", pipeline=self.source.pipeline.name, metric=metric,
                    unit="s", value=None, session=self.sessions, block=one.block, note=f"failed: {message}",
                )
            )  # fmt: skip
        for name in lost:
            self._note(one, name, "failed", reason=message)

    def _leave_out(self, blocks: Iterator[list[Planned]]) -> None:
        done = {cell.name for cell in self.manifest.cells}
        for one in (one for block in blocks for one in block):
            for part in (part for part in one.parts if one.cell(part) not in done):
                self._note(one, part, "left_out", reason="no time left for another whole block")

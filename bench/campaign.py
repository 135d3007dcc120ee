"""The campaign: walks the queue of cells, one engine's session at a time, and keeps whatever was measured."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import cast

import httpx
import psutil

from bench.contract import registry
from bench.contract.endpoint import ApiError
from bench.contract.errors import ChangedError, EngineError, StorageError
from bench.contract.records import NO_PIPELINE, Failure, Sample
from bench.contract.words import Track
from bench.observe import calibration
from bench.observe.calibration import calibrated
from bench.plan.arms import INLINE
from bench.plan.cell import Cell, Planned, coming, course, parts, sessions, waiting
from bench.plan.costs import Clock, Estimates
from bench.plan.workloads import Workload
from bench.questions.bound import Bound
from bench.questions.ledger import Ledger
from bench.questions.opened import opened
from bench.questions.record import Question
from bench.questions.recovery.left_behind import SessionLostError

MAX_LOST = 20
"""How often an engine that did not survive a fault is given a new session in one block."""
SHARPEN_EVERY_S = 300.0
"""Within a part that lasts longer."""
MAX_FAILURES = 2
"""An arm that failed in so many sessions is not tried again."""
LATE = "no time left in this budget"
IN_A_CELL = (EngineError, ApiError, httpx.HTTPError, psutil.Error)
"""What goes wrong where something is broken on purpose: it concerns that cell alone."""
UNANSWERED = (ApiError, httpx.HTTPError)
"""What an engine's API may answer, or not, to one request: it ends the cell that asked, and the session goes on."""


@dataclass
class Campaign:
    """One result in the making."""

    ledger: Ledger
    queue: list[Cell]
    clock: Clock
    say: Callable[[str, float], None]
    """Told what runs now, and the seconds left."""
    sharpen: Callable[[str], None] = lambda _: None
    """Called after each part, and in a long one now and then, with what was measured: the report can be written anew.
    Never between the runs that are timed."""
    estimates: Estimates = field(default_factory=Estimates)
    failed_sessions: dict[tuple[str, Track, str], int] = field(default_factory=dict)
    not_installed: list[Failure] = field(default_factory=list)
    sessions: int = 0
    sharpened_s: float = field(default_factory=time.monotonic)

    def run(self) -> None:
        """Measure what is planned; then more whole blocks while each still fits."""
        self.sessions = self.ledger.recall(self.not_installed)
        blocks = self.ledger.budget.blocks
        planned = [one for one in self.queue if one.planned.block <= blocks]
        self._tell_coming(planned)
        self._planned(planned)
        self._go_on(planned)
        self._more([one for one in self.queue if one.planned.block > blocks])
        manifest = self.ledger.manifest
        bad = any(cell.state != "done" for cell in manifest.cells) or bool(manifest.failures)
        self.finish("partial" if bad else "complete")

    def finish(self, state: str) -> None:
        """Close the manifest: `complete`, `partial` or `interrupted`."""
        manifest = self.ledger.manifest
        manifest.state = state  # type: ignore[assignment]
        manifest.coming = manifest.coming if state == "interrupted" else []
        manifest.finished_utc = datetime.now(UTC).isoformat()
        self.ledger.store.save_manifest(manifest)

    def _more(self, cells: Sequence[Cell]) -> None:
        """Measure whole blocks in the time that is left."""
        for block in parts(cells):
            if self.clock.left_s() < self.estimates.essential_s(block):
                return
            if waiting(block, self.ledger.noted):
                self._block(block, [])
                self._sharpen(self._coming(block)[0])

    def _planned(self, cells: Sequence[Cell]) -> None:
        """Measure block by block. After the first, only what fits as a whole is begun of the sessions in which arms
        are timed; what follows them is measured as far as it fits."""
        later, short = list(cells), False
        for part in parts(cells):
            later = later[len(part) :]
            if not waiting(part, self.ledger.noted):
                continue  # measured before the result was resumed
            short = short or (part[0] is not cells[0] and self.clock.left_s() < self.estimates.essential_s(part))
            if short and self.estimates.essential_s(part):
                for one in waiting(part, self.ledger.noted):
                    self._note(one, "left_out", reason="no time left for another whole block")
                self._tell_coming(later)
            else:
                self._block(part, later)
                self._tell_coming(later)
                self._sharpen(self._coming(part)[0])

    def _sharpen(self, what: str, after_s: float = 0.0) -> None:
        if time.monotonic() - self.sharpened_s >= after_s:
            self.sharpen(what)
            self.sharpened_s = time.monotonic()

    def _tell_coming(self, later: Sequence[Cell]) -> None:
        self.ledger.manifest.coming = self._coming(waiting(later, self.ledger.noted))
        self.ledger.store.save_manifest(self.ledger.manifest)

    def _coming(self, cells: Sequence[Cell]) -> list[str]:
        """Parts of the plan as people call them. A few questions alone need fewer blocks than the budget has."""
        blocks = {one.planned.block for one in self.queue}
        return coming(cells, max((one for one in blocks if one <= self.ledger.budget.blocks), default=0))

    def _block(self, block: Sequence[Cell], later: Sequence[Cell]) -> None:
        """Measure a block; `later` is what is planned after it."""
        rest = list(block)
        for session in sessions(block):
            share_s = self.estimates.share_s(self.clock.left_s(), rest)
            rest = rest[len(session) :]
            left = waiting(session, self.ledger.noted)
            if left:
                spare_s = self.clock.left_s() - self.estimates.essential_s([*rest, *later])
                self._sessions(session[0].planned, left, time.monotonic() + min(spare_s, share_s))
                self._sharpen(session[0].planned.title, SHARPEN_EVERY_S)

    def _go_on(self, planned: Sequence[Cell]) -> None:
        """Measure in the time left what sessions have left out for want of their share, as others needed less."""
        out = self.ledger.left_out(one for one in planned if not one.essential)
        short = [own for own in sessions(out) if self.estimates.opened_s(course(own, self.queue)) < self.clock.left_s()]
        cells = [one for own in short for one in own]
        self.ledger.forget(cells)
        self._block(cells, [])

    def _sessions(self, planned: Planned, left: list[Cell], until: float) -> None:
        """Measure what is left of a session; where a fault cost the engine its health, go on in a new one."""
        for _ in range(MAX_LOST):
            self._require_unchanged()
            try:
                lost = self._session(planned, left, until)
            finally:
                self._require_unchanged(left)
            if not lost:
                return
            left = waiting(left, self.ledger.noted)
        self._note_all(left, f"the engine was lost {MAX_LOST} times; not tried again")

    def _require_unchanged(self, measured: Sequence[Cell] = ()) -> None:
        """ChangedError if data or code are not what the result was begun with; what the last session has `measured` is
        put aside, for nobody knows by which of the two it was."""
        if not (changed := self.ledger.changed()):
            return
        if measured:
            doubtful = [each for one in measured for each in one.keys]
            self.ledger.put_aside(lambda one: one.session == self.sessions, doubtful)
        what, then = self.ledger.told(changed), self.ledger.go_on
        raise ChangedError(f"{what}: changed while it was measured; all before is kept; restore it, then: {then}")

    def _session(self, planned: Planned, left: list[Cell], until: float) -> bool:
        """Measure what is left of a session, each cell only if it fits before `until`; failures end it alone.

        Returns whether the engine was lost in it, so that another session has to finish its cells.
        """
        if self._is_hopeless(planned, left, until):
            return False
        self.sessions += 1
        self.ledger.manifest.order.append(f"block {planned.block}: {planned.name} {planned.track}")
        running = [left[0]]
        try:
            with calibrated(partial(self._calibration, planned)), opened(self.ledger, planned, self.sessions) as bound:
                for one in course(left, self.queue):
                    running[0] = one
                    self._one(bound, one, until, again=one not in left)
        except KeyboardInterrupt:
            for one in waiting([running[0], *left], self.ledger.noted)[:1]:
                self._note(one, "interrupted", reason="interrupted")
            raise
        except SessionLostError as reason:
            self.say(f"{planned.name} {planned.track}: a new session, because {reason}", self.clock.left_s())
            return True
        except StorageError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever an engine or its adapter does, the others go on
            self._failed(running[0], left, error)
        return False

    def _one(self, bound: Bound, cell: Cell, until: float, *, again: bool) -> None:
        """Measure a cell, or do once more what others in its session need of it."""
        if not (cell.opening or cell.essential):
            self._sharpen(cell.planned.title, SHARPEN_EVERY_S)
        if again:
            cast("Question", cell.question).again(bound)
        else:
            self._cell(bound, cell, until)

    def _is_hopeless(self, planned: Planned, left: list[Cell], until: float) -> bool:
        """Whether a session need not be begun; the reason is noted."""
        if not (planned.loop or registry.code_for(planned.engine, planned.pipeline)):
            self._give_up(planned, left, "no code for this pipeline")
            return True
        if hopeless := self._hopeless(planned):
            self._note_all(left, hopeless)
        elif planned.topic and time.monotonic() + self.estimates.opened_s(course(left, self.queue)) > until:
            hopeless = LATE
            for one in left:
                self._note(one, "left_out", reason=LATE)
        return bool(hopeless)

    def _cell(self, bound: Bound, cell: Cell, until: float) -> None:
        """Measure a cell, if it fits before `until`.

        Where things are broken on purpose, SessionLostError if the engine may be out of order afterwards.
        """
        if self._late(cell, until):
            self._note(cell, "left_out", reason=LATE)
            return
        self.say(cell.title, self.clock.left_s())
        question, begin = cast("Question", cell.question), time.monotonic()
        try:
            question.measure(bound, cell)
        except SessionLostError as error:
            if question.breaks:
                reason = f"its session was replaced: {self.ledger.store.shorten(str(error))}"
                self._note(cell, "done", actual_s=time.monotonic() - begin, reason=reason)
            raise
        except IN_A_CELL as error:
            if question.breaks:
                raise self._lost(cell, error) from error
            if cell.opening or not isinstance(error, UNANSWERED):
                raise
            self._give_up(cell.planned, [cell], self._failure(cell, error))
            return
        self._note(cell, "done", actual_s=time.monotonic() - begin)
        self.estimates.learn(cell, time.monotonic() - begin)

    def _lost(self, cell: Cell, error: Exception) -> SessionLostError:
        """Note that a cell could not be conducted that breaks things: what is left of that may disturb others."""
        reason = self.ledger.store.shorten(" ".join(f"{type(error).__name__}: {error}".split()))
        self._note(cell, "failed", reason=reason)
        return SessionLostError(f"{', '.join(cell.topics)} could not be conducted: {reason}")

    def _late(self, cell: Cell, until: float) -> bool:
        """Whether there is no time for a cell. A block is begun for its essential cells, the first for its oracle."""
        if cell.opening or (cell.essential and (cell.planned.block > 1 or cell.planned.loop)):
            return False
        left_s = self.clock.left_s() if cell.essential else until - time.monotonic()
        return self.estimates.cell_s(cell) > left_s

    def _hopeless(self, planned: Planned) -> str:
        """Why a session need not be tried; empty if it should be."""
        if self.failed_sessions.get((planned.name, planned.track, planned.pipeline), 0) >= MAX_FAILURES:
            return f"failed in {MAX_FAILURES} sessions before; not tried again"
        if not planned.loop and Workload(planned.pipeline) not in self.ledger.oracles:
            return "the inline run failed, and without it nothing can be judged"
        return ""

    def _calibration(self, planned: Planned, seconds: float) -> None:
        sample = Sample(
            engine=INLINE, metric=calibration.METRIC, unit="s", value=seconds, pipeline=NO_PIPELINE,
            session=self.sessions, block=planned.block,
        )  # fmt: skip
        self.ledger.store.append(sample)

    def _note(self, cell: Cell, state: str, *, actual_s: float = 0.0, reason: str = "") -> None:
        self.ledger.note(cell, state, self.estimates.cell_s(cell), actual_s=actual_s, reason=reason)

    def _note_all(self, cells: Sequence[Cell], reason: str) -> None:
        for one in cells:
            self._note(one, "failed", reason=reason)

    def _failed(self, cell: Cell, left: list[Cell], error: Exception) -> None:
        """Note that a session has failed in a cell: it is lost, with all that was to follow."""
        planned = cell.planned
        lost = waiting(left[left.index(cell) :] if cell in left else left, self.ledger.noted)
        arm = planned.name, planned.track, planned.pipeline
        self.failed_sessions[arm] = self.failed_sessions.get(arm, 0) + 1
        self._give_up(planned, lost, self._failure(cell, error))

    def _failure(self, cell: Cell, error: Exception) -> str:
        """Keep what went wrong in a cell, and return it in a line or two."""
        ledger, planned = self.ledger, cell.planned
        message = ledger.store.shorten(
            str(error) if isinstance(error, EngineError) else f"{type(error).__name__}: {error}"
        )
        log_tail = error.log_tail if isinstance(error, EngineError) else traceback.format_exc()
        ledger.manifest.failures.append(
            Failure(
                engine=planned.name, track=planned.track, phase=cell.question.key, message=message,
                log_tail=ledger.store.shorten(log_tail),
            )
        )  # fmt: skip
        self.say(f"{cell.title}: failed: {message}", self.clock.left_s())
        return message

    def _give_up(self, planned: Planned, lost: Sequence[Cell], reason: str) -> None:
        """Note that cells are not measured; where a reader looks first there is a row that says why."""
        for metric in dict.fromkeys(one.question.failed_as for one in lost if one.question.failed_as):
            self.ledger.store.append(
                Sample(
                    engine=planned.name, track=planned.track, mode="served", metric=metric, unit="s", value=None,
                    pipeline=planned.pipeline, session=self.sessions, block=planned.block, note=f"failed: {reason}",
                )
            )  # fmt: skip
        self._note_all(lost, reason)

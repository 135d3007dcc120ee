"""What a broken run leaves behind in its session: processes, slots, a service that is not itself any more."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Event

import httpx
import psutil

from bench.contract.endpoint import ApiError
from bench.contract.errors import EngineError
from bench.contract.words import Ability, Status
from bench.judge.findings import Finding, Found
from bench.judge.outcome import WHOLE
from bench.observe.journal import Journal, most_at_once, read_journal
from bench.observe.watching import BROKEN_POLL_S, limit_s
from bench.plan.workloads import PROBE
from bench.questions.recovery.telling import people
from bench.run.conductor import Conductor
from bench.run.observation import Observation
from bench.session.bring_up import Session
from bench.session.workspace import PARALLELISM
from core.declaration import Step
from core.instrument import journal as written
from core.instrument.config import Fault
from core.instrument.journal import now_ns

GRACE_S = 2.0
"""A process that ends within this time after the run's end is none that was left."""
ORPHAN_LIMIT_S = 15.0
LOOK_S = 0.1
PROBE_STEP_S = 6.0
"""How long each of the probe's steps lasts unless all run at once before, however slowly an engine starts them."""
PROBE_LIMIT_S = 60.0
MARGIN_S = 60.0
"""How much longer than its own limit a run is waited for: so long it takes engines to notice, and to make up for it."""


class SessionLostError(EngineError):
    """An engine that did not come back healthy: its session is torn down, and another one takes its place."""


def orphans(session: Session, run_dir: Path, ended_ns: int) -> Found:
    """Count the processes of the run's steps that worked or lived on after the engine had called it ended, just now,
    and time how long; then end those that are left."""
    known = _processes(session, _pids(run_dir))
    _, left = psutil.wait_procs(known, timeout=GRACE_S)
    _, alive = psutil.wait_procs(left, timeout=ORPHAN_LIMIT_S - GRACE_S) if left else ([], [])
    lasted_s = (now_ns() - ended_ns) / 1e9 if left else 0.0
    _end(session, alive)
    busy = _worked_on_s(run_dir, ended_ns)
    count = len(set(busy) | {process.pid for process in left})
    note = f"> {ORPHAN_LIMIT_S:.0f} s" if alive else ""
    seconds = None if alive else max([lasted_s, *busy.values()])
    return {"orphans": Finding("count", float(count)), "orphan_s": Finding("s", seconds, note)}


def never_ended(session: Session, run_dir: Path) -> Found:
    """Of a run that was given up, nothing was left after its end; its processes are ended all the same."""
    _end(session, _processes(session, _pids(run_dir)))
    return {
        leaf: Finding(unit, None, "the run never ended") for leaf, unit in (("orphans", "count"), ("orphan_s", "s"))
    }


def _end(session: Session, processes: Iterable[psutil.Process]) -> None:
    for process in processes:
        with suppress(EngineError):  # it may have ended just now
            session.supervisor.signal(process.pid, signal.SIGKILL)


def _worked_on_s(run_dir: Path, ended_ns: int) -> dict[int, float]:
    """Process -> seconds that its step went on after the run's end was seen."""
    later = ended_ns + BROKEN_POLL_S * 1e9  # what was seen may have happened that much earlier
    return {
        one.pid: (one.end_ns - ended_ns) / 1e9
        for one in read_journal(run_dir).attempts
        if one.end_ns and one.start_ns < ended_ns and one.end_ns > later
    }


def _pids(run_dir: Path) -> set[int]:
    """Of all attempts, and of what they started on purpose."""
    records = written.read(run_dir)
    return {int(pid) for record in records for pid in (record["pid"], *record.get("children", ()))}


def _processes(session: Session, pids: set[int]) -> list[psutil.Process]:
    """Those that live in this session and are no service of it."""
    services = {process.pid for process in session.processes.values()}
    ours = psutil.Process(session.supervisor.guardian_pid).children(recursive=True)
    return [one for one in ours if one.pid in pids - services and _lives(one)]


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _like_steps() -> list[Step]:
    """Those of the probe that may run at once."""
    (like,) = (step for step in PROBE.graph if step.many)
    return [like.instance(number) for number in range(1, PROBE.size + 1)]


def probe(conductor: Conductor, session: Session) -> Found:
    """Run as many steps at once as may run. Raises SessionLostError if such a run does not complete any more."""
    full = session.scratch / f"full-{now_ns()}"
    slow = tuple(Fault(step.name, "slow", attempts=0, seconds=PROBE_STEP_S, until=str(full)) for step in _like_steps())
    let_go = partial(_let_go_when_full, full=full)
    seen = conductor.served(session, "probe", within_s=PROBE_LIMIT_S, meanwhile=let_go, faults=slow)
    if not (seen.right and seen.run.outcome in WHOLE):
        raise SessionLostError(f"{conductor.arm.engine}: the run after it ended as {seen.run.outcome}")
    return {"leaked_slots": _leaked(session.workspace.at_once_over_all, seen.journal)}


def _leaked(shared: int | None, journal: Journal) -> Finding:
    """Slots are lost to the next run only if runs share them: with those that each brings itself none can be lost."""
    if shared is None:
        return Finding("count", None, "not applicable: no limit that runs share is set, and each brings its own slots")
    if shared > PARALLELISM:
        reason = f"one run fills {PARALLELISM} of the {shared} slots that runs share, and cannot tell"
        return Finding("count", None, f"not applicable: {reason}")
    return Finding("count", float(shared - most_at_once(journal)))


@contextmanager
def _let_go_when_full(run_dir: Path, full: Path) -> Iterator[None]:
    """Meanwhile let the probe's slow steps end as soon as all of them run at once; else each ends by itself."""
    stop = Event()

    def look() -> None:
        while not stop.wait(LOOK_S):
            if _under_way(read_journal(run_dir)) >= PARALLELISM:
                full.touch()
                return

    with ThreadPoolExecutor(1) as aside:
        looking = aside.submit(look)
        try:
            yield
        finally:
            stop.set()
    looking.result()


def _under_way(journal: Journal) -> int:
    """Steps whose last attempt has not ended."""
    return sum(journal.attempts_of(step)[-1].end_ns is None for step in journal.steps())


def helped(conductor: Conductor, session: Session, seen: Observation) -> tuple[str, Journal | None]:
    """What people have to do about a run that did not complete by itself: one call of the API, if that is enough.

    Also the run's journal with what that call led to.
    """
    resume = session.endpoint.abilities()[Ability.RESUME]
    called_complete = seen.state is not None and seen.state.status is Status.COMPLETED
    if called_complete or not callable(resume):
        return "run the whole pipeline again", None
    try:
        if session.endpoint.status(seen.run.engine_run_id) is Status.COMPLETED:
            return "by then the engine called the run completed after all", None
        again = conductor.resumed(session, seen.run, resume)
    except (EngineError, ApiError, httpx.HTTPError) as error:
        return f"more than one API call: resuming failed: {' '.join(str(error).split())}", None
    enough = again.right and again.run.outcome in WHOLE
    said = (
        people("resume", again.run) if enough else f"more than one API call: resumed, it ended as {again.run.outcome}"
    )
    return said, again.journal


def patience_s(conductor: Conductor, session: Session) -> float:
    """How long a run is waited for: longer than its own limit, if its pipeline declares one."""
    own_s = conductor.workload.declared.timeout_factor * session.step_timeout_s
    return max(limit_s(session.workspace.track, 0), own_s + MARGIN_S)

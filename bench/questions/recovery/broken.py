"""A run that is broken: submitted, struck, watched, and judged once all that outlives it has ended."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import httpx
import msgspec

from bench.contract.endpoint import ApiError
from bench.contract.errors import EngineError
from bench.contract.records import Run
from bench.judge import missed as judge
from bench.judge.findings import Found
from bench.judge.outcome import WHOLE
from bench.observe.watching import last_word, watch
from bench.plan.scenarios.record import Aimed, When
from bench.questions.recovery import left_behind as aftermath
from bench.run.conductor import EFFECTS, Conductor
from bench.run.faults.manager import ProcessManager
from bench.run.faults.nemesis import Armed, armed
from bench.run.faults.targets import roles_of
from bench.run.observation import Observation
from bench.session.bring_up import Session
from core.declaration import Graph


@dataclass(frozen=True, slots=True)
class Broken:
    """A run that was broken, and how."""

    scenario: Aimed
    seen: Observation
    left: Found
    """What was found of processes that outlived the run."""
    armed: Armed | None = None
    resubmitted: bool = False


def conduct(
    conductor: Conductor, session: Session, scenario: Aimed, manager: ProcessManager, stop: Event | None = None
) -> Broken:
    """Submit a run, break it, watch it until it ends or patience does, and wait for what outlives it.

    Only then is the run judged: what outlives it may still have effects. Raises EngineError once `stop` is set.
    """
    run, path = conductor.prepare(session.scratch / EFFECTS, scenario.key, faults=scenario.faults)
    conductor.get_out_of_phase(session)
    with ThreadPoolExecutor(1) as aside:
        outliving: list[Future[Found]] = []

        def ended(t_ns: int) -> None:
            outliving.append(aside.submit(aftermath.orphans, session, path.parent, t_ns))

        with _broken(scenario, run, path.parent, conductor.graph(conductor.oracle), manager) as nemesis:
            run, resubmitted = _submitted(conductor, session, run, path, nemesis)
            patience_s = aftermath.patience_s(conductor, session)
            sightings, timed_out = watch(session, run.engine_run_id, patience_s, stop=stop, on_end=ended)
        if stop and stop.is_set():
            raise EngineError(f"{run.run_id}: interrupted")
        said = last_word(session, run.engine_run_id, sightings)
        if timed_out:
            run = conductor.given_up(session, run)
        left = outliving[0].result() if outliving else aftermath.never_ended(session, path.parent)
    struck = nemesis.strikes if nemesis else []
    for strike in struck:
        conductor.store.append(strike)
    seen = conductor.conclude(
        run, tuple(sightings), expected=scenario.expected, timed_out=timed_out, status=said,
        faulted=bool(struck), helped=resubmitted, keep=True,
    )  # fmt: skip
    return Broken(scenario, seen, left, nemesis, resubmitted)


@contextmanager
def _broken(scenario: Aimed, run: Run, run_dir: Path, graph: Graph, manager: ProcessManager) -> Iterator[Armed | None]:
    if scenario.nemesis is None:
        yield None
        return
    with armed(manager.session, scenario.nemesis, run.run_id, run_dir, graph) as nemesis:
        if scenario.nemesis.action.starts_again:
            manager.leave(roles_of(manager.session, scenario.nemesis.target), nemesis.healed)
        yield nemesis


def _submitted(conductor: Conductor, session: Session, run: Run, path: Path, nemesis: Armed | None) -> tuple[Run, bool]:
    """Submit; where the API breaks meanwhile, once more as soon as it answers again, as a user would.

    Whether the first submission was heard is then seen from the effects.
    """
    try:
        return conductor.submit(session, run, path), False
    except (httpx.HTTPError, ApiError):
        if nemesis is None or nemesis.nemesis.at.when is not When.SUBMIT:
            raise
        nemesis.healed.wait()
        submitted = conductor.submit(session, run, path)
        return msgspec.structs.replace(submitted, note="submitted again after an error"), True


def missed(broken: Broken) -> str:
    """Why a fault has not struck where it was meant to, and what became of the run all the same; empty if it has."""
    armed, run = broken.armed, broken.seen.run
    reason = judge.missed(
        broken.scenario, broken.seen.journal, armed.strikes if armed else (),
        accepted_ns=0 if broken.resubmitted else run.accepted_ns, problem=armed.problem if armed else "",
    )  # fmt: skip
    beside = "" if run.outcome in WHOLE else f"; the run: {run.outcome}"
    return f"{reason}{beside}" if reason else ""

"""Ten days in a row, by the engine's own backfill: one day's data come late, or the scheduler is killed meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import httpx
import msgspec

from bench.contract.endpoint import ApiError
from bench.contract.records import Run
from bench.contract.targets import Target
from bench.contract.words import Ability, Backfills, Status
from bench.judge.findings import Finding, Found
from bench.judge.missed import outside, unmarked
from bench.judge.people import Filed
from bench.observe.journal import read_journal
from bench.observe.watching import BROKEN_POLL_S
from bench.plan.scenarios.record import MIDDLE_S, Action, Moment, Nemesis, Scenario, When
from bench.plan.workloads import Workload
from bench.questions.recovery.left_behind import SessionLostError
from bench.questions.recovery.repair import extra_lines
from bench.questions.recovery.telling import not_met, people, store
from bench.run.conductor import EFFECTS, Conductor, with_asked
from bench.run.faults.manager import managed
from bench.run.faults.nemesis import Armed, armed
from bench.run.faults.targets import absent, roles_of
from bench.session.asking import Asked, ask
from bench.session.bring_up import Session
from core.declaration import Companion, Graph, Step, pipeline
from core.instrument.config import Fault, FaultKind
from core.instrument.journal import now_ns

FIRST = date(2026, 1, 1)
"""The first day of the built-in data."""
DAYS, OTHER_DAYS = (
    tuple((FIRST + timedelta(days=number)).isoformat() for number in range(begin, begin + 10)) for begin in (0, 10)
)
"""Of late data, and of the killed scheduler: an engine passes over days that it has run before, as it should."""
LATE = DAYS[4]
STRUCK = OTHER_DAYS[5]
LIMIT_S = 180.0
RUN_MISSING = "run the missing days"


@dataclass(frozen=True, slots=True)
class ByDay:
    """The pipeline that files one day in each of its runs."""

    name: str
    graph: Graph
    step: Step
    """The one of which there is an instance for each day."""

    @classmethod
    def of(cls, conductor: Conductor) -> ByDay:
        """What people run beside the conductor's pipeline."""
        declared = pipeline(conductor.workload.declared.companions[Companion.BY_DAY])
        graph = declared.graph({})
        (step,) = (one for one in graph if one.many)
        return cls(declared.name, graph, step)

    def of_day(self, day: str) -> str:
        """The name of the step that files a day."""
        return self.step.instance(day).name


def filed(run_dir: Path, by_day: ByDay, days: Sequence[str]) -> Filed:
    """What the effects say of some days."""
    return Filed.of(read_journal(run_dir), {day: by_day.of_day(day) for day in days})


def late_data(conductor: Conductor, session: Session, scenario: Scenario) -> None:
    """Run ten days while the data of one are not there; then they come, and what is missing is run."""
    arrived = session.scratch / f"arrived-{now_ns()}"
    by_day = ByDay.of(conductor)
    own = replace(conductor, workload=Workload(by_day.name))
    late = Fault(by_day.of_day(LATE), FaultKind.LATE, attempts=0, until=str(arrived))
    run, path = own.prepare(session.scratch / EFFECTS, scenario.key, faults=(late,))
    means = _means(session)
    started, asked = ask(lambda: means.start(by_day.name, path, DAYS))
    backfill, said = _until_ended(means, started)
    before = filed(path.parent, by_day, DAYS)
    unmet = unmarked((late,), read_journal(path.parent))
    arrived.touch()
    begin = now_ns()
    again, more = ask(lambda: means.again(backfill))
    run = with_asked(with_asked(msgspec.structs.replace(run, asked_ns=begin), asked), more)
    _, caught_up = _until_ended(means, again)
    found = filed(path.parent, by_day, DAYS).findings(caught_up, begin, (people(RUN_MISSING, more),))
    if before.missing != (LATE,) or said is not Status.FAILED:
        told = f"while its data were late, {LATE} was {'missing' if LATE in before.missing else 'filed'}"
        found["record"] = Finding("text", f"{told}, and the engine said {said}")
    found = not_met(found, unmet) if unmet else found
    _keep(conductor, run, scenario, found | _extra(session, by_day), caught_up)


def killed(conductor: Conductor, session: Session, scenario: Scenario) -> None:
    """Run ten days and kill the scheduler in the sixth; run again what did not complete, if anything."""
    by_day = ByDay.of(conductor)
    own = replace(conductor, workload=Workload(by_day.name))
    longer = Fault(by_day.of_day(STRUCK), FaultKind.SLOW, attempts=0, seconds=MIDDLE_S)
    run, path = own.prepare(session.scratch / EFFECTS, scenario.key, faults=(longer,))
    means, actions = _means(session), []
    with ExitStack() as stack:
        manager = stack.enter_context(managed(session))
        nemesis = _armed_in_the_middle(stack, session, by_day, run, path.parent)
        if nemesis:
            manager.leave(roles_of(session, Target.SCHEDULER), nemesis.healed)
        begin = now_ns()
        run, backfill, said, _ = _conducted(means, lambda: means.start(by_day.name, path, OTHER_DAYS), run)
    if nemesis and nemesis.strikes:
        conductor.store.append(nemesis.strikes[0])
        begin = nemesis.strikes[0].t_ns
        actions.append("restart of the scheduler by the process manager")
    if said is Status.FAILED and filed(path.parent, by_day, OTHER_DAYS).missing:
        run, _, said, asked = _conducted(means, lambda: means.again(backfill), run)
        actions.append(people(RUN_MISSING, asked))
    found = filed(path.parent, by_day, OTHER_DAYS).findings(said, begin, actions)
    if nemesis and (why := _missed(nemesis, path.parent)):
        found = not_met(found, why)
    _keep(conductor, run, scenario, found | _extra(session, by_day), said)
    if nemesis and nemesis.problem:
        raise SessionLostError(f"after {scenario.key}: {nemesis.problem}")


def _means(session: Session) -> Backfills:
    means = session.endpoint.abilities()[Ability.BACKFILL]
    if not isinstance(means, Backfills):
        raise TypeError(f"{session.adapter.name} has no backfill")
    return means


def _armed_in_the_middle(stack: ExitStack, session: Session, by_day: ByDay, run: Run, run_dir: Path) -> Armed | None:
    """The scheduler's death in the sixth day; None if there is no scheduler of its own."""
    if absent(session, Target.SCHEDULER):
        return None
    graph = by_day.graph.unrolled(map(by_day.of_day, OTHER_DAYS))
    nemesis = Nemesis(Action.KILL, Target.SCHEDULER, Moment(When.IN, by_day.of_day(STRUCK)))
    return stack.enter_context(armed(session, nemesis, run.run_id, run_dir, graph))


def _missed(nemesis: Armed, run_dir: Path) -> str:
    """Why the scheduler's death did not meet the day that it was meant for; empty if it did."""
    if not nemesis.strikes:
        return nemesis.problem or "the backfill never came to that point"
    return outside(nemesis.nemesis.at, read_journal(run_dir), nemesis.strikes[0].t_ns)


def _conducted(means: Backfills, what: Callable[[], str], run: Run) -> tuple[Run, str, Status, Asked]:
    """Ask for a backfill, and for it until it has ended; the run's record with what that took."""
    started, asked = ask(what)
    return with_asked(run, asked), *_until_ended(means, started), asked


def _until_ended(means: Backfills, backfill: str) -> tuple[str, Status]:
    """Ask until the backfill has ended, or the limit has passed."""
    deadline, said = time.monotonic() + LIMIT_S, Status.PENDING
    while not said.ended and time.monotonic() < deadline:
        time.sleep(BROKEN_POLL_S)
        try:
            said = means.status(backfill)
        except (ApiError, httpx.HTTPError):
            continue
    return backfill, said


def _extra(session: Session, by_day: ByDay) -> Found:
    lines = extra_lines(session, by_day.name)
    return {"extra_lines": Finding("lines", lines, "source lines of the pipeline that files a day")}


def _keep(conductor: Conductor, run: Run, scenario: Scenario, found: Found, said: Status) -> None:
    """The runs of a backfill are many; their one journal is kept as one run.

    Raises SessionLostError, after all is stored, if it never ended: what is left of it would disturb what comes next.
    """
    conductor.store.append(run)
    store(conductor, None, scenario.key, found)
    if not said.ended:
        raise SessionLostError(f"after {scenario.key}: it had not ended within {LIMIT_S:.0f} s")

"""What every adapter must tell and do for the recovery benchmark, on a served, tuned engine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from bench.contract import registry
from bench.contract.records import Run, Sample
from bench.contract.targets import OfRole, Target
from bench.contract.words import Ability, Backfills, Status, Unsupported
from bench.observe.journal import read_journal
from bench.observe.reading import load
from bench.plan.scenarios import SCENARIOS
from bench.plan.scenarios.record import MIDDLE_S, Action, Moment, Nemesis, When
from bench.plan.workloads import Workload
from bench.questions.recovery import backfill, repair
from bench.run.conductor import EFFECTS, Conductor
from bench.run.faults.nemesis import armed
from bench.run.faults.targets import resolve
from bench.session.asking import ask
from bench.session.bring_up import Session, wait_until
from core.declaration import Companion, Part, pipeline
from core.instrument.config import Fault

LIMIT_S = 240.0
LATE, NEXT = backfill.DAYS[:2]
Under = tuple[Run, Path]
"""A run, and its configuration."""


@pytest.fixture(scope="module")
def heavy(measured: str) -> str:
    return pipeline(measured).part(Part.HEAVY)


def test_expectations_are_of_scenarios_and_name_their_source(engine: str) -> None:
    """A scenario without one is shown without one, so that a new scenario is a new file and nothing else."""
    kind = registry.adapter(engine)
    assert set(kind.expectations) <= set(SCENARIOS)
    for name, one in kind.expectations.items():
        assert one.text.endswith("."), name
        assert bool(one.outcomes) == one.source.startswith("https://"), name


@pytest.fixture(scope="module")
def under_way(session: Session, conductor: Conductor, heavy: str) -> Under:
    """A run that is in its heavy step, and stays there for long enough to be looked at and then disturbed."""
    slow = Fault(heavy, "slow", seconds=8 * MIDDLE_S)
    run, path = conductor.prepare(session.scratch / EFFECTS, "under_way", faults=(slow,))
    run = conductor.submit(session, run, path)
    wait_until(lambda: bool(read_journal(path.parent).attempts_of(heavy)), f"{heavy} has started", LIMIT_S)
    return run, path


@pytest.mark.thorough
def test_targets_are_processes_of_the_session(session: Session, under_way: Under) -> None:
    targets = session.adapter.targets
    assert set(targets) == set(Target) - {Target.CONTROL_PLANE, Target.DATABASE}
    journal = read_journal(under_way[1].parent)
    ours = {child.pid for child in psutil.Process(session.supervisor.guardian_pid).children(recursive=True)}
    for target, offer in targets.items():
        if isinstance(offer, Unsupported):
            assert offer.reason
            continue
        found = resolve(session, target, journal)
        assert set(found) <= ours
        if isinstance(offer, OfRole):
            assert found[0] == session.processes[offer.kind].pid
        elif target is Target.WORKER:
            worker, *steps = found
            assert [worker] == resolve(session, target, journal, alone=True)
            assert steps == resolve(session, Target.STEP, journal)
        else:
            assert len(found) == 1
    assert set(resolve(session, Target.CONTROL_PLANE, journal)) <= ours


@pytest.mark.thorough
def test_killed_api_server_comes_back_and_the_run_completes(
    session: Session, conductor: Conductor, heavy: str, under_way: Under
) -> None:
    if isinstance(session.adapter.targets[Target.API], Unsupported):
        pytest.skip("there is no API server")
    run, path = under_way
    nemesis = Nemesis(Action.KILL, Target.API, Moment(When.IN, heavy), 2.0)
    with armed(session, nemesis, run.run_id, path.parent, conductor.workload.graph) as one:
        assert one.healed.wait(LIMIT_S)
    assert not one.problem
    assert one.strikes[0].healed_ns
    wait_until(lambda: session.endpoint.status(run.engine_run_id).ended, "the run has ended", LIMIT_S)
    assert session.endpoint.status(run.engine_run_id) is Status.COMPLETED


@pytest.mark.thorough
def test_a_run_whose_process_is_killed_becomes_what_is_documented(
    session: Session, conductor: Conductor, heavy: str
) -> None:
    """Followed to its end, also where the engine makes another run of it; with the attempts of all."""
    if isinstance(session.adapter.targets[Target.RUN], Unsupported):
        pytest.skip("a run has no process")
    slow = Fault(heavy, "slow", seconds=4 * MIDDLE_S)
    run, path = conductor.prepare(session.scratch / EFFECTS, "run_killed", faults=(slow,))
    nemesis = Nemesis(Action.KILL, Target.RUN, Moment(When.IN, heavy), 2.0)
    with armed(session, nemesis, run.run_id, path.parent, conductor.workload.graph) as one:
        run = conductor.submit(session, run, path)
        assert one.healed.wait(LIMIT_S)
    wait_until(lambda: session.endpoint.status(run.engine_run_id).ended, "the run has ended", LIMIT_S)
    state = session.endpoint.state(run.engine_run_id)
    recovers = "completed after recovery" in session.adapter.expectations["run_killed"].outcomes
    assert state.status is (Status.COMPLETED if recovers else Status.FAILED)
    tries = len(read_journal(path.parent).attempts_of(heavy))
    assert tries == (2 if recovers else 1)
    wait_until(lambda: session.endpoint.state(run.engine_run_id).steps[heavy].attempts == tries, "recorded", LIMIT_S)


@pytest.mark.thorough
def test_what_rolls_back_makes_the_last_good_state_current(session: Session, conductor: Conductor) -> None:
    other = conductor.workload.declared.companions.get(Companion.ROLL_BACK, "")
    if not (other and registry.code_of(type(session.adapter), other)):
        pytest.skip("nothing to roll back with")
    assert other in session.workspace.offered
    repair.roll_back(conductor, session, SCENARIOS["roll_back"])
    found = {s.metric: s.value for s in load(conductor.store.folder, Sample) if s.engine == conductor.arm.engine}
    assert found["recovery.roll_back.outcome"] == "completed after recovery"
    assert found["recovery.roll_back.duplicates"] == 0
    by_hand = registry.code_of(type(session.adapter), other) == "by hand"
    assert bool(found["recovery.roll_back.extra_lines"]) == by_hand, "lines of code that nobody wrote"


@pytest.mark.thorough
def test_backfill_files_each_day_once(session: Session, conductor: Conductor) -> None:
    means = session.endpoint.abilities()[Ability.BACKFILL]
    if isinstance(means, Unsupported):
        assert means.reason
        return
    assert isinstance(means, Backfills)
    if Companion.BY_DAY not in conductor.workload.declared.companions:
        pytest.skip("no pipeline is run by the day")
    by_day = backfill.ByDay.of(conductor)
    missing, following = by_day.of_day(LATE), by_day.of_day(NEXT)
    late = Fault(missing, "late", attempts=0, until=str(session.scratch / "arrived"))
    own = replace(conductor, workload=Workload(by_day.name))
    _, path = own.prepare(session.scratch / EFFECTS, "backfill", faults=(late,))
    started, _ = ask(lambda: means.start(by_day.name, path, (LATE, NEXT)))
    wait_until(lambda: means.status(started).ended, "the backfill has ended", LIMIT_S)
    assert [e.step for e in read_journal(path.parent).effects] == [following]
    (session.scratch / "arrived").touch()
    again, _ = ask(lambda: means.again(started))
    wait_until(lambda: means.status(again).ended, "the missing day has been run", LIMIT_S)
    assert [e.step for e in read_journal(path.parent).effects] == [following, missing]

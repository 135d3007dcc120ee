"""Faults from outside: what they strike, when, and that they are healed. Real processes, a real server."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest
from doubles import BringUp
from waiting import wait_for

from bench.contract.errors import EngineError
from bench.contract.targets import Target
from bench.observe.journal import Journal, read_journal
from bench.plan.scenarios.record import INTO_S, MIDDLE_S, Action, Moment, Nemesis, When
from bench.run.faults.moments import reached
from bench.run.faults.nemesis import armed
from bench.run.faults.targets import absent, described, resolve, unstrikable
from core.instrument.config import Fault
from core.instrument.journal import JournalWriter, now_ns
from core.pipelines.training.pipeline import GRAPH as TRAINING

IN_TRAIN = Moment(When.IN, "train")
NOW = Moment(When.SUBMIT)


def test_points_of_a_history_are_met(tmp_path: Path) -> None:
    stop = threading.Event()
    met: list[int] = []

    def wait_for_train(when: When) -> threading.Thread:
        thread = threading.Thread(
            target=lambda: reached(Moment(when, "train"), tmp_path, TRAINING, stop) and met.append(now_ns())
        )
        thread.start()
        return thread

    before = wait_for_train(When.BEFORE)
    features = JournalWriter(tmp_path, "r1", "features")
    features.write("start")
    assert not met
    features.write("end")
    before.join(10)
    assert len(met) == 1
    middle = wait_for_train(When.IN)
    JournalWriter(tmp_path, "r1", "train").write("start")
    middle.join(10)
    started = read_journal(tmp_path).attempts_of("train")[0].start_ns
    assert (met[1] - started) / 1e9 >= INTO_S


def test_after_a_branch_one_way_is_enough(tmp_path: Path) -> None:
    stop, cleanup = threading.Event(), Moment(When.BEFORE, "cleanup")
    for step in ("branch", "deploy"):
        JournalWriter(tmp_path, "r1", step).write("start")
        JournalWriter(tmp_path, "r1", step).write("end", result="deploy")
    assert reached(cleanup, tmp_path, TRAINING, stop)  # nothing will ever be notified


def test_a_point_that_is_never_met_can_be_given_up(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    assert not reached(IN_TRAIN, tmp_path, TRAINING, stop)


def test_killed_service_is_started_again_and_answers(bring_up: BringUp, tmp_path: Path) -> None:
    session, _ = bring_up()
    before = session.processes["server"].pid
    with armed(session, Nemesis(Action.KILL, Target.API, NOW, 0.2), "r1", tmp_path, TRAINING) as one:
        assert one.healed.wait(60)
    assert not one.problem
    assert one.strikes[0].pids == (before,)
    assert one.strikes[0].note == "the service server: 1 process"
    assert one.strikes[0].healed_ns > one.strikes[0].t_ns > 0
    assert not psutil.pid_exists(before)
    assert session.processes["server"].pid != before
    assert session.endpoint.deployed("training")


def test_restarted_service_is_asked_to_end_first(bring_up: BringUp, tmp_path: Path) -> None:
    session, _ = bring_up()
    before = session.processes["server"]
    with armed(session, Nemesis(Action.RESTART, Target.API, NOW), "r1", tmp_path, TRAINING) as one:
        assert one.healed.wait(60)
    assert not one.problem
    assert before.code == -signal.SIGTERM
    assert session.endpoint.deployed("training")


def test_paused_service_goes_on(bring_up: BringUp, tmp_path: Path) -> None:
    session, _ = bring_up()
    server = psutil.Process(session.processes["server"].pid)
    with armed(session, Nemesis(Action.PAUSE, Target.API, NOW, 30.0), "r1", tmp_path, TRAINING) as one:
        wait_for(lambda: server.status() == psutil.STATUS_STOPPED, "the server is stopped")
    assert one.healed.is_set()  # leaving heals at once, however long it should have lasted
    assert server.status() != psutil.STATUS_STOPPED
    assert session.endpoint.deployed("training")


def test_process_of_a_run_is_found_by_its_step_and_killed_alone(bring_up: BringUp) -> None:
    session, conductor = bring_up()
    slow = (Fault("train", "slow", attempts=0, seconds=MIDDLE_S),)
    run, path = conductor.prepare(session.scratch / "effects", faults=slow)
    with armed(session, Nemesis(Action.KILL, Target.RUN, IN_TRAIN), run.run_id, path.parent, TRAINING) as one:
        session.endpoint.submit("training", path)
        assert one.healed.wait(60)
    first = read_journal(path.parent).attempts_of("train")[0]
    assert one.strikes[0].pids == (first.pid,)
    assert one.strikes[0].note == "conducts one run: 1 process"
    assert first.outcome == "lost"
    assert not one.strikes[0].healed_ns  # the engine alone could start it again


def test_fault_that_never_strikes_is_told(bring_up: BringUp, tmp_path: Path) -> None:
    session, _ = bring_up()
    with armed(session, Nemesis(Action.KILL, Target.RUN, NOW), "r1", tmp_path, TRAINING) as one:
        assert one.healed.wait(60)
    assert not one.strikes
    assert one.problem == "no step is running, so no process can be found by it"


def test_targets_that_are_not_there_say_why(bring_up: BringUp) -> None:
    session, _ = bring_up()
    assert absent(session, Target.SCHEDULER) == "the server does it"
    assert not absent(session, Target.API)
    assert unstrikable(session, Nemesis(Action.KILL, Target.SCHEDULER, NOW)) == "the server does it"
    assert unstrikable(session, Nemesis(Action.KILL, Target.DATABASE, NOW)) == "the engine's database is in files here"
    assert not unstrikable(session, Nemesis(Action.LOCK, Target.DATABASE, NOW))
    with pytest.raises(EngineError, match="no process is the scheduler"):
        resolve(session, Target.SCHEDULER, Journal())
    with pytest.raises(EngineError, match="no database server"):
        resolve(session, Target.DATABASE, Journal())


def test_a_service_is_struck_with_all_that_it_has_started(bring_up: BringUp, tmp_path: Path) -> None:
    session, conductor = bring_up()
    slow = (Fault("train", "slow", attempts=0, seconds=20.0),)
    _, path = conductor.prepare(session.scratch / "effects", faults=slow)
    session.endpoint.submit("training", path)
    wait_for(lambda: bool(read_journal(path.parent).attempts_of("train")), "train has started")
    journal = read_journal(path.parent)
    working = journal.attempts_of("train")[0].pid
    server = session.processes["server"].pid
    assert resolve(session, Target.API, journal) == [server, working]
    assert resolve(session, Target.API, journal, alone=True) == [server]
    assert resolve(session, Target.WORKER, journal) == [server, working]  # also where a worker is no service
    assert resolve(session, Target.WORKER, journal, alone=True) == [server]
    assert resolve(session, Target.RUN, journal) == [working]
    assert described(session, Target.API, [server, working]) == "the service server: 2 processes"
    assert described(session, Target.WORKER, [server, working]) == "starts runs: 2 processes"
    assert described(session, Target.CONTROL_PLANE, [server]) == "the service server: 1 process"
    assert described(session, Target.DATABASE, [server]) == "the database server: 1 process"
    assert described(session, Target.DATABASE, []) == "the files of the database, which stay locked"


def test_decoy_outside_of_the_session_is_never_struck(bring_up: BringUp, tmp_path: Path) -> None:
    session, _ = bring_up()
    command = psutil.Process(session.processes["server"].pid).cmdline()
    idle = [sys.executable, "-c", "import time; time.sleep(600)", *command[1:]]
    decoy = subprocess.Popen(idle)
    try:
        with armed(session, Nemesis(Action.KILL, Target.CONTROL_PLANE, NOW, 0.1), "r1", tmp_path, TRAINING) as one:
            assert one.healed.wait(60)
        assert one.strikes
        assert decoy.poll() is None
        with pytest.raises(EngineError, match="was not started by this session"):
            session.supervisor.signal(decoy.pid, signal.SIGKILL)
    finally:
        decoy.kill()
        decoy.wait()

"""A run that is timed is watched by its journal, and the engine left alone meanwhile."""

from __future__ import annotations

import threading
import time
from itertools import pairwise
from pathlib import Path
from statistics import fmean

import httpx
import pytest
from doubles import BringUp

from bench.observe import watching
from bench.observe.host import LoadWatch
from bench.observe.watching import BROKEN_POLL_S, POLL_S, Quiet
from bench.plan.scenarios.record import ASKED
from bench.session import usage
from bench.session.bring_up import Session
from core.instrument.config import Fault
from core.instrument.journal import JournalWriter, now_ns


def asked_ns(session: Session) -> list[int]:
    """From now on: when the engine is asked for anything."""
    found: list[int] = []

    def note(request: httpx.Request) -> None:
        if request.method == "GET":
            found.append(now_ns())

    session.endpoint.http.event_hooks["request"] = [note]
    return found


def test_engine_is_not_asked_for_a_timed_run_before_its_last_step_has_ended(
    bring_up: BringUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "SILENCE_S", 600.0)
    session, conductor = bring_up()
    asked = asked_ns(session)
    seen = conductor.served(session)
    assert seen.run.outcome == "completed"
    last = seen.journal.last_end_ns()
    assert last
    assert last < min(asked)
    later_s = [(later - earlier) / 1e9 for earlier, later in pairwise(asked)]
    assert min(later_s[:-1], default=POLL_S) > POLL_S / 2  # but the last, for the steps
    if usage.AVAILABLE:
        assert seen.cpu_s


def test_run_in_which_something_is_broken_is_asked_for_at_a_fixed_rate(bring_up: BringUp) -> None:
    session, conductor = bring_up()
    asked = asked_ns(session)
    seen = conductor.served(session, "slow", faults=(Fault("train", "slow", seconds=3.0),))
    assert seen.right
    assert seen.cpu_s is None
    intervals_s = [(later - earlier) / 1e9 for earlier, later in pairwise(asked)]
    assert len(intervals_s) >= 4
    assert min(intervals_s) > BROKEN_POLL_S / 2  # a request is on its way for a while
    assert fmean(intervals_s) >= BROKEN_POLL_S - 0.02
    assert asked[0] < (seen.journal.last_end_ns() or 0)


def test_timed_run_that_fails_is_seen_to_end_once_its_journal_is_silent(bring_up: BringUp) -> None:
    session, conductor = bring_up()
    asked = asked_ns(session)
    seen = conductor.served(session, target="no such column")
    assert seen.run.outcome == "failed, reported"
    assert seen.run.terminal_ns
    last = seen.journal.last_end_ns()
    assert last
    assert seen.run.terminal_ns - last > watching.SILENCE_S * 1e9 / 2
    assert len(asked) <= (seen.run.terminal_ns - seen.run.submit_ns) / 1e9 / watching.SILENCE_S + 5


def test_run_that_is_expected_to_fail_is_asked_for(bring_up: BringUp) -> None:
    session, conductor = bring_up()
    asked = asked_ns(session)
    seen = conductor.served(session, expected=ASKED, target="no such column")
    assert asked[0] < (seen.journal.last_end_ns() or 0)


@pytest.mark.parametrize("ended", [0, 1, 2])
def test_the_last_end_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ended: int) -> None:
    monkeypatch.setattr(watching, "SILENCE_S", 0.1)
    for step in ("one", "two")[:ended]:
        with JournalWriter(tmp_path, "r1", step) as writer:
            writer.write("start")
            writer.write("end", result=None)
    told: list[int] = []
    quiet = Quiet(tmp_path, 2, 0.0, lambda: told.append(now_ns()))
    assert quiet.wait(time.monotonic() + 30, threading.Event()) is (ended == 2)
    assert len(told) == int(ended == 2)


def test_waiting_ends_when_it_is_told_to(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    begin = time.monotonic()
    assert not Quiet(tmp_path, 1, 0.0).wait(begin + 60, stop)
    assert not Quiet(tmp_path, 1, 0.0).wait(begin, threading.Event())
    assert time.monotonic() - begin < watching.SILENCE_S


@pytest.mark.skipif(not usage.AVAILABLE, reason="usage is read from Linux's /proc")
def test_what_comes_after_the_last_end_is_not_charged(bring_up: BringUp) -> None:
    session, _ = bring_up()
    load = LoadWatch(session.supervisor)
    others = load.stop()
    charged = load.engine_cpu_s
    session.endpoint.http.get(f"http://127.0.0.1:{session.workspace.ports['api']}/deployment")  # imports all
    assert load.stop() == others
    assert load.engine_cpu_s == charged
    assert session.supervisor.usage().total.cpu_s > (charged or 0)

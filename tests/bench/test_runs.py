"""Sessions and runs on a real server of a double: what is honest passes, what is not has no timing."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import psutil
import pytest
from breaking import runs
from doubles import RETRIES, BringUp, Double, DoubleEndpoint, misbehaving
from waiting import wait_for

from bench.contract.endpoint import ApiError, RunState
from bench.contract.errors import EngineError
from bench.contract.processes import Command, Function, Role
from bench.contract.records import Arm, Run, Sample, Verdict
from bench.contract.words import Status, Track
from bench.observe import watching
from bench.observe.journal import Journal
from bench.observe.reading import load
from bench.observe.store import Store
from bench.plan.scenarios.record import ASKED
from bench.questions import setup, timing
from bench.run.conductor import Conductor, inline_command
from bench.run.observation import Observation
from bench.run.source import Source
from bench.session.bring_up import Session, open_session, wait_until
from bench.session.supervisor import Supervisor
from core.declaration import pipeline
from core.instrument.config import Fault


def timed(conductor: Conductor, seen: Observation) -> list[Sample]:
    """Store the run's times, and return those that have a value."""
    timing.store_times(conductor, seen, seen.journal.step_times())
    found = [s for s in load(conductor.store.folder, Sample) if s.metric.startswith("runtime.")]
    assert found
    return [s for s in found if s.value is not None]


@pytest.fixture
def conductor_alone(store: Store, source: Source) -> Conductor:
    return Conductor(store, source, Arm(engine="inline", mode="local"), "inline", Journal())


def test_right_run_is_completed_timed_and_kept_but_for_its_bulk(bring_up: BringUp) -> None:
    session, conductor = bring_up()
    seen = conductor.served(session)
    assert seen.run.outcome == "completed"
    assert seen.right
    bad = {v.checker: v.verdict for v in seen.verdicts if v.verdict != "pass"}
    assert bad == {"engine_times": "unknown"}  # the double gives no times
    assert {s.metric for s in timed(conductor, seen)} >= {"runtime.makespan_s", "runtime.overhead_s"}
    assert seen.run.submit_ns < seen.run.accepted_ns < seen.run.terminal_ns
    assert seen.run.isolation == "in-process"

    folder = conductor.store.folder / "runs" / seen.run.run_id
    assert load(conductor.store.folder, Run) == [seen.run]
    assert tuple(load(conductor.store.folder, Verdict)) == seen.verdicts
    assert {"config.json", "journal.jsonl", "engine.json"} <= {path.name for path in folder.iterdir()}
    assert not [name for name in pipeline("training").bulky if (folder / name).exists()]
    told = json.loads((folder / "engine.json").read_text())
    assert [one["t_ns"] for one in told] == [s.t_ns for s in seen.sightings]
    assert [one["status"] for one in told] == [s.state.status for s in seen.sightings]
    assert told[-1]["status"] == "completed"


def test_tuned_track_brings_its_own_database(bring_up: BringUp) -> None:
    session, conductor = bring_up(Double, Track.TUNED)
    assert session.workspace.postgres
    assert (session.workspace.postgres / ".s.PGSQL.5432").is_socket()
    assert conductor.served(session).run.outcome == "completed"
    database = next(p for p in psutil.Process().children(recursive=True) if p.name() == "postgres")
    server = psutil.Process(session.processes["server"].pid)
    session.stop_engine()
    assert not server.is_running()
    assert database.is_running()


def test_parts_of_the_bring_up_are_timed(bring_up: BringUp) -> None:
    session, conductor = bring_up()
    assert set(session.seconds) == {"initialise_s", "start_s", "deploy_s"}
    seen = conductor.served(session, warm_up=True)
    setup.bring_up(conductor, session, seen)
    found = {s.metric: s.value for s in load(conductor.store.folder, Sample)}
    assert isinstance(found["setup.first_run_s"], float)
    assert {name: found[f"setup.{name}"] for name in session.seconds} == session.seconds
    assert "setup.total_s" not in found  # it is computed, as an installation has a count of its own


def test_setup_whose_first_run_is_wrong_has_no_total(bring_up: BringUp) -> None:
    session, conductor = bring_up(misbehaving("does nothing"))
    setup.bring_up(conductor, session, conductor.served(session, warm_up=True))
    found = {s.metric: s for s in load(conductor.store.folder, Sample)}
    assert found["setup.total_s"].value is None
    assert found["setup.total_s"].note == "failed: the first run was lost"


@pytest.mark.parametrize(
    ("lie", "outcome", "reason"),
    [
        ("does nothing", "lost", "artifacts: extract: missing"),
        ("trains something else", "false success", "artifacts: train: "),
    ],
)
def test_claimed_success_is_not_believed(bring_up: BringUp, lie: str, outcome: str, reason: str) -> None:
    session, conductor = bring_up(misbehaving(lie))
    seen = conductor.served(session)
    assert seen.state
    assert seen.state.status is Status.COMPLETED
    assert seen.run.outcome == outcome
    assert not seen.right
    assert timed(conductor, seen) == []
    (sample,) = [s for s in load(conductor.store.folder, Sample) if s.metric != "host.others_cores"]
    assert sample.note.startswith(f"wrong: {outcome} (")
    assert reason in sample.note


def test_hidden_failure_is_a_false_success(bring_up: BringUp) -> None:
    session, conductor = bring_up(misbehaving("hides failures"))
    fault = Fault("train", "defect", attempts=0)
    seen = conductor.served(session, "surprise", faults=(fault,))
    assert seen.run.outcome == "false success"
    assert timed(conductor, seen) == []


def test_run_without_an_oracle_is_not_right(bring_up: BringUp) -> None:
    session, conductor = bring_up()
    seen = replace(conductor, oracle=Journal()).served(session)
    assert seen.run.outcome == "indeterminate"
    assert not seen.right
    assert timed(conductor, seen) == []


def test_honest_failure_is_reported(bring_up: BringUp) -> None:
    session, conductor = bring_up()
    seen = conductor.served(session, "defect", expected=ASKED, faults=(Fault("train", "defect", attempts=0),))
    assert seen.run.outcome == "failed as expected"
    assert seen.verdicts == ()
    assert len(seen.journal.attempts_of("train")) == RETRIES + 1
    kept = conductor.store.folder / "runs" / seen.run.run_id
    assert (kept / "raw").exists()  # it may be resumed
    assert "KeyError" in session.endpoint.logs(seen.run.engine_run_id, "train")


def test_run_that_never_ends_is_stuck_and_cancelled(bring_up: BringUp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "RUN_LIMIT_S", dict.fromkeys(Track, 1.0))
    session, conductor = bring_up(misbehaving("never ends"))
    seen = conductor.served(session)
    assert seen.run.outcome == "stuck"
    assert seen.run.terminal_ns == 0
    assert not seen.right
    assert session.endpoint.state(seen.run.engine_run_id).raw["cancelled"]
    assert timed(conductor, seen) == []


def test_state_is_asked_again_when_the_api_stumbles(bring_up: BringUp) -> None:
    session, conductor = bring_up(misbehaving("stumbles"))
    answers = []

    def note(response: httpx.Response) -> None:
        answers.append(response.status_code)

    session.endpoint.http.event_hooks["response"] = [note]
    seen = conductor.served(session)
    assert 503 in answers
    assert seen.run.outcome == "completed"
    assert seen.right


def test_run_whose_record_is_never_shown_is_lost(bring_up: BringUp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "RUN_LIMIT_S", dict.fromkeys(Track, 1.0))
    session, conductor = bring_up()
    monkeypatch.setattr(session.endpoint, "submit", lambda *_: "unknown run")
    seen = conductor.served(session)
    assert seen.state is None
    assert seen.run.outcome == "lost"


def test_run_of_an_engine_whose_api_is_silent_is_not_lost(bring_up: BringUp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "RUN_LIMIT_S", dict.fromkeys(Track, 1.0))
    session, conductor = bring_up()
    submit, server = session.endpoint.submit, session.processes["server"]

    def submitted_and_gone(*arguments: Any) -> str:
        run = submit(*arguments)
        session.supervisor.signal(server.pid, signal.SIGKILL)
        assert server.ended.wait(10)
        return run

    monkeypatch.setattr(session.endpoint, "submit", submitted_and_gone)
    seen = conductor.served(session)
    assert seen.state is None
    assert seen.run.outcome == "stuck"


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (httpx.Response(200, json={"status": "running"}), Status.RUNNING),
        (httpx.Response(404), None),
        (httpx.Response(503), Status.PENDING),
        (httpx.ConnectError("refused"), Status.PENDING),
        (httpx.ReadTimeout("silent"), Status.PENDING),
        (ApiError("there is no such run"), None),
    ],
)
def test_only_an_engine_that_answers_has_lost_a_run(answer: httpx.Response | Exception, word: Status | None) -> None:
    def answered(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    endpoint = DoubleEndpoint(httpx.Client(transport=httpx.MockTransport(answered)), "http://engine", "behaves")
    session: Any = SimpleNamespace(endpoint=endpoint)
    assert watching.last_word(session, "r1", []) is word
    seen = watching.Sighting(1, RunState(Status.RETRYING))
    assert watching.last_word(session, "r1", [seen]) is Status.RETRYING


def test_local_mode_is_judged_like_a_served_run(bring_up: BringUp) -> None:
    session, conductor = bring_up()
    session.stop_engine()
    run, config = conductor.prepare(session.scratch / "effects")
    command = session.adapter.local("training", config)
    seen = conductor.process(session.supervisor, command, run)
    assert seen.run.outcome == "completed"
    assert seen.right
    assert not [v for v in seen.verdicts if v.checker.startswith("engine_")]
    assert seen.run.terminal_ns > seen.run.submit_ns > 0


def test_inline_is_told_with_its_log_when_it_fails(conductor_alone: Conductor, supervisor: Supervisor) -> None:
    run, config = conductor_alone.prepare(conductor_alone.store.folder / "registry", target="no such column")
    with pytest.raises(EngineError, match="ended with exit code 1") as caught:
        conductor_alone.process(supervisor, inline_command(config), run)
    assert "no such column" in caught.value.log_tail


def test_runs_have_folders_of_their_own(conductor_alone: Conductor) -> None:
    registry = conductor_alone.store.folder / "registry"
    folders = [conductor_alone.prepare(registry, scenario)[1].parent for scenario in ("", "", "killed")]
    assert [folder.name for folder in folders] == ["inline-01", "inline-02", "inline-03-killed"]


def test_engine_that_does_not_start_is_told_with_its_log(bring_up: BringUp) -> None:
    with pytest.raises(EngineError, match="server: ended with exit code 1 before: server ready") as caught:
        bring_up(misbehaving("does not start"))
    assert caught.value.log_tail == "the double does not like this machine"


class NeverReady(Double):
    def roles(self) -> list[Role]:
        return [Role("server", Command(("sleep", "3600")), Function.API, ready=self.endpoint.healthy)]


def test_engine_that_is_never_ready(bring_up: BringUp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.session.bring_up.READY_LIMIT_S", 1.0)
    with pytest.raises(EngineError, match="server ready: not within 1 s"):
        bring_up(NeverReady)


class NeverOffers(DoubleEndpoint):
    def deployed(self, pipeline: str) -> bool:  # noqa: ARG002 - never
        return False


class LosesAService(Double):
    """One of its services ends while the pipelines are waited for."""

    asked = NeverOffers

    def roles(self) -> list[Role]:
        return [*super().roles(), Role("helper", Command(("sh", "-c", "echo no room; exit 3")), Function.OTHER)]


def test_service_that_ends_before_the_pipelines_are_there_is_told_at_once(bring_up: BringUp) -> None:
    with pytest.raises(EngineError, match="helper: ended with exit code 3 before: training offered") as caught:
        bring_up(LosesAService)
    assert caught.value.log_tail == "no room"


class BadInitialise(Double):
    def initialise(self) -> list[Command]:
        return [Command(("sh", "-c", "echo no database; exit 5"))]


def test_engine_that_cannot_be_initialised(bring_up: BringUp) -> None:
    with pytest.raises(EngineError, match="initialise-1: ended with exit code 5") as caught:
        bring_up(BadInitialise)
    assert caught.value.log_tail == "no database"


def test_error_in_the_body_still_ends_the_session(project: Path, tmp_path: Path) -> None:
    held: list[Session] = []
    children: list[psutil.Process] = []

    def fail() -> None:
        with open_session(Double, Track.STOCK, Path("/usr"), tmp_path, ()) as session:
            held.append(session)
            session.supervisor.start("sleeper", Command(("sleep", "3600")))
            children.extend(psutil.Process().children(recursive=True))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert len(children) >= 2
    wait_for(lambda: not any(runs(process) for process in children), "every process is gone")
    assert not held[0].scratch.exists()


def test_wait_until_passes_over_http_errors_alone() -> None:
    answers: Iterator[bool | httpx.ConnectError] = iter([httpx.ConnectError("not yet"), False, True])

    def condition() -> bool:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    wait_until(condition, "ready", 30, poll_s=0)
    assert list(answers) == []
    with pytest.raises(ZeroDivisionError):
        wait_until(lambda: bool(1 / 0), "ready", 30)

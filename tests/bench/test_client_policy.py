"""One policy of the client for all engines: what is refused for now is asked for again, counted, and bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx
import pytest
from doubles import BringUp, misbehaving

from bench.contract.endpoint import NotYetError
from bench.contract.words import Ability
from bench.questions.recovery.telling import people
from bench.run.conductor import EFFECTS
from bench.session import asking
from bench.session.asking import PAUSE_S, Asked, Repeating, ask, pause

Server = Callable[..., httpx.Client]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A client of a server that gives these answers in turn, the last for ever; what it was asked is in `asked`."""
    monkeypatch.setattr(asking, "PAUSE_S", 0.01)
    opened = []

    def serve(*statuses: int, **headers: str) -> httpx.Client:
        answers = list(statuses)

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(answers.pop(0) if len(answers) > 1 else answers[0])
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        for method in ("GET", "POST", "PUT", "PATCH"):
            setattr(Handler, f"do_{method}", Handler.answer)
        one = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=one.serve_forever, daemon=True).start()
        http = httpx.Client(transport=Repeating(), base_url=f"http://127.0.0.1:{one.server_port}", trust_env=False)
        opened.append((one, http))
        return http

    yield serve
    for one, http in opened:
        http.close()
        one.shutdown()
        one.server_close()


@pytest.mark.parametrize(
    ("method", "statuses", "status", "repeats"),
    [
        ("POST", (200,), 200, 0),
        ("POST", (503, 503, 200), 200, 2),
        ("PATCH", (429, 200), 200, 1),
        ("POST", (502, 200), 502, 0),  # it may have been done
        ("POST", (504, 200), 504, 0),
        ("PUT", (504, 502, 200), 200, 2),
        ("GET", (502, 200), 200, 1),
        ("POST", (500, 200), 500, 0),
        ("POST", (409, 200), 409, 0),
    ],
)
def test_what_was_refused_for_now_is_asked_again_and_nothing_else(
    server: Server, method: str, statuses: tuple[int, ...], status: int, repeats: int
) -> None:
    http = server(*statuses)
    answer, asked = ask(lambda: http.request(method, "/", content=b"all of it"))
    assert (answer.status_code, asked.repeats) == (status, repeats)
    assert answer.content == b"all of it", "what is sent again is whole"
    assert asked.waited_s == 0


def test_who_only_looks_is_told_at_once(server: Server) -> None:
    http = server(503, 200)
    assert [http.post("/").status_code for _ in range(2)] == [503, 200]


def test_patience_ends(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "REPEATED_FOR_S", 3.0)
    http = server(503)
    answer, asked = ask(lambda: http.post("/"))
    assert answer.status_code == 503
    assert asked.repeats > 0


def test_a_refusal_for_longer_than_patience_is_not_waited_for(server: Server) -> None:
    http = server(503, 200, Retry_After="3600")
    answer, asked = ask(lambda: http.post("/"))
    assert (answer.status_code, asked.repeats) == (503, 0)


def test_no_answer_at_all_is_no_refusal(server: Server) -> None:
    http = server(200)
    http.base_url = httpx.URL("http://127.0.0.1:9")
    with pytest.raises(httpx.ConnectError):
        ask(lambda: http.post("/"))


def test_the_engine_says_when() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert 28 < pause({"Retry-After": soon}) <= 30
    assert pause({"Retry-After": "7"}) == 7
    past = format_datetime(datetime.now(UTC) - timedelta(seconds=30))
    for said in ({}, {"Retry-After": "soon"}, {"Retry-After": "0"}, {"Retry-After": past}):
        assert pause(said) == PAUSE_S


def test_what_cannot_be_done_yet_is_waited_for_and_told_as_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PAUSE_S", 0.02)
    busy = iter([True, True, False])

    def resume() -> str:
        if next(busy):
            raise NotYetError("still at it")
        return "run"

    done, asked = ask(resume)
    assert done == "run"
    assert asked.waited_s >= 0.04
    assert people("resume", asked) == f"one API call: resume (after waiting {asked.waited_s:.1f} s)"


def test_it_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "NOT_YET_LIMIT_S", 0.1)

    def never() -> None:
        raise NotYetError("still at it")

    with pytest.raises(NotYetError, match="still at it"):
        ask(never)


def test_people_are_told_what_a_call_took() -> None:
    assert people("resume", Asked(0.0)) == "one API call: resume"
    both = Asked(0.0, repeats=3, waited_s=2.04)
    assert people("resume", both) == "one API call: resume (after waiting 2.0 s, repeated 3 times)"


def test_submission_resume_and_cancel_are_helped_alike_and_counted(bring_up: BringUp) -> None:
    session, conductor = bring_up(misbehaving("refuses twice"))
    run, path = conductor.prepare(session.scratch / EFFECTS)
    run = conductor.submit(session, run, path)
    assert (run.engine_run_id, run.repeats) == ("1", 2)
    cancelled = conductor.given_up(session, run)
    assert (cancelled.note, cancelled.repeats) == ("given up and cancelled", 4)
    resume = session.endpoint.abilities()[Ability.RESUME]
    assert callable(resume)
    assert ask(lambda: resume(run.engine_run_id))[1].repeats == 2
    conductor.given_up(session, run)

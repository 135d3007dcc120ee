"""An engine that does not come up: it dies, or somebody else has its port. One clear error, soon, and nothing left."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from doubles import Double, misbehaving

from bench.contract.errors import EngineError
from bench.contract.words import Track
from bench.session.bring_up import Session, open_session
from bench.session.ports import PORTS, free_ports, require_free

pytestmark = pytest.mark.usefixtures("project", "nothing_left")


@contextmanager
def opened(kind: type[Double], tmp_path: Path) -> Iterator[Session]:
    with open_session(kind, Track.STOCK, Path(sys.prefix), tmp_path / "logs", ()) as session:
        yield session
    assert not session.scratch.exists()


class Stranger(BaseHTTPRequestHandler):
    """Knows nothing of the engine."""

    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def listening(port: int) -> Iterator[None]:
    """Another program's server at a port."""
    with ThreadingHTTPServer(("127.0.0.1", port), Stranger) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield
        server.shutdown()
        thread.join()


def test_engine_that_dies_at_its_start_says_why(tmp_path: Path) -> None:
    with (
        opened(misbehaving("does not start"), tmp_path) as session,
        pytest.raises(EngineError, match="server: ended with exit code 1 before: server ready") as caught,
    ):
        session.bring_up()
    assert caught.value.log_tail == "the double does not like this machine"


def test_port_that_another_took_meanwhile_is_a_clear_error(tmp_path: Path) -> None:
    with opened(Double, tmp_path) as session, listening(session.workspace.ports["api"]):
        with pytest.raises(EngineError, match=r"server: ended with exit code 1|was taken by another program") as caught:
            session.bring_up()
        told = f"{caught.value}\n{caught.value.log_tail}"
        assert "Address already in use" in told or str(session.workspace.ports["api"]) in told


def test_port_that_is_taken_is_named_and_never_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    (port,) = free_ports(1)
    require_free({"api": port})
    few = range(port, port + 1)
    with listening(port):
        with pytest.raises(EngineError, match=rf"port {port} \(api\) was taken by another program since it was drawn"):
            require_free({"api": port})
        monkeypatch.setattr("bench.session.ports.PORTS", few)
        with pytest.raises(EngineError, match=f"1 free ports are needed on 127.0.0.1; end what listens at {port}"):
            free_ports(1)
    assert free_ports(1) == [port]


def test_ports_are_none_that_the_kernel_hands_out() -> None:
    for port in free_ports(50):
        assert port in PORTS
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        assert one.getsockname()[1] not in PORTS

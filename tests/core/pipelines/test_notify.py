"""notify and branch: the model that was not good enough, and who is told."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from core.instrument import journal
from core.instrument.artifacts import Reference, refer, write_json
from core.instrument.config import RunConfig
from core.instrument.errors import CoreError
from core.pipelines.training import steps


@dataclass
class Webhook:
    url: str = ""
    status: int = 200
    received: list[tuple[str, str, Any]] = field(default_factory=list)


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    """A real server that keeps what it is sent; with status 0 it closes without an answer."""
    hook = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.received.append((self.path, self.headers["Content-Type"], json.loads(body)))
            if hook.status:
                self.send_response(hook.status)
                self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    hook.url = f"http://127.0.0.1:{server.server_port}/services/secret"
    yield hook
    server.shutdown()
    thread.join()
    server.server_close()


def measured(config: RunConfig, accuracy: float) -> Reference:
    path = config.run_dir / "metrics.json"
    write_json(path, {"accuracy": accuracy})
    return refer(path)


@pytest.mark.parametrize(("accuracy", "chosen"), [(0.59999, "notify"), (0.6, "deploy"), (0.9, "deploy"), (0, "notify")])
def test_branch_deploys_from_the_threshold_on(config: RunConfig, accuracy: float, chosen: str) -> None:
    assert steps.branch(str(config.path), measured(config, accuracy)) == chosen
    assert journal.read(config.run_dir)[-1]["result"] == chosen


def test_message_is_posted_and_kept(make_config: Callable[..., RunConfig], webhook: Webhook) -> None:
    config = make_config(webhook=webhook.url)
    reference = steps.notify(str(config.path), measured(config, 0.5))
    message = {"text": "Model not deployed: accuracy 0.5000 is below the threshold 0.6000."}
    assert webhook.received == [("/services/secret", "application/json", message)]
    assert json.loads(Path(reference["path"]).read_text()) == message
    assert [r["key"] for r in journal.read(config.run_dir) if r["event"] == "effect"] == [f"notify:{config.run_id}"]


def test_without_a_webhook_the_message_is_only_kept(config: RunConfig) -> None:
    reference = steps.notify(str(config.path), measured(config, 0.5))
    assert reference["path"] == str(config.run_dir / "outbox" / "notify.json")
    assert steps.notify(str(config.path), measured(config, 0.5)) == reference


@pytest.mark.parametrize(("status", "reason"), [(404, "HTTP Error 404"), (500, "HTTP Error 500"), (0, "closed")])
def test_a_refusal_names_the_host_but_not_the_secret(
    make_config: Callable[..., RunConfig], webhook: Webhook, status: int, reason: str
) -> None:
    webhook.status = status
    config = make_config(webhook=webhook.url)
    with pytest.raises(CoreError, match=f"webhook http://127.0.0.1: message not delivered: .*{reason}") as caught:
        steps.notify(str(config.path), measured(config, 0.5))
    assert "secret" not in str(caught.value)


def test_nobody_listening_is_told(make_config: Callable[..., RunConfig]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        config = make_config(webhook=f"http://127.0.0.1:{unused.getsockname()[1]}/")
        with pytest.raises(CoreError, match=r"not delivered: .*refused.*; check the address in the run's config"):
            steps.notify(str(config.path), measured(config, 0.5))


@pytest.mark.parametrize("address", ["file:///etc/hostname", "hooks.example/x"])
def test_only_web_addresses_are_posted_to(make_config: Callable[..., RunConfig], address: str) -> None:
    config = make_config(webhook=address)
    with pytest.raises(CoreError, match="must begin with http:// or https://"):
        steps.notify(str(config.path), measured(config, 0.5))

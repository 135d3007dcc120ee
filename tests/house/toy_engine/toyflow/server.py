"""The HTTP API. It holds nothing in memory: what it says is in the store, and what it is told is put there."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from toyflow.store import Store

WORKER_AWAY_S = 3.0
LOAD = "import sys; from toyflow.flow import load; load(sys.argv[1])"
HOME = Path(sys.argv[1])
SETTINGS = json.loads((HOME / "toyflow.json").read_text())
Answer = tuple[int, Any]


def health(store: Store) -> Answer:
    return 200, {"pipelines": list(SETTINGS["scripts"]), "worker": store.worker_age_s() < WORKER_AWAY_S}


def deployment(_: Store) -> Answer:
    """What goes wrong when the files of flows are loaded."""
    loads = [[sys.executable, "-c", LOAD, script] for script in sorted(set(SETTINGS["scripts"].values()))]
    told = [subprocess.run(argv, capture_output=True, text=True, check=False) for argv in loads]
    return 200, {"error": "".join(one.stderr for one in told if one.returncode)}


def submit(store: Store, body: dict[str, Any]) -> Answer:
    if body["pipeline"] not in SETTINGS["scripts"]:
        return 404, {"error": f"no pipeline {body['pipeline']}"}
    return 201, {"id": store.submit(body["pipeline"], body["config"], body.get("partition", ""))}


def run(store: Store, run_id: str, *, steps: bool) -> Answer:
    found = store.run(run_id)
    if steps:
        kept = ("name", "status", "attempts", "started", "ended")
        found["steps"] = [{name: row[name] for name in kept} for row in store.steps(run_id)]
    return 200, found


def logs(store: Store, run_id: str, step: str) -> Answer:
    """Of a step, or of the run and all its steps."""
    store.run(run_id)
    folder = HOME / "logs" / run_id
    files = [folder / f"{step}.log"] if step else sorted(folder.glob("*.log"))
    return 200, {"text": "".join(file.read_text(errors="replace") for file in files if file.exists())}


def change(means: Callable[[str], bool], run_id: str) -> Answer:
    return (200, {"id": run_id}) if means(run_id) else (409, {"error": f"not in the present state of run {run_id}"})


class Handler(BaseHTTPRequestHandler):
    """One request, one connection to the store."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        with closing(Store(str(HOME / "toyflow.db"))) as store:
            match url.path.strip("/").split("/"):
                case ["health"]:
                    self.answer(lambda: health(store))
                case ["deployment"]:
                    self.answer(lambda: deployment(store))
                case ["runs", run_id]:
                    self.answer(lambda: run(store, run_id, steps=True))
                case ["runs", run_id, "status"]:
                    self.answer(lambda: run(store, run_id, steps=False))
                case ["runs", run_id, "logs"]:
                    self.answer(lambda: logs(store, run_id, parse_qs(url.query).get("step", [""])[0]))
                case _:
                    self.answer(lambda: (404, {"error": "no such page"}))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        with closing(Store(str(HOME / "toyflow.db"))) as store:
            match self.path.strip("/").split("/"):
                case ["runs"]:
                    self.answer(lambda: submit(store, body))
                case ["runs", run_id, "resume"]:
                    self.answer(lambda: change(store.resume, run_id))
                case ["runs", run_id, "cancel"]:
                    self.answer(lambda: change(store.cancel, run_id))
                case _:
                    self.answer(lambda: (404, {"error": "no such page"}))

    def answer(self, said: Callable[[], Answer]) -> None:
        try:
            code, content = said()
        except KeyError as error:
            code, content = 404, {"error": str(error)}
        body = json.dumps(content).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: the harness asks often."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", SETTINGS["port"]), Handler).serve_forever()

"""Takes runs from the queue, each into a process of its own; takes up those whose process is gone."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import uuid
from pathlib import Path

from toyflow.store import Store


class Worker:
    """It knows which processes it has started; of others it knows their heartbeats."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.settings = json.loads((home / "toyflow.json").read_text())
        self.store = Store(str(home / "toyflow.db"))
        self.living: dict[str, subprocess.Popen[bytes]] = {}
        """Owner of a run -> its process."""

    def look(self) -> None:
        """Once: what has ended, what was lost, what is new."""
        for owner, process in list(self.living.items()):
            if process.poll() is not None:
                del self.living[owner]
                self.store.give_back(owner)
        for owner in self.store.lost(self.settings["stale_s"], self.living):
            self.store.give_back(owner)
        while len(self.living) < self.settings["slots"]:
            owner = uuid.uuid4().hex
            run = self.store.take(owner)
            if run is None:
                break
            self.living[owner] = self.begin(run["id"])
        self.store.worker_beat()

    def begin(self, run: str) -> subprocess.Popen[bytes]:
        logs = self.home / "logs" / run
        logs.mkdir(parents=True, exist_ok=True)
        argv = [sys.executable, "-m", "toyflow.conduct", str(self.home), run]
        with (logs / ".run.log").open("ab") as log:
            return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)


if __name__ == "__main__":
    worker = Worker(Path(sys.argv[1]))
    while True:
        worker.look()
        time.sleep(worker.settings["poll_s"])

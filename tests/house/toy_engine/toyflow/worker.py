"""Takes runs from the queue, each into a fork of its own; takes up those whose process is gone."""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import uuid
from multiprocessing.context import ForkProcess
from pathlib import Path

from toyflow.conduct import FORK, main
from toyflow.store import Store


class Worker:
    """It knows which processes it has started; of others it knows their heartbeats."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.settings = json.loads((home / "toyflow.json").read_text())
        self.store = self.opened()
        self.living: dict[str, ForkProcess] = {}
        """Owner of a run -> its process."""

    def look(self) -> None:
        """Once: what has ended, what was lost, what is new."""
        for owner, process in list(self.living.items()):
            if not process.is_alive():
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

    def opened(self) -> Store:
        return Store(str(self.home / "toyflow.db"))

    def begin(self, run: str) -> ForkProcess:
        """A connection to the database is nothing that a fork may have."""
        (self.home / "logs" / run).mkdir(parents=True, exist_ok=True)
        self.store.close()
        process = FORK.Process(target=conducted, args=(self.home, run))
        process.start()
        self.store = self.opened()
        return process


def conducted(home: Path, run: str) -> None:
    """In the run's own process: what it says goes to its log."""
    log = os.open(home / "logs" / run / ".run.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    main(home, run)


if __name__ == "__main__":
    worker = Worker(Path(sys.argv[1]))
    for name in worker.settings["preload"]:
        importlib.import_module(name)
    while True:
        worker.look()
        time.sleep(worker.settings["poll_s"])

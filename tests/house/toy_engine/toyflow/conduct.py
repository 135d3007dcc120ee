"""One run, in a process of its own; each attempt of a step is a process that it forks, so that it can be ended."""

from __future__ import annotations

import ctypes
import json
import logging
import multiprocessing
import os
import signal
import sys
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from toyflow.flow import OFFERED, Flow, Node, load
from toyflow.slots import Slots
from toyflow.store import Store

TICK_S, BEAT_S = 0.05, 0.5
TAKEN_LIMIT = 5
"""A run whose process has ended so often before it is given up."""
PR_SET_PDEATHSIG = 1
FORK = multiprocessing.get_context("fork")


@dataclass
class Unit:
    """A step of this run, or one of many like ones."""

    name: str
    node: Node
    item: Any = None
    status: str = "pending"
    attempts: int = 0
    tried: int = 0
    """Attempts since the run was last submitted or resumed."""
    started: str | None = None
    ended: str | None = None
    result: Any = None
    due: float = 0.0
    deadline: float = 0.0
    process: Any = None
    told: Connection = field(default=None)  # type: ignore[assignment]
    slot: int = -1

    @property
    def over(self) -> bool:
        return self.status in ("completed", "failed", "skipped")


class Conducting:
    """What is known of the run, in this process and in the store alike."""

    def __init__(self, store: Store, run: dict[str, Any], flow: Flow, slots: Slots, logs: Path | None) -> None:
        self.store, self.run, self.flow, self.slots, self.logs = store, run, flow, slots, logs
        self.known = {row["name"]: row for row in store.steps(run["id"])}
        self.units: dict[str, list[Unit]] = {}
        """Node -> its units, once it is known which there are."""
        self.beaten = 0.0

    @property
    def all_units(self) -> list[Unit]:
        return [unit for units in self.units.values() for unit in units]

    def conduct(self) -> str:
        """The run's status in the end."""
        while True:
            if self.is_cancelled():
                return "failed"
            self.unfold()
            self.start()
            running = [unit for unit in self.all_units if unit.process]
            if not running and len(self.units) == len(self.flow.nodes) and all(u.over for u in self.all_units):
                return "failed" if any(u.status == "failed" for u in self.all_units) else "completed"
            self.listen(running)

    def is_cancelled(self) -> bool:
        if time.monotonic() - self.beaten < BEAT_S:
            return False
        self.beaten = time.monotonic()
        answer = self.store.beat(self.run["id"], self.run["owner"])
        if answer is False:
            return False
        for unit in self.all_units:
            if unit.process:
                self.stop(unit, "cancelled")
                self.keep(unit, "failed")
        if answer is None:
            sys.exit("the run has been taken up elsewhere")
        return True

    def state(self, name: str) -> str:
        """Of a node: pending until all its units are over."""
        states = {unit.status for unit in self.units.get(name, [])}
        if name not in self.units or not states <= {"completed", "failed", "skipped"}:
            return "pending"
        return next((one for one in ("failed", "skipped") if one in states), "completed")

    def unfold(self) -> None:
        """Of nodes whose turn has come: which units they are."""
        for node in self.flow.nodes:
            before = [self.state(name) for name in node.after]
            if node.name in self.units or "pending" in before:
                continue
            wanted = self.wanted(node, before)
            items = self.items(node) if wanted else [None]
            self.units[node.name] = [self.unit(node, item, skipped=not wanted) for item in items]

    def wanted(self, node: Node, before: list[str]) -> bool:
        if node.always:
            return True
        if "failed" in before or (node.arm_of and self.result(node.arm_of) != [node.name]):
            return False
        return "completed" in before if node.join else "skipped" not in before

    def items(self, node: Node) -> list[Any]:
        if node.over:
            return list(self.result(node.over)[0])
        return [self.run["partition"] if node.partition else node.item]

    def result(self, name: str) -> list[Any]:
        return [unit.result for unit in self.units[name] if unit.status == "completed"]

    def unit(self, node: Node, item: Any, *, skipped: bool) -> Unit:
        """As it stands in the store, if the run was conducted before."""
        unit = Unit(node.name if skipped else node.instance(item), node, item)
        row = self.known.get(unit.name)
        if row:
            unit.attempts, unit.tried = row["attempts"], row["tried"]
            unit.started, unit.ended, unit.status = row["started"], row["ended"], row["status"]
            unit.result = json.loads(row["result"]) if row["result"] else None
        if skipped:
            self.keep(unit, "skipped")
        elif unit.status == "running":
            self.failed(unit)  # it was lost with the process that conducted the run
        elif not unit.over or unit.status == "skipped":
            self.keep(unit, "pending")
        return unit

    def keep(self, unit: Unit, status: str) -> None:
        unit.status = status
        self.store.put(
            run=self.run["id"], owner=self.run["owner"], name=unit.name, status=status, attempts=unit.attempts,
            tried=unit.tried, started=unit.started, ended=unit.ended, always=unit.node.always,
            result=json.dumps(unit.result) if status == "completed" else None,
        )  # fmt: skip

    def start(self) -> None:
        waiting = [u for u in self.all_units if not u.over and not u.process and u.due <= time.monotonic()]
        free = self.slots.at_once - sum(1 for unit in self.all_units if unit.process)
        for unit in waiting[:free]:
            slot = self.slots.take()
            if slot is None:
                break
            unit.slot = slot
            given = [each for name in unit.node.given for each in self.result(name)]
            unit.attempts, unit.tried, unit.started, unit.ended = unit.attempts + 1, unit.tried + 1, now(), None
            self.keep(unit, "running")
            unit.told, teller = FORK.Pipe(duplex=False)
            log = str(self.logs / f"{unit.name}.log") if self.logs else ""
            unit.process = FORK.Process(target=attempt, args=(teller, log, unit, self.run["config"], given))
            unit.process.start()
            teller.close()  # so that its end is noticed
            unit.deadline = time.monotonic() + unit.node.limits.timeout_s

    def listen(self, running: list[Unit]) -> None:
        ready = wait([unit.told for unit in running], timeout=TICK_S)
        for unit in running:
            if unit.told in ready:
                self.hear(unit)
            elif time.monotonic() > unit.deadline:
                self.stop(unit, f"not done within {unit.node.limits.timeout_s:g} s")
                self.failed(unit)

    def hear(self, unit: Unit) -> None:
        """What an attempt says of its end; if it says nothing, its process was lost."""
        try:
            good, content = unit.told.recv()
        except EOFError:
            self.stop(unit, "its process has ended before it was done")
            self.failed(unit)
            return
        self.stop(unit)
        if good:
            unit.result, unit.ended = json.loads(content), now()
            self.keep(unit, "completed")
        else:
            self.failed(unit, final=bool(content))

    def failed(self, unit: Unit, *, final: bool = False) -> None:
        unit.ended, unit.due = now(), time.monotonic() + unit.node.limits.delay_s
        self.keep(unit, "failed" if final or unit.tried > unit.node.limits.retries else "retrying")

    def stop(self, unit: Unit, why: str = "") -> None:
        """End an attempt's process and what it has started; say why, where the user looks."""
        if why:
            with suppress(ProcessLookupError):
                os.killpg(unit.process.pid, signal.SIGKILL)
            if self.logs:
                with (self.logs / f"{unit.name}.log").open("a") as log:
                    log.write(f"{now()} attempt {unit.attempts}: {why}\n")
        unit.process.join()
        unit.told.close()
        self.slots.give_back(unit.slot)
        unit.process, unit.ended = None, now()


def attempt(teller: Connection, log: str, unit: Unit, config: str, given: list[Any]) -> None:
    """In the attempt's own process, which does not outlive the run's."""
    os.setpgid(0, 0)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != FORK.parent_process().pid:  # it has ended before it was said what then
        os._exit(1)
    if log:
        descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True)
    try:
        result = unit.node.call(config, *([] if unit.item is None else [unit.item]), *given)
        teller.send((True, json.dumps(result)))
    except BaseException as error:  # noqa: BLE001 - whatever it is, the run's process has to know
        traceback.print_exc()
        teller.send((False, isinstance(error, unit.node.limits.final)))


def now() -> str:
    return datetime.now(UTC).isoformat()


def local(*arguments: str) -> None:
    """`[NAME] CONFIG`: run a loaded flow here, and remember nothing of it."""
    *name, config = arguments
    store = Store(":memory:")
    store.create()
    store.submit(name[0] if name else next(iter(OFFERED)), config)
    run = store.take("local") or {}
    slots = Slots(int(os.environ["TOYFLOW_SLOTS"]))
    if Conducting(store, run, OFFERED[run["pipeline"]](), slots, None).conduct() == "failed":
        sys.exit(f"{run['pipeline']} has failed")


def main(home: Path, run_id: str) -> None:
    """Conduct a run that was taken from the queue, unless its file cannot be loaded."""
    settings = json.loads((home / "toyflow.json").read_text())
    store = Store(str(home / "toyflow.db"))
    run = store.run(run_id)
    status = "failed"
    if run["taken"] > TAKEN_LIMIT:
        store.end(run_id, run["owner"], status)
        sys.exit(f"given up: the run's process has ended {TAKEN_LIMIT} times before the run")
    try:
        load(settings["scripts"][run["pipeline"]])
        flow = OFFERED[run["pipeline"]]()
        slots = Slots(settings["slots"], settings.get("shared_slots", 0), home)
        status = Conducting(store, run, flow, slots, home / "logs" / run_id).conduct()
    except Exception:  # noqa: BLE001 - of the pipeline's file: its user has to know
        traceback.print_exc()
    store.end(run_id, run["owner"], status)

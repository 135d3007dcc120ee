"""The toy engine, as the harness starts it: a server and a worker. Never imports what it starts."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from impl_toy.endpoint import ToyEndpoint
from impl_toy.expectations import EXPECTATIONS
from impl_toy.settings import polling_of, settings_of
from impl_toy.targets import TARGETS

from bench.contract.adapter import Adapter
from bench.contract.engine import Database, EngineClass
from bench.contract.installing import PythonLock
from bench.contract.processes import Command, Function, Role
from bench.contract.settings import Polling, Setting
from bench.contract.words import Track
from core.declaration import Kind


class Toy(Adapter):
    """A durable queue, a worker that takes runs from it, a process for each run and for each attempt of a step."""

    name = "toy"
    title = "Toyflow"
    engine_class = EngineClass.SERVED
    install = PythonLock("msgspec", "msgspec")
    run_s = 4.0
    place, colour, shape = 9, "engine-6", "diamond"
    binds = frozenset(Kind)
    databases: ClassVar[dict[Track, Database]] = dict.fromkeys(Track, Database.SQLITE)
    port_names = ("api",)
    targets = TARGETS
    expectations = EXPECTATIONS

    @cached_property
    def endpoint(self) -> ToyEndpoint:
        return ToyEndpoint(self.http, f"http://127.0.0.1:{self.workspace.ports['api']}")

    def settings(self) -> list[Setting]:
        return settings_of(self.workspace)

    def polling(self) -> list[Polling]:
        return polling_of(self.workspace.track)

    def initialise(self) -> list[Command]:
        space = self.workspace
        scripts = {name: space.script(name)[0] for name in space.offered}
        told = {one.name: json.loads(one.value) for one in self.settings()} | {"scripts": scripts}
        (space.home / "toyflow.json").write_text(json.dumps(told))
        return [self._command("-m", "toyflow.store", str(space.home / "toyflow.db"))]

    def roles(self) -> list[Role]:
        server, worker = (
            self._command("-m", f"toyflow.{one}", str(self.workspace.home)) for one in ("server", "worker")
        )
        return [
            Role("server", server, Function.API, self.endpoint.healthy),
            Role("worker", worker, Function.WORKER, self.endpoint.served),
        ]

    def local(self, pipeline: str, config: Path, variant: str = "") -> Command:  # noqa: ARG002 - it has none
        return self._command(*self.workspace.script(pipeline), str(config))

    def local_note(self) -> str:
        at_once = self.workspace.parallelism
        return f"Running the file conducts the flow in that process, up to {at_once} steps at once, and keeps nothing."

    def _command(self, *arguments: str) -> Command:
        space = self.workspace
        path = f"{space.project}:{space.project / 'impl_toy'}"  # where its package would be if it were installed
        told = {"PYTHONPATH": path, "TOYFLOW_SLOTS": str(space.parallelism)}
        return Command((space.executable("python"), *arguments), told, space.home)


ADAPTER = Toy

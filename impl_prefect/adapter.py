"""Prefect 3, as the harness starts it: a server and a process worker. Never imports Prefect."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import ClassVar

from bench.contract.adapter import Adapter
from bench.contract.earlier import Earlier
from bench.contract.engine import Database, EngineClass
from bench.contract.installing import PythonLock
from bench.contract.processes import Command, Function, Role
from bench.contract.settings import Polling, Setting
from bench.contract.words import Track
from bench.contract.workspace import BINDING
from core.declaration import Kind
from impl_prefect.endpoint import POOL, PrefectEndpoint
from impl_prefect.expectations import EXPECTATIONS
from impl_prefect.settings import (
    PROCESSES,
    api,
    automations_of,
    credentials,
    environment,
    limit_commands,
    polling_of,
    settings_of,
)
from impl_prefect.targets import TARGETS

LOG_BATCH_S = 2.0
"""The default of PREFECT_LOGGING_TO_API_BATCH_INTERVAL."""


class Prefect(Adapter):
    """A server, a worker that polls a process work pool, and flow runs as processes of that worker."""

    name = "prefect"
    title = "Prefect"
    engine_class = EngineClass.SERVED
    install = PythonLock("prefect", "prefect")
    default = True
    run_s = 5.6
    earlier = Earlier(session_s=30.0, run_s=7.5, of_six=0.051)
    place, colour, shape = 1, "engine-2", "square"
    binds = frozenset({Kind.STEP, Kind.MAP})
    published: ClassVar[dict[str, float]] = {"short": 4.87, "long": 15.5}
    published_version = "2.14.4"
    databases: ClassVar[dict[Track, Database]] = {Track.STOCK: Database.SQLITE, Track.TUNED: Database.POSTGRES}
    port_names = ("api",)
    secret_names = ("password",)
    variants = (PROCESSES,)
    targets = TARGETS
    expectations = EXPECTATIONS

    @cached_property
    def endpoint(self) -> PrefectEndpoint:
        batch_s = float(self._environment().get("PREFECT_LOGGING_TO_API_BATCH_INTERVAL", LOG_BATCH_S))
        return PrefectEndpoint(self.http, api(self.workspace), credentials(self.workspace), batch_s)

    def settings(self) -> list[Setting]:
        return settings_of(self.workspace)

    def polling(self) -> list[Polling]:
        return polling_of(self.settings())

    def roles(self) -> list[Role]:
        """The server makes its own database when it starts, and the worker its pool."""
        worker = self._command("prefect", "worker", "start", "--pool", POOL, "--type", "process")
        return [
            Role("api", self._command("prefect", "server", "start"), Function.API, self.endpoint.healthy),
            Role("worker", worker, Function.WORKER, self.endpoint.served),
        ]

    def deploy(self) -> list[Command]:
        pipelines = self.workspace.pipelines
        folders = [*self.workspace.by_hand, *([BINDING] if self.workspace.bound else [])]
        scripts = (pipelines / folder / name for folder in folders for name in ("deploy.py", "deploy_variants.py"))
        commands = [self._command(*limit) for limit in limit_commands(self.settings())]
        commands += [self._command("python", str(script)) for script in scripts if script.exists()]
        files = (str(pipelines / name) for name in automations_of(self.settings()))
        return commands + [self._command("prefect", "automation", "create", "--from-file", file) for file in files]

    def local_initialise(self) -> list[Command]:
        return [self._local_command("prefect", "server", "database", "upgrade", "--yes")]

    def local(self, pipeline: str, config: Path, variant: str = "") -> Command:  # noqa: ARG002 - it has none
        return self._local_command("python", *self.workspace.script(pipeline), str(config))

    def local_note(self) -> str:
        return (
            "Calling the flow starts a temporary server process on a free loopback port with a migrated SQLite "
            "database; the tasks run one after the other in the caller's process."
        )

    def _command(self, executable: str, *arguments: str) -> Command:
        return Command((self.workspace.executable(executable), *arguments), self._environment(), self.workspace.home)

    def _environment(self) -> dict[str, str]:
        return environment(self.settings())

    def _local_command(self, executable: str, *arguments: str) -> Command:
        """Without address and database of the server; all else as served."""
        served = {"PREFECT_API_URL", "PREFECT_SERVER_API_HOST", "PREFECT_SERVER_API_PORT"}
        served |= {"PREFECT_SERVER_DATABASE_CONNECTION_URL"}
        command = self._command(executable, *arguments)
        environment = {name: value for name, value in command.env.items() if name not in served}
        home = self.workspace.home / "local"
        environment["PREFECT_HOME"] = str(home)
        return Command(command.argv, environment, self.workspace.home)


ADAPTER = Prefect

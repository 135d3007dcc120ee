"""Dagster, as the harness starts it: a code server, a webserver and a daemon."""

from __future__ import annotations

import json
import socket
import uuid
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from bench.contract.adapter import Adapter
from bench.contract.earlier import Earlier
from bench.contract.engine import Database, EngineClass
from bench.contract.installing import PythonLock
from bench.contract.processes import Command, Function, Role
from bench.contract.settings import Polling, Setting
from bench.contract.words import Track
from core.declaration import Kind
from impl_dagster.endpoint import DagsterEndpoint
from impl_dagster.expectations import EXPECTATIONS
from impl_dagster.settings import (
    CODE_SERVER,
    DAEMON,
    LOOPBACK,
    MODULE,
    VARIANTS,
    WEBSERVER,
    arguments,
    document,
    environment,
    polling_of,
    retries_runs,
    run_config,
    settings_of,
)
from impl_dagster.targets import TARGETS


class Dagster(Adapter):
    """Dagster OSS with the default run launcher and a process per step; as a variant, all steps in the run's own."""

    name = "dagster"
    title = "Dagster"
    engine_class = EngineClass.SERVED
    install = PythonLock("dagster", "dagster")
    default = True
    run_s = 11.1
    earlier = Earlier(session_s=30.0, run_s=12.5, of_six=0.044)
    place, colour, shape = 2, "engine-3", "triangle-up"
    binds = frozenset({Kind.STEP, Kind.MAP})
    databases: ClassVar[dict[Track, Database]] = {Track.STOCK: Database.SQLITE, Track.TUNED: Database.POSTGRES}
    port_names = ("webserver", "code")
    variants = local_variants = tuple(VARIANTS)
    targets = TARGETS
    expectations = EXPECTATIONS

    @cached_property
    def endpoint(self) -> DagsterEndpoint:
        base = f"http://{LOOPBACK}:{self.workspace.ports['webserver']}"
        return DagsterEndpoint(self.http, base, self._run_config, retries=retries_runs(self.settings()))

    def settings(self) -> list[Setting]:
        return settings_of(self.workspace)

    def initialise(self) -> list[Command]:
        home = self.workspace.home
        for name in ("dagster.yaml", "workspace.yaml"):
            (home / name).write_text(json.dumps(document(self.settings(), name), indent=2))
        return [self._command("dagster instance migrate")]

    def roles(self) -> list[Role]:
        return [
            Role("code-server", self._command(CODE_SERVER), Function.CODE, self._code_server_listens),
            Role("webserver", self._command(WEBSERVER), Function.API, self._webserver_offers_jobs),
            Role("daemon", self._command(DAEMON), Function.SCHEDULING, self.endpoint.daemons_healthy),
        ]

    def polling(self) -> list[Polling]:
        return polling_of(self.settings())

    def local_initialise(self) -> list[Command]:
        home = self._local_home()
        home.mkdir(exist_ok=True)
        telemetry = [setting for setting in self.settings() if "telemetry" in setting.name]
        (home / "dagster.yaml").write_text(json.dumps(document(telemetry, "dagster.yaml"), indent=2))
        return []

    def local(self, pipeline: str, config: Path, variant: str = "") -> Command:
        file = self._local_home() / f"{uuid.uuid4().hex}.yaml"
        file.write_text(json.dumps(self._run_config(config, variant)))
        launch = f"dagster job execute --module-name {MODULE} --job {pipeline}"
        command = self._command(launch, "--config", str(file))
        return Command(command.argv, {**command.env, "DAGSTER_HOME": str(self._local_home())})

    def local_note(self) -> str:
        at_once = self.workspace.parallelism
        return (
            "`dagster job execute` starts one run worker and no server; it needs a DAGSTER_HOME folder, where it makes "
            f"SQLite files on first use, and runs each step in a process of its own, {at_once} at once; with the "
            "executor `in_process` it runs them one after another in its own."
        )

    def _command(self, command: str, *more: str) -> Command:
        program, *words = command.split()
        settings = self.settings()
        argv = (self.workspace.executable(program), *words, *arguments(settings, command), *more)
        return Command(argv, environment(settings), self.workspace.home)

    def _local_home(self) -> Path:
        return self.workspace.home / "local"

    def _run_config(self, config: Path, variant: str = "") -> dict[str, Any]:
        return {"resources": {"run": {"config": {"config": str(config)}}}, **run_config(self.settings(), variant)}

    def _code_server_listens(self) -> bool:
        """gRPC, so no HTTP: it listens once the pipelines are imported."""
        try:
            with socket.create_connection((LOOPBACK, self.workspace.ports["code"]), timeout=1):
                return True
        except OSError:
            return False

    def _webserver_offers_jobs(self) -> bool:
        """While the code server is away the webserver answers, but has no jobs; it looks for the server by itself."""
        return all(self.endpoint.deployed(name) for name in self.workspace.offered)


ADAPTER = Dagster

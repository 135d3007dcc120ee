"""One bring-up of one engine on one track: provision, initialise, start, deploy; then runs; then stop."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path

import httpx

from bench.contract.adapter import Adapter
from bench.contract.endpoint import OURS, ApiError, Endpoint, Reach
from bench.contract.engine import Database, Submission
from bench.contract.errors import EngineError
from bench.contract.processes import Command, Role
from bench.contract.words import Track
from bench.contract.workspace import STEP_TIMEOUT_S, Workspace
from bench.session import postgres
from bench.session.asking import Repeating
from bench.session.deploying import DEPLOYMENT, tell
from bench.session.ports import require_free
from bench.session.supervisor import Process, Supervisor
from bench.session.workspace import clean_environment, make_scratch, make_workspace
from core.declaration import Shaped
from core.declaration.deployment import VARIABLE
from core.instrument.journal import now_ns

READY_LIMIT_S = 180.0
READY_POLL_S = 0.1
HTTP_TIMEOUT_S = 30.0


@dataclass
class Session:
    """An engine that is up. `seconds` holds how long each part of the bring-up took."""

    adapter: Adapter
    supervisor: Supervisor
    scratch: Path
    seconds: dict[str, float] = field(default_factory=dict)
    processes: dict[str, Process] = field(default_factory=dict)
    step_timeout_s: float = STEP_TIMEOUT_S
    """How long an attempt of a step may take."""
    reach: frozenset[Reach] = OURS
    """What can be done to the engine's processes."""
    _submitted: Iterator[int] = field(default_factory=lambda: count(1))
    _database: postgres.Server | None = None

    @property
    def endpoint(self) -> Endpoint:
        """Where the engine can be asked."""
        return self.adapter.endpoint

    @property
    def has_database(self) -> bool:
        """Whether a database server is the engine's; if not, it keeps its data in files."""
        return self._database is not None

    @property
    def database(self) -> Process:
        """The database server's process; EngineError if the engine keeps its data in files."""
        if self._database is None:
            raise EngineError(f"{self.adapter.name} has no database server on this track")
        return self._database.process

    @property
    def workspace(self) -> Workspace:
        """The adapter's workspace."""
        return self.adapter.workspace

    def bring_up(self) -> None:
        """Initialise, start and deploy, each timed. EngineError with the log's last lines if a part fails."""
        begin = now_ns()
        self._run_all("initialise", self.adapter.initialise())
        self.seconds["initialise_s"] = (now_ns() - begin) / 1e9
        require_free(self.workspace.ports)
        begin = now_ns()
        self._start(self.adapter.roles())
        self.seconds["start_s"] = (now_ns() - begin) / 1e9
        begin = now_ns()
        self._run_all("deploy", self.adapter.deploy())
        for name in self.workspace.offered:
            offered = partial(self.endpoint.deployed, name)
            wait_until(offered, f"{name} offered by the API", READY_LIMIT_S, *self.processes.values())
        self.seconds["deploy_s"] = (now_ns() - begin) / 1e9

    def submit(self, pipeline: str, config: Path, variant: str = "") -> str:
        """Start a run in the way that the engine declares; return its id."""
        if self.adapter.submission is Submission.API:
            return self.endpoint.submit(pipeline, config, variant)
        run = uuid.uuid4().hex
        command = self.adapter.submit_command(pipeline, config, run, variant)
        self.supervisor.start(f"submit-{next(self._submitted)}", command)
        return run

    def _start(self, roles: list[Role]) -> None:
        for role in roles:
            process = self.supervisor.start(role.kind, role.command)
            self.processes[role.kind] = process
            if role.ready:
                wait_until(role.ready, f"{role.kind} ready", READY_LIMIT_S, process)

    def restart(self, kinds: tuple[str, ...]) -> None:
        """Start services again that have ended, and wait until the engine as a whole is ready. EngineError if not."""
        roles = self.adapter.roles()
        self._start([role for role in roles if role.kind in kinds])
        for role in roles:
            if role.ready and role.kind not in kinds:
                wait_until(role.ready, f"{role.kind} ready", READY_LIMIT_S)  # it may be on its way back itself

    def start_again(self, kind: str) -> None:
        """Start a service that has ended, without waiting for it. EngineError if it cannot be started."""
        role = next(role for role in self.adapter.roles() if role.kind == kind)
        self.processes[kind] = self.supervisor.start(kind, role.command)

    def restart_database(self) -> None:
        """Start the database server again that has ended, and wait until it is ready. EngineError if not."""
        if self._database:
            self._database.start_again(self.supervisor)

    def stop_engine(self) -> None:
        """Stop every process of the engine; the database stays for the end of the session."""
        self.supervisor.stop(keep=(self._database.process,) if self._database else ())
        self.processes.clear()

    def _run_all(self, phase: str, commands: list[Command]) -> None:
        for number, command in enumerate(commands, 1):
            self.supervisor.run(f"{phase}-{number}", command)


@contextmanager
def open_session(
    kind: type[Adapter],
    track: Track,
    environment: Path,
    logs: Path,
    deployed: Sequence[Shaped],
    *,
    variants: bool = False,
    limited: bool = False,
    storage: str = "",
    step_timeout_s: float = STEP_TIMEOUT_S,
) -> Iterator[Session]:
    """Give a session whose engine is not started yet; at the end everything of it is stopped and removed.

    Of the pipelines in `deployed` it offers those that the engine has code for, each with the settings that fix its
    graph; with `variants` also the engine's other isolations. With `limited` runs share a limit of steps at once; what
    steps hand on is kept in `storage`, if one is named. An attempt of a step may take `step_timeout_s`.
    """
    scratch = make_scratch()
    told = clean_environment(scratch / "home", environment / "bin") | {VARIABLE: str(scratch / DEPLOYMENT)}
    with (
        Supervisor(scratch, told, logs) as supervisor,
        httpx.Client(timeout=HTTP_TIMEOUT_S, trust_env=False, transport=Repeating()) as http,
    ):
        server = postgres.start(supervisor, scratch, kind.name) if kind.databases[track] is Database.POSTGRES else None
        space = make_workspace(kind, track, scratch, environment, deployed, variants=variants, limited=limited,
                               storage=storage, postgres=server.folder if server else None)  # fmt: skip
        tell(scratch, space, step_timeout_s)
        yield Session(kind(space, http), supervisor, scratch, step_timeout_s=step_timeout_s, _database=server)


def wait_until(
    condition: Callable[[], bool],
    what: str,
    limit_s: float,
    *processes: Process,
    poll_s: float = READY_POLL_S,
) -> None:
    """Ask until the condition holds; EngineError if one of `processes` ends before it does, or the limit passes."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        for process in processes:
            if process.ended.is_set():
                raise EngineError(f"{process.name}: ended with exit code {process.code} before: {what}", process.tail())
        try:
            if condition():
                return
        except (httpx.HTTPError, ApiError):
            pass  # not listening yet, or busy: asked again
        time.sleep(poll_s)
    raise EngineError(f"{what}: not within {limit_s:.0f} s", processes[-1].tail() if processes else "")

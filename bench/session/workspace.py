"""Where one session of an engine lives: folders, ports, secrets and a clean environment."""

from __future__ import annotations

import hashlib
import secrets
import shutil
import socket
import tempfile
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from bench.contract.adapter import Adapter, Track, Workspace
from bench.contract.errors import EngineError
from bench.contract.project import PROJECT

STEP_TIMEOUT_S = 30.0
"""How long an attempt of a step may take in a session, so that a hung one is met within a run's limit."""
PORTS = range(20_000, 32_768)
"""Where an engine's ports are drawn from: below those that Linux hands out by itself (ip_local_port_range)."""
PARALLELISM = 4
"""Steps that may run at once, the same for every engine."""


def make_scratch() -> Path:
    """A short-named folder for one session. Short, because a socket path is limited to 107 bytes;
    searchable by others, because PostgreSQL refuses to run as root and is given another user."""
    scratch = Path(tempfile.mkdtemp(prefix="orchbench-"))
    scratch.chmod(0o711)
    return scratch


def make_workspace(
    adapter: type[Adapter],
    track: Track,
    scratch: Path,
    environment: Path,
    *,
    postgres: Path | None = None,
    chains: tuple[int, ...] = (),
    operations: bool = False,
) -> Workspace:
    """Lay out the folders of a session in `scratch` and draw its ports and secrets."""
    home = scratch / "home"
    home.mkdir()
    pipelines = scratch / "pipelines"
    beside = {"synthetic": bool(chains), "operations": operations}
    for folder in ("pipelines", *(name for name, wanted in beside.items() if wanted)):
        origin = PROJECT / f"impl_{adapter.name}" / folder
        shutil.copytree(origin, pipelines, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    return Workspace(
        home=home,
        pipelines=pipelines,
        environment=environment,
        project=PROJECT,
        track=track,
        parallelism=PARALLELISM,
        ports=dict(zip(adapter.port_names, free_ports(len(adapter.port_names)), strict=True)),
        secrets={name: secrets.token_hex(32) for name in adapter.secret_names},
        chains=chains,
        operations=operations,
        postgres=postgres,
    )


def core_digest() -> str:
    """SHA-256 over the names and contents of core's source files, hexadecimal."""
    total = hashlib.sha256()
    for path in sorted((PROJECT / "core").rglob("*.py")):
        total.update(f"{path.relative_to(PROJECT)}\0".encode() + path.read_bytes())
    return total.hexdigest()


def free_ports(count: int) -> list[int]:
    """Loopback ports that are free now, all different, and that the kernel gives to nobody who does not ask for them.

    Raises EngineError if there are not so many.
    """
    drawn = secrets.SystemRandom().sample(PORTS, len(PORTS))
    found = list(islice((port for port in drawn if _is_free(port)), count))
    if len(found) < count:
        raise EngineError(f"{count} free ports are needed on 127.0.0.1; end what listens at {PORTS[0]} to {PORTS[-1]}")
    return found


def require_free(ports: Mapping[str, int]) -> None:
    """Raise EngineError if another program has taken a port since it was drawn.

    It could answer in the engine's place, so this is asked right before the engine starts.
    """
    for name, port in ports.items():
        if not _is_free(port):
            raise EngineError(f"port {port} ({name}) was taken by another program since it was drawn; run again")


def _is_free(port: int) -> bool:
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that have ended do not count
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def clean_environment(
    home: Path, executables: Path, chains: tuple[int, ...] = (), step_timeout_s: float = STEP_TIMEOUT_S
) -> dict[str, str]:
    """What every process of an engine starts from: nothing of the user's own environment.

    HOME and TMPDIR lie in the session's folders, so nothing is written elsewhere. Bytecode is
    written as usual: without it an engine's processes start several times slower. `chains`: see `Workspace`.
    """
    temporary = home.parent / "tmp"
    temporary.mkdir(exist_ok=True)
    return {
        "PATH": f"{executables}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONPATH": str(PROJECT),
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": "1",
        "ORCHBENCH_CHAINS": ",".join(map(str, chains)),
        "ORCHBENCH_STEP_TIMEOUT_S": f"{step_timeout_s:g}",
    }

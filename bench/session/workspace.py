"""Where one session of an engine lives: folders, ports, secrets and a clean environment."""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.contract import registry
from bench.contract.adapter import Adapter
from bench.contract.project import PROJECT
from bench.contract.words import Track
from bench.contract.workspace import Workspace
from bench.session.deploying import lay_out
from bench.session.ports import free_ports
from core.declaration import Shaped

PARALLELISM = 4
"""Steps that may run at once within a run, the same for every engine."""
AT_ONCE_OVER_ALL = 4
"""Steps that may run at once over all runs, the same for every engine, in sessions in which several are up at once."""


NAME = "orchbench"
"""What engines call their user: not every id has a name."""
LIBRARIES = ("LD_LIBRARY_PATH",)
"""Without it some Pythons do not start."""


def make_scratch() -> Path:
    """A short-named folder for one session, of its owner alone. Short, because a socket's path is limited."""
    return Path(tempfile.mkdtemp(prefix="orchbench-"))


def make_workspace(
    adapter: type[Adapter],
    track: Track,
    scratch: Path,
    environment: Path,
    deployed: Sequence[Shaped] = (),
    *,
    variants: bool = False,
    limited: bool = False,
    storage: str = "",
    postgres: Path | None = None,
) -> Workspace:
    """Lay out the folders of a session in `scratch` and draw its ports and secrets.

    What the engine has no code for is left out. `limited`: runs share a limit of steps; `storage`: one of `storages`.
    """
    (scratch / "home").mkdir(mode=0o700)
    codes = [(one, registry.code_of(adapter, one.pipeline)) for one in deployed]
    space = Workspace(
        home=scratch / "home", pipelines=scratch / "pipelines", environment=environment, project=PROJECT,
        track=track, parallelism=PARALLELISM,
        ports=dict(zip(adapter.port_names, free_ports(len(adapter.port_names)), strict=True)),
        secrets={name: secrets.token_hex(32) for name in adapter.secret_names},
        by_hand=tuple(one.pipeline for one, code in codes if code == "by hand"),
        bound=tuple(one for one, code in codes if code == "binding"), variants=variants,
        storage=next((one.within(scratch / "home") for one in adapter.storages if one.name == storage), ()),
        at_once_over_all=AT_ONCE_OVER_ALL if limited else None, postgres=postgres,
    )  # fmt: skip
    lay_out(PROJECT / f"impl_{adapter.name}", space)
    return space


def core_digest() -> str:
    """SHA-256 over the names and contents of core's source files, hexadecimal."""
    total = hashlib.sha256()
    for path in sorted((PROJECT / "core").rglob("*.py")):
        total.update(f"{path.relative_to(PROJECT)}\0".encode() + path.read_bytes())
    return total.hexdigest()


def clean_environment(home: Path, executables: Path) -> dict[str, str]:
    """What every process of an engine starts from: nothing of the user's own environment.

    HOME and TMPDIR lie in the session's folders, so nothing is written elsewhere. Bytecode is
    written as usual: without it an engine's processes start several times slower.
    """
    temporary = home.parent / "tmp"
    temporary.mkdir(mode=0o700, exist_ok=True)
    return {
        "PATH": f"{executables}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONPATH": str(PROJECT),
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": "1",
        "USER": NAME,
        "LOGNAME": NAME,
        **{name: os.environ[name] for name in LIBRARIES if name in os.environ},
    }

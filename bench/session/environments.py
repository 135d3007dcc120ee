"""The engines' virtual environments: made by tox for use, and once more in a throw-away folder to be timed."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.contract.errors import EngineError, UsageError
from bench.contract.processes import Command
from bench.contract.project import PROJECT
from bench.plan.arms import VERSION
from bench.session.supervisor import Supervisor

INSTALL_LIMIT_S = 900.0
SHEBANG_BYTES = 4096
INTERPRETER = re.compile(rb"#!(?:/bin/sh\n'''exec' [\"']?)?(/[^\n]+)/bin/python[\d.]*[\"']?[ \n]")
"""Of a program, the environment; where its path has a space or is long, a shell has to start it, in the second line."""
PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
USER_SETTINGS = ("PATH", "HOME", "LANG")
INSTALLER_SETTINGS = (
    "UV_",
    "PIP_",
    "SSL_",
    "HTTP_",
    "HTTPS_",
    "NO_PROXY",
    "http_",
    "https_",
    "no_proxy",
    "XDG_CACHE",
    "ALL_PROXY",
    "all_proxy",
)
NOT_FOR_US = (
    "UV_SYSTEM_PYTHON",
    "UV_BREAK_SYSTEM",
    "UV_PYTHON",
    "UV_TARGET",
    "UV_PROJECT",
    "UV_CONSTRAINT",
    "UV_BUILD_CONSTRAINT",
    "UV_OVERRIDE",
    "UV_EXCLUDE_NEWER",
    "UV_RESOLUTION",
    "UV_NO_DEPS",
    "UV_VENV_",
    "PIP_TARGET",
    "PIP_CONSTRAINT",
    "PIP_NO_DEPS",
    "PIP_PREFIX",
    "PIP_USER",
)
"""Of those what says where packages go, and which: that is said by us, and by the locks."""


def folder() -> Path:
    """Where tox keeps the environments."""
    given = (os.environ.get(name) for name in ("ORCHBENCH_ENVIRONMENTS", "TOX_WORK_DIR"))
    return Path(next(filter(None, given), PROJECT / ".tox")).absolute()


def location(engine: str) -> Path:
    """Where tox keeps the engine's environment."""
    return folder() / engine


def need_folder() -> None:
    """UsageError if no environment can be made or brought up to its lock."""
    reason = ""
    try:
        folder().mkdir(parents=True, exist_ok=True)
        if not os.access(folder(), os.W_OK | os.X_OK):
            reason = "cannot be written to"
    except OSError as error:
        reason = str(error.strerror)
    if reason:
        raise UsageError(f"{folder()}: no environments there: {reason}; set TOX_WORK_DIR to a folder that can be used")


def lock(engine: str) -> Path:
    """The engine's locked requirements."""
    return PROJECT / f"impl_{engine}" / "requirements.txt"


def lock_in(result: Path, name: str) -> Path:
    """The lock of an engine, or of another version of one (`airflow@3.3.1`), which the result keeps."""
    return result / "locks" / f"{name}.txt" if VERSION in name else lock(name)


def require(engine: str) -> Path:
    """The engine's environment; EngineError saying how to make it if it is missing."""
    environment = location(engine)
    name, _, version = engine.partition(VERSION)
    make = f"./orchbench run --with {name}=={version}" if version else f"tox -e {engine} --notest"
    if not (environment / "bin" / "python").exists():
        raise EngineError(f"{engine}: no environment at {environment}; make it with: {make}")
    if not (environment / "lib" / PYTHON).is_dir():
        raise EngineError(f"{engine}: {environment} is not one of {PYTHON}, which this runs on; make it with: {make}")
    if was := made_elsewhere(environment):
        raise EngineError(
            f"{engine}: {environment} was made as {was}, and its programs are looked for there; remove it"
        )
    return environment


def made_elsewhere(environment: Path) -> Path | None:
    """Where an environment was when it was made, if it has been moved or copied since: its programs name that place."""
    for program in sorted(one for one in (environment / "bin").iterdir() if one.is_file()):
        with program.open("rb") as stream:
            begin = stream.read(SHEBANG_BYTES)
        if found := INTERPRETER.match(begin):
            named = Path(os.fsdecode(found[1]))
            return None if named.exists() and named.samefile(environment) else named
    return None


def ensure(engine: str, supervisor: Supervisor) -> Path:
    """Make the engine's environment, or bring it up to its lock; EngineError with the log if that fails."""
    command = Command(
        (sys.executable, "-m", "tox", "run", "-e", engine, "--notest", "--workdir", str(folder())),
        env=installer_environment(),
        cwd=PROJECT,
        timeout_s=INSTALL_LIMIT_S,
    )
    with making(engine):
        if (location(engine) / "bin").exists() and made_elsewhere(location(engine)):
            shutil.rmtree(location(engine))  # of a checkout that was moved or copied; tox would take it as it is
        supervisor.run(f"environment-{engine}", command)
    return require(engine)


@contextmanager
def making(name: str) -> Iterator[None]:
    """Within it no other harness makes the environment of this name; one that already does is waited for.

    EngineError if none can be made.
    """
    try:
        folder().mkdir(parents=True, exist_ok=True)
        lock_file = (folder() / f".{name}.making").open("w")
    except OSError as error:
        raise EngineError(f"{name}: no environment can be made in {folder()}: {error.strerror}") from error
    with lock_file:
        with suppress(OSError):  # not every file system can
            fcntl.flock(lock_file, fcntl.LOCK_EX)  # let go of by the kernel when this process ends in any way
        yield


def resolve_command(engine: str, wanted: str, constraints: list[str], lock_file: Path) -> Command:
    """Resolve an engine's requirements with `wanted` (apache-airflow==3.3.1) in place of its own version.

    Nothing that others require is overridden, so packages that are released together stay together. `constraints`
    limit the versions of what is needed.
    """
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    asked, limits = lock_file.with_suffix(".in"), lock_file.with_suffix(".constraint")
    asked.write_text(_asking_for(wanted, PROJECT / f"impl_{engine}" / "requirements.in"))
    limits.write_text("".join(f"{line}\n" for line in constraints))
    options = ("--generate-hashes", "--no-header", "--no-annotate", "--quiet", "--python", sys.executable)
    argv = (_uv(), "pip", "compile", *options, str(asked), "--constraint", str(limits), "-o", str(lock_file))
    return Command(argv, env=installer_environment(), cwd=lock_file.parent, timeout_s=INSTALL_LIMIT_S)


def _asking_for(wanted: str, requirements: Path) -> str:
    """Its text with another version of the package that it pins, extras kept; EngineError if it does not pin that."""
    package, _, version = wanted.partition("==")
    pin = re.compile(rf"^({re.escape(package)}(?:\[.*\])?)==.*$", re.MULTILINE)
    text, replaced = pin.subn(rf"\g<1>=={version}", requirements.read_text())
    if replaced != 1:
        raise EngineError(f"{requirements.parent.name}: requirements.in does not pin {package}")
    return re.sub(r"^(-[cr]) ", rf"\1 {requirements.parent}/", text, flags=re.MULTILINE)


def ensure_version(name: str, requirements: list[str], lock_file: Path, supervisor: Supervisor) -> Path:
    """Make the environment of another version of an engine; EngineError with the log if it cannot be had.

    The first of `requirements` is the engine's own, the others are constraints. The lock is made once and kept in
    the result; a resumed result installs the same again. An environment that already holds the lock, on this Python
    and in this place, stays as it is, since another harness may be using it.
    """
    if not lock_file.exists():
        wanted, *constraints = requirements
        resolve = resolve_command(name.partition(VERSION)[0], wanted, constraints, lock_file)
        supervisor.run(f"resolve-{name}", resolve)
    digest = hashlib.sha256(lock_file.read_bytes() + PYTHON.encode()).hexdigest()
    made_of = location(name) / "made-of.sha256"
    with making(name):
        if not made_of.exists() or made_of.read_text() != digest or made_elsewhere(location(name)):
            for number, command in enumerate(create_commands(lock_file, location(name)), 1):
                supervisor.run(f"environment-{name}-{number}", command)
            made_of.write_text(digest)
    return require(name)


def create_commands(lock_file: Path, folder: Path, *, cold_cache: Path | None = None) -> list[Command]:
    """Install a lock into `folder`, byte-compiled; with `cold_cache` an empty package cache is used."""
    cache = {"UV_CACHE_DIR": str(cold_cache)} if cold_cache else {}
    env = installer_environment() | cache
    options = ("--compile-bytecode", "--require-hashes", "--python", str(folder))
    install = (_uv(), "pip", "install", *options, "-r", str(lock_file))
    return [
        Command(
            (_uv(), "venv", "--clear", "--python", sys.executable, str(folder)), env=env, timeout_s=INSTALL_LIMIT_S
        ),
        Command(install, env=env, timeout_s=INSTALL_LIMIT_S),
    ]


def _uv() -> str:
    return str(Path(sys.executable).parent / "uv")


def installer_environment() -> dict[str, str]:
    """The user's own settings of package installers: the one place where their environment is let through."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in USER_SETTINGS or (name.startswith(INSTALLER_SETTINGS) and not name.startswith(NOT_FOR_US))
    } | {"UV_COMPILE_BYTECODE": "1"}


def disk_bytes(folder: Path) -> int:
    """Apparent size of all files below a folder, links not followed."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())

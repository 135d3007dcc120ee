"""A copy of the checkout, to which folders are added and nothing else is done."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
ENGINE, PIPELINE = "impl_toy", "core/pipelines/toy"
LIMIT_S = 480.0
HARNESS = "ORCHBENCH_"


@dataclass(frozen=True)
class Checkout:
    """A copy of the files that are kept in the repository, as they are in the work tree."""

    root: Path

    def run(self, *argv: str, code: int = 0) -> str:
        """Run a module of the harness in it, as its user would; its output. Nothing of this checkout is found."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(HARNESS)}
        done = subprocess.run(
            [sys.executable, *argv], cwd=self.root, env=environment | {"PYTHONPATH": str(self.root)},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT_S, check=False,
        )  # fmt: skip
        assert done.returncode == code, f"{' '.join(argv)} ended with {done.returncode}\n{done.stdout[-6000:]}"
        return done.stdout

    def add(self, folder: Path, name: str) -> None:
        shutil.copytree(folder, self.root / name, ignore=shutil.ignore_patterns("__pycache__"))

    def changes(self) -> list[str]:
        """What `git status` says."""
        return _git(self.root, "status", "--porcelain").splitlines()

    def processes(self) -> list[str]:
        """Command lines of what still runs out of it."""
        return [
            " ".join(one.info["cmdline"])
            for one in psutil.process_iter(["cmdline", "cwd"])
            if str(self.root) in " ".join([*(one.info["cmdline"] or ()), one.info["cwd"] or ""])
        ]


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """With the toy engine, and its environment as tox makes it by the folder; at the end nothing runs in it."""
    copy = Checkout(tmp_path_factory.mktemp("house") / "checkout")
    for name in _git(PROJECT, "ls-files").splitlines():
        if (PROJECT / name).is_file():
            (copy.root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, copy.root / name)
    _git(copy.root, "init", "--quiet")
    _git(copy.root, "add", "--all")
    _git(copy.root, "-c", "user.name=test", "-c", "user.email=test@example.org", "commit", "--quiet", "-m", "A copy")
    copy.add(HERE / "toy_engine", ENGINE)
    copy.run("-m", "tox", "run", "-e", "toy", "--notest")
    yield copy
    shutil.rmtree(copy.root / ".tox")


@pytest.fixture(autouse=True)
def nothing_is_left_running(request: pytest.FixtureRequest) -> Iterator[None]:
    """After each test that uses the copy."""
    yield
    if "checkout" in request.fixturenames:
        assert not request.getfixturevalue("checkout").processes()


def _git(root: Path, *argv: str) -> str:
    return subprocess.run(["git", *argv], cwd=root, capture_output=True, text=True, check=True).stdout

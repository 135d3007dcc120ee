"""A copy of the checkout, to which folders are added and nothing else is done."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
ENGINE, PIPELINE = "impl_toy", "core/pipelines/toy"
LIMIT_S = 480.0
OF_THIS_CHECKOUT = ("ORCHBENCH_", "TOX_")
"""Variables that lead back to it, `TOX_WORK_DIR` among them."""
THOROUGH = "ORCHBENCH_THOROUGH"
"""One that does not."""


@dataclass(frozen=True)
class Checkout:
    """A copy of the files that are kept in the repository, as they are in the work tree."""

    root: Path

    def run(self, *argv: str, code: int = 0) -> str:
        """Run a module of the harness in it, as its user would; its output. Nothing of this checkout is found."""
        environment = {
            name: value
            for name, value in os.environ.items()
            if name == THOROUGH or not name.startswith(OF_THIS_CHECKOUT)
        }
        done = subprocess.run(
            [sys.executable, *argv], cwd=self.root, env=environment | {"PYTHONPATH": str(self.root)},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT_S, check=False,
        )  # fmt: skip
        assert done.returncode == code, f"{' '.join(argv)} ended with {done.returncode}\n{done.stdout[-6000:]}"
        return done.stdout

    def add(self, folder: Path, name: str) -> None:
        shutil.copytree(folder, self.root / name, ignore=shutil.ignore_patterns("__pycache__"))

    @contextmanager
    def added(self, folder: Path, name: str) -> Iterator[None]:
        """For a while, as other tests share it."""
        self.add(folder, name)
        yield
        shutil.rmtree(self.root / name)

    def changes(self) -> list[str]:
        """What `git status` says."""
        return git(self.root, "status", "--porcelain").splitlines()

    def processes(self) -> list[str]:
        """Command lines of what still runs out of it."""
        return [
            " ".join(one.info["cmdline"])
            for one in psutil.process_iter(["cmdline", "cwd"])
            if str(self.root) in " ".join([*(one.info["cmdline"] or ()), one.info["cwd"] or ""])
        ]


def copied(root: Path) -> Checkout:
    """A new copy, in which everything is committed."""
    for name in git(PROJECT, "ls-files").splitlines():
        if (PROJECT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, root / name)
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "-c", "user.name=test", "-c", "user.email=test@example.org", "commit", "--quiet", "-m", "A copy")
    return Checkout(root)


def git(root: Path, *argv: str) -> str:
    """What git says in a folder."""
    return subprocess.run(["git", *argv], cwd=root, capture_output=True, text=True, check=True).stdout

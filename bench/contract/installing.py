"""How an engine is installed: what of its folder's Python lock it is."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path


def versions(environment: Path) -> dict[str, str]:
    """Distribution name (lower case) -> version of everything that is installed from Python packages."""
    packages = environment / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    return {d.metadata["Name"].lower(): d.version for d in distributions(path=[str(packages)])}


@dataclass(frozen=True, slots=True)
class PythonLock:
    """A Python package of the folder's lock."""

    package: str
    """The distribution whose version is the engine's."""
    import_name: str
    """What `import` loads, for the time that it takes."""

    def version(self, environment: Path) -> str:
        """The engine's version; KeyError if it is not installed there."""
        return versions(environment)[self.package]

    def load(self, environment: Path) -> tuple[str, ...]:
        """A command that loads the engine's code and does nothing else."""
        return (str(environment / "bin" / "python"), "-c", f"import {self.import_name}")


@dataclass(frozen=True, slots=True)
class ShippedBinary:
    """A program that a Python package of the folder's lock ships."""

    package: str
    """The distribution whose version is the engine's."""
    command: str
    """The program's name; given `--version` it says that and ends."""

    def version(self, environment: Path) -> str:
        """The engine's version; KeyError if it is not installed there."""
        return versions(environment)[self.package]

    def load(self, environment: Path) -> tuple[str, ...]:
        """A command that loads the engine's code and does nothing else."""
        return (str(environment / "bin" / self.command), "--version")


Install = PythonLock | ShippedBinary

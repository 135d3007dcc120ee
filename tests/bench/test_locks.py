"""Every environment is locked: hashes for all, one version of what the steps compute with, no address of an index."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.cli.preparing import MAIN_PACKAGES
from bench.contract import registry
from bench.session import environments
from bench.session.workspace import PROJECT

FOLDERS = ("core", "bench", *(f"impl_{name}" for name in registry.engines()))
REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(\[[a-z0-9,_-]+\])?==(?P<version>[^ ;\\]+)")


def requirements(lock: Path) -> list[str]:
    """Its requirements, each with its continuation lines, without comments."""
    lines = [line for line in lock.read_text().splitlines() if not line.lstrip().startswith("#")]
    return [one.strip() for one in re.sub(r"\\\n", " ", "\n".join(lines)).splitlines() if one.strip()]


def versions(lock: Path) -> dict[str, str]:
    found = [REQUIREMENT.match(one) for one in requirements(lock)]
    return {match["name"]: match["version"] for match in found if match}


@pytest.fixture(params=FOLDERS)
def lock(request: pytest.FixtureRequest) -> Path:
    return PROJECT / str(request.param) / "requirements.txt"


def test_every_engine_has_its_lock() -> None:
    assert len(registry.engines()) >= 3
    assert all(environments.lock(name).is_file() for name in registry.engines())


def test_every_requirement_is_pinned_with_hashes(lock: Path) -> None:
    found = requirements(lock)
    assert len(found) > len(MAIN_PACKAGES)
    assert not [one for one in found if not REQUIREMENT.match(one)]
    assert not [one for one in found if not re.search(r"--hash=sha256:[0-9a-f]{64}", one)]


def test_nothing_names_an_index_or_an_address(lock: Path) -> None:
    text = lock.read_text()
    assert not re.search(r"^\s*(-i|-f|--index-url|--extra-index-url|--find-links|--trusted-host)\b", text, re.MULTILINE)
    assert not re.search(r"https?://|file://| @ ", text)


@pytest.mark.parametrize("package", MAIN_PACKAGES)
def test_steps_compute_with_the_same_versions_everywhere(package: str) -> None:
    found = {folder: versions(PROJECT / folder / "requirements.txt").get(package) for folder in FOLDERS}
    assert found["core"]
    assert set(found.values()) == {found["core"]}, found


def test_all_of_cores_lock_is_in_every_lock() -> None:
    core = versions(PROJECT / "core" / "requirements.txt")
    for folder in FOLDERS:
        own = versions(PROJECT / folder / "requirements.txt")
        assert {name: own.get(name) for name in core} == core, folder


def test_engine_is_in_its_lock() -> None:
    for name in registry.engines():
        assert registry.adapter(name).install.package in versions(environments.lock(name))

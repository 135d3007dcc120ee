"""Every environment is locked: hashes for all, one version of what the steps compute with, no address of an index."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.cli.preparing import MAIN_PACKAGES
from bench.contract import registry
from bench.contract.errors import EngineError
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


def test_another_version_takes_the_place_of_the_only_pin(tmp_path: Path) -> None:
    """Were another package pinned too, it would stay at the locked release beside another one of the engine."""
    for name in registry.engines():
        package, lock = registry.adapter(name).install.package, tmp_path / f"{name}@0.1.txt"
        environments.resolve_command(name, f"{package}==0.1", ["one<2"], lock)
        asked = lock.with_suffix(".in").read_text().splitlines()
        assert [one for one in asked if "==" in one] == [f"{package}==0.1"]
        files = [one.removeprefix("-c ").removeprefix("-r ") for one in asked if one.startswith("-")]
        assert len(files) == 2
        assert all(Path(one).is_file() for one in files)
        assert lock.with_suffix(".constraint").read_text() == "one<2\n"


def test_another_version_keeps_extras_and_needs_a_pin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environments, "PROJECT", tmp_path)
    (tmp_path / "impl_double").mkdir()
    (tmp_path / "impl_double" / "requirements.in").write_text("double-core==1\ndouble[more,yet]==1\n")
    environments.resolve_command("double", "double==2", [], tmp_path / "made" / "double@2.txt")
    assert (tmp_path / "made" / "double@2.in").read_text() == "double-core==1\ndouble[more,yet]==2\n"
    with pytest.raises(EngineError, match="does not pin twin"):
        environments.resolve_command("double", "twin==2", [], tmp_path / "made" / "twin@2.txt")

"""Where sessions live: TMPDIR where it serves, or else a usual place, and one line where there is none."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.contract.errors import UsageError
from bench.session import places

ROOT = os.geteuid() == 0


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder that anybody may pass through, as pytest's own are not."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def wanted(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(tempfile, "tempdir", None)
    return monkeypatch


def test_tmpdir_is_the_place_if_it_serves(short: Path, wanted: pytest.MonkeyPatch) -> None:
    wanted.setenv("TMPDIR", str(short))
    assert places.choose(shared=True) == ""
    assert tempfile.gettempdir() == str(short)


def test_one_that_is_too_long_for_a_socket_has_another_in_its_place(short: Path, wanted: pytest.MonkeyPatch) -> None:
    deep = short / ("d" * 80)
    deep.mkdir()
    wanted.setenv("TMPDIR", str(deep))
    assert "characters too long for the path of a socket" in places.choose(shared=False)
    assert Path(tempfile.gettempdir()) in places.OTHERS


def test_one_that_is_closed_to_others_serves_only_who_needs_none(short: Path, wanted: pytest.MonkeyPatch) -> None:
    closed, inner = short / "closed", short / "closed" / "inner"
    inner.mkdir(parents=True)
    closed.chmod(0o700)
    wanted.setenv("TMPDIR", str(inner))
    assert places.choose(shared=False) == ""
    assert f"closed to the user that PostgreSQL runs as ({closed})" in places.choose(shared=True)
    assert not Path(tempfile.gettempdir()).is_relative_to(short)


@pytest.mark.skipif(ROOT, reason="root may write everywhere")
def test_one_that_is_read_only_has_another_in_its_place(short: Path) -> None:
    short.chmod(0o555)
    assert list(places.unusable(short, shared=False)) == ["cannot be written to"]


def test_one_that_is_not_there_has_another_in_its_place(short: Path, wanted: pytest.MonkeyPatch) -> None:
    wanted.setenv("TMPDIR", str(short / "none"))
    assert places.choose(shared=False).endswith(f", as TMPDIR, {short / 'none'}, is no folder")
    assert Path(tempfile.gettempdir()) in places.OTHERS


def test_where_python_finds_none_the_usual_places_are_tried_too(short: Path, wanted: pytest.MonkeyPatch) -> None:
    def none() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found")

    wanted.delenv("TMPDIR", raising=False)
    wanted.setattr(tempfile, "gettempdir", none)
    wanted.setattr(places, "OTHERS", (short / "none", short))
    assert places.choose(shared=False) == f"sessions live in {short}, as TMPDIR, {short / 'none'}, is no folder"


def test_programs_have_to_run_there(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.statvfs(short)
    flags = [*real[:8], real.f_flag | os.ST_NOEXEC, *real[9:]]
    monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result(flags))
    assert list(places.unusable(short, shared=False)) == ["lets no program be run (noexec)"]


def test_where_nothing_serves_one_line_says_why(
    short: Path, wanted: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = short / ("d" * 80)
    deep.mkdir()
    wanted.setenv("TMPDIR", str(deep))
    monkeypatch.setattr(places, "OTHERS", (short / "none",))
    with pytest.raises(UsageError, match=r"no folder for temporary files can be used: .*; set TMPDIR to one that can"):
        places.choose(shared=False)

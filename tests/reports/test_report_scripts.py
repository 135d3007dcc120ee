"""The scripts of the page that others wrote: made once for an environment."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import vl_convert

from reports.pages.render import bundle


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    bundle.cache_clear()


def test_what_takes_seconds_to_make_is_kept_in_the_environment_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def make(snippet: str) -> str:
        made.append(snippet)
        return "a script"

    monkeypatch.setattr(vl_convert, "javascript_bundle", make)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    for _ in range(2):
        bundle.cache_clear()
        assert bundle() == "a script"
        assert len(made) == 1
    (kept,) = (one for one in tmp_path.rglob("*") if one.is_file())
    assert kept.read_text() == "a script"
    kept.unlink()
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path))  # no environment of its own
    bundle.cache_clear()
    assert bundle() == "a script"
    assert not kept.exists()

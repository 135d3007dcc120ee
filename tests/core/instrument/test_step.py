"""@step: what an attempt leaves in the journal and the log."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from core.instrument import journal
from core.instrument.config import RunConfig
from core.instrument.errors import ConfigError
from core.instrument.step import Attempt, step


@step
def worker(attempt: Attempt, value: int, *, fail: type[BaseException] | None = None) -> dict[str, int]:
    attempt.effect("worker:done")
    if fail:
        raise fail("because")
    return {"value": value}


def test_an_attempt_is_journalled_from_start_to_end(config: RunConfig) -> None:
    assert worker(str(config.path), 3) == {"value": 3}
    start, effect, end = journal.read(config.run_dir)
    assert [r["event"] for r in (start, effect, end)] == ["start", "effect", "end"]
    assert effect["key"] == "worker:done"
    assert end["result"] == {"value": 3}
    assert start["run"] == config.run_id


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_whatever_is_raised_is_journalled_and_raised_on(config: RunConfig, error: type[BaseException]) -> None:
    with pytest.raises(error):
        worker(str(config.path), 3, fail=error)
    assert (
        journal.read(config.run_dir)[-1] | {"event": "error", "error": error.__name__, "message": "because"}
        == (journal.read(config.run_dir)[-1])
    )


def test_the_next_attempt_has_the_next_number(config: RunConfig) -> None:
    with pytest.raises(ValueError, match="because"):
        worker(str(config.path), 1, fail=ValueError)
    worker(str(config.path), 1)
    assert [(r["attempt"], r["event"]) for r in journal.read(config.run_dir) if r["event"] in ("error", "end")] == [
        (1, "error"),
        (2, "end"),
    ]


def test_its_log_says_what_an_attempt_ran_with(config: RunConfig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "core")
    worker(str(config.path), 1)
    assert f"run={config.run_id} step=worker attempt=1 memory_available_bytes=" in caplog.text


def test_a_bad_configuration_starts_nothing(make_config: Callable[..., RunConfig]) -> None:
    config = make_config()
    config.path.write_text("{}")
    with pytest.raises(ConfigError):
        worker(str(config.path), 1)
    assert journal.read(config.run_dir) == []

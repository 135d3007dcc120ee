"""An engine that writes a gigabyte of log: what the harness reads of it, and needs for that, stays small."""

from __future__ import annotations

import os
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import breaking
import pytest
from breaking import start

from bench.contract.errors import EngineError
from bench.contract.processes import Command
from bench.session.supervisor import TAIL_BYTES, TAIL_LINES, Supervisor, tail

GIGABYTE = 2**30
LITTLE = 4 * TAIL_BYTES
TALKER = f"""
import os, sys
os.ftruncate(1, {GIGABYTE})
print(*range(100), sep="\\n", flush=True)
sys.exit("the cause")
"""


@pytest.fixture
def measured() -> Iterator[None]:
    """What is allocated meanwhile is known to tracemalloc."""
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.usefixtures("measured")
def test_failure_of_a_talkative_engine_holds_the_end_of_its_log(supervisor: Supervisor) -> None:
    with pytest.raises(EngineError) as caught:
        supervisor.run("talker", Command((sys.executable, "-c", TALKER)))
    log = supervisor.logs / "talker.log"
    assert log.stat().st_size > GIGABYTE
    lines = caught.value.log_tail.splitlines()
    assert lines == [*map(str, range(100 - TAIL_LINES + 1, 100)), "the cause"]
    assert tracemalloc.get_traced_memory()[1] < LITTLE
    log.unlink()


@pytest.mark.usefixtures("measured")
def test_log_that_grows_faster_than_it_is_read_has_an_end_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "endless.log").symlink_to("/dev/zero")
    assert len(tail(tmp_path / "endless.log")) == TAIL_BYTES
    assert tracemalloc.get_traced_memory()[1] < LITTLE


def test_report_of_a_result_with_a_huge_log_needs_no_more_memory(harness_base: Path, tmp_path: Path) -> None:
    folder = breaking.copied(breaking.begun(harness_base), tmp_path)
    logs = list((folder / "logs").rglob("*.log"))
    assert logs
    for log in logs:
        os.truncate(log, GIGABYTE)
    harness = start(harness_base, tmp_path / "tmp", "report", str(folder))
    _, status, used = os.wait4(harness.pid, 0)
    harness.returncode = os.waitstatus_to_exitcode(status)
    assert harness.communicate()[0] == f"report: {folder / 'report.html'}\n"
    assert harness.returncode == 0
    assert used.ru_maxrss * 1024 < GIGABYTE

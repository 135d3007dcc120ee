"""Steps that run out of memory or of disk: the error is real, and nothing of it stays."""

from __future__ import annotations

import errno
import json
import resource
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from core.instrument import exhaustion, journal
from core.instrument.config import Fault, RunConfig
from core.instrument.errors import ConfigError
from core.instrument.exhaustion import HEADROOM_BYTES
from core.pipelines.training import steps

SMALL = ("unshare", "--user", "--map-root-user", "--mount")
"""Starts a command where it may mount what nobody else sees."""
FILL = """
import json, os, subprocess, sys
from core.pipelines.training import steps
folder = sys.argv[2]
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder], check=True)
try:
    steps.extract(sys.argv[1])
except OSError as error:
    print(json.dumps([type(error).__name__, error.errno, error.filename, os.listdir(folder)]))
print(json.dumps(steps.extract(sys.argv[1])["rows"]))
"""
LIMITED = """
import resource, sys
from core.pipelines.training import steps
from core.instrument import exhaustion
limit = exhaustion._address_space_bytes() + int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
try:
    steps.cleanup(sys.argv[1])
except MemoryError:
    assert resource.getrlimit(resource.RLIMIT_AS) == (limit, resource.RLIM_INFINITY)
    print("restored")
"""


@pytest.fixture
def exhausted(make_config: Callable[..., RunConfig]) -> Callable[..., RunConfig]:
    def make(kind: str, step: str = "extract", **more: float | str) -> RunConfig:
        return make_config(faults=(Fault(step, kind, **more),))

    return make


def test_memory_runs_out_once_and_the_limit_is_as_before(exhausted: Callable[..., RunConfig]) -> None:
    config = exhausted("memory")
    limit, used = resource.getrlimit(resource.RLIMIT_AS), exhaustion._address_space_bytes()
    with pytest.raises(MemoryError):
        steps.extract(str(config.path))
    assert resource.getrlimit(resource.RLIMIT_AS) == limit
    assert exhaustion._address_space_bytes() - used < HEADROOM_BYTES / 2
    assert steps.extract(str(config.path))["rows"] == 2000
    records = journal.read(config.run_dir)
    assert [record["event"] for record in records] == ["start", "fault", "error", "start", "end"]
    assert records[2]["error"] == "MemoryError"


@pytest.mark.parametrize("room", [HEADROOM_BYTES // 2, HEADROOM_BYTES * 4])
def test_a_limit_that_was_there_before_is_kept(exhausted: Callable[..., RunConfig], room: int) -> None:
    command = [sys.executable, "-c", LIMITED, str(exhausted("memory", step="cleanup").path), str(room)]
    assert subprocess.run(command, capture_output=True, check=True, text=True).stdout == "restored\n"


def test_two_threads_that_run_out_at_once_leave_the_limit_as_before(exhausted: Callable[..., RunConfig]) -> None:
    limit = resource.getrlimit(resource.RLIMIT_AS)
    configs = [exhausted("memory", attempts=0, step="cleanup") for _ in range(4)]
    failed: list[str] = []
    together = threading.Barrier(len(configs))  # under the limit no thread can be started

    def exhaust(config: RunConfig) -> None:
        together.wait()
        for _ in range(25):
            try:
                steps.cleanup(str(config.path))
            except MemoryError:
                failed.append(config.run_id)

    threads = [threading.Thread(target=exhaust, args=(config,)) for config in configs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(failed) == 100
    assert resource.getrlimit(resource.RLIMIT_AS) == limit


def test_a_full_disk_is_the_kernels_own_error_and_is_empty_afterwards(
    exhausted: Callable[..., RunConfig], tmp_path: Path
) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    if (refused := subprocess.run([*SMALL, "true"], capture_output=True, check=False, text=True)).returncode:
        pytest.skip(f"no file system can be mounted here: {refused.stderr.strip()}")
    config = exhausted("disk_full", path=str(folder))
    command = [*SMALL, sys.executable, "-c", FILL, str(config.path), str(folder)]
    output = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    assert list(map(json.loads, output.splitlines())) == [["OSError", errno.ENOSPC, str(folder), []], 2000]


def test_a_large_disk_is_not_filled(
    exhausted: Callable[..., RunConfig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exhaustion, "DISK_BYTES", 1 << 20)
    folder = tmp_path / "large"
    folder.mkdir()
    with pytest.raises(ConfigError, match="has room for 1 MiB; name a smaller file system"):
        steps.extract(str(exhausted("disk_full", path=str(folder)).path))
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("path", ["", "/there/is/none"])
def test_a_disk_that_is_not_there_is_a_mistake(exhausted: Callable[..., RunConfig], path: str) -> None:
    with pytest.raises(ConfigError, match=f"path {path!r} is no folder; name one on a bounded file system"):
        steps.extract(str(exhausted("disk_full", path=path).path))

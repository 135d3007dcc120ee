"""The disk is full: one clear line, nothing left running, nothing lost or torn, and the result can be finished."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import breaking
import psutil
import pytest
from breaking import RESERVE, assert_nothing_left, reached, reported, start, told
from waiting import wait_for

from bench.cli.codes import EXIT_ENGINE
from bench.contract.errors import StorageError
from bench.contract.processes import Command
from bench.contract.records import Run, Sample
from bench.observe.reading import FILES, load, load_manifest
from bench.observe.store import Store
from bench.session.supervisor import Supervisor

SIZE = 96 * 2**20
PAGE = bytes(4096)
MOUNTABLE = os.geteuid() == 0 and subprocess.run(["unshare", "--mount", "true"], check=False).returncode == 0
Fill = Callable[[subprocess.Popen[str], Path], None]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of bounded size, where one may be mounted; else the disk that there is."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if MOUNTABLE:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", folder], check=True)
    yield folder
    if MOUNTABLE:
        subprocess.run(["umount", "--lazy", folder], check=True)


def leave(free_bytes: int) -> Fill:
    """Fill the file system up to so many bytes, page by page, as a run may be writing to it meanwhile."""

    def fill(_: object, disk: Path) -> None:
        with (disk / "filler").open("wb", buffering=0) as filler, suppress(OSError):
            while shutil.disk_usage(disk).free > free_bytes:
                filler.write(PAGE)
        assert shutil.disk_usage(disk).free <= free_bytes

    return fill


def limit_files(harness: subprocess.Popen[str], disk: Path) -> None:
    """Let no file of the harness grow over the size of the samples so far, and a few bytes."""
    (samples,) = disk.rglob(FILES[Sample])
    limit = samples.stat().st_size + 20
    resource.prlimit(harness.pid, resource.RLIMIT_FSIZE, (limit, limit))


FULL: list[tuple[Fill, int, set[str]]] = (
    [(leave(0), 2**20, {"running"}), (leave(2**20), 2**23, {"interrupted"})]
    if MOUNTABLE
    else [(limit_files, 0, {"running", "interrupted"})]
)
"""How the disk fills up; what the harness keeps in reserve, in bytes; and what it can still say in the manifest."""


def test_disk_that_is_full_stops_the_measurement(harness_base: Path, small_disk: Path, tmp_path: Path) -> None:
    folder = breaking.copied(breaking.begun(harness_base), small_disk)
    temporary, place = tmp_path / "tmp", tmp_path / "run 2"
    kept: list[Sample] = []
    for fill, reserve, states in FULL:
        harness = start(
            harness_base, temporary, *breaking.go_on(harness_base, folder), place=place, **{RESERVE: str(reserve)}
        )  # fmt: skip
        processes = reached(harness, place)
        measured = load(folder, Sample)
        fill(harness, small_disk)
        place.unlink()
        code, _, err = told(harness)
        assert code == EXIT_ENGINE
        (line,) = [line for line in err.splitlines() if line.startswith("orchbench: ")]
        assert line.startswith(f"orchbench: {folder}: stopped, no room for results: ")
        again = f"tox -e bench -- --resume {folder} --data {breaking.checkout(harness_base) / 'own.csv'}"
        assert line.endswith(f"; what was measured is kept; make room, then: {again}")
        assert_nothing_left(processes, temporary)
        assert load(folder, Sample)[: len(measured)] == measured
        assert measured[: len(kept)] == kept
        kept = load(folder, Sample)
        assert all((folder / name).read_bytes().endswith(b"\n") for name in FILES.values() if (folder / name).exists())
        manifest = load_manifest(folder)
        assert manifest.state in states
        assert manifest.failures == []
        (small_disk / "filler").unlink(missing_ok=True)
        assert "it has not come to its end" in reported(folder)
    breaking.finished(harness_base, folder, temporary, kept)
    assert load_manifest(folder).state == "complete"
    assert {run.outcome for run in load(folder, Run) if run.engine == "double"} == {"completed"}


def test_line_that_the_disk_took_in_part_is_cut_off_again(store: Store) -> None:
    sample = Sample(engine="double", pipeline="training", metric="runtime.makespan_s", unit="s", value=1.5)
    store.append(sample)
    path = store.folder / FILES[Sample]
    whole = path.read_bytes()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    for more in range(len(whole)):
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + more, before[1]))
        try:
            with pytest.raises(StorageError, match="no room for results: File too large; make room"):
                store.append(sample)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert path.read_bytes() == whole
    store.append(sample)
    assert load(store.folder, Sample) == [sample] * 2


def test_session_lives_on_when_its_logs_cannot_be_written(supervisor: Supervisor) -> None:
    """A process that fails to write its log fails for itself; the guardian, and what it ends, do not depend on it."""
    (supervisor.logs / "talker.log").symlink_to("/dev/full")
    talker = supervisor.run("talker", Command(("sh", "-c", "echo something")), check=False)
    assert talker.code
    silent = psutil.Process(supervisor.start("silent", Command(("sleep", "3600"))).pid)
    limit = (64, 64)
    resource.prlimit(supervisor.guardian_pid, resource.RLIMIT_FSIZE, limit)
    cut = supervisor.run("cut", Command(("seq", "1000")), check=False)
    assert cut.code == -signal.SIGXFSZ
    assert cut.log.read_text().startswith("1\n2\n3\n")
    assert cut.log.stat().st_size == limit[0]
    supervisor.stop()
    wait_for(lambda: not silent.is_running(), "what was started before is ended")


@pytest.mark.skipif(not MOUNTABLE, reason="a file system of few files cannot be mounted here")
def test_log_that_cannot_be_made_is_the_disks_fault_not_the_engines(small_disk: Path, tmp_path: Path) -> None:
    subprocess.run(["mount", "-o", "remount,nr_inodes=3", small_disk], check=True)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    logs = small_disk / "logs"
    with Supervisor(scratch, {"PATH": os.environ["PATH"], "PYTHONPATH": str(breaking.PROJECT)}, logs) as supervisor:
        supervisor.run("first", Command(("true",)))
        with pytest.raises(StorageError, match=r"second\.log: cannot be written: .*No space left.*; make room"):
            supervisor.start("second", Command(("true",)))
        supervisor.run("first", Command(("true",)))
    assert not scratch.exists()

"""What processes use is counted once, whatever becomes of them; what others use is told apart."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from waiting import wait_for

from bench.contract.errors import EngineError
from bench.contract.processes import Command
from bench.observe.host import HostCpu, LoadWatch, others_cores
from bench.session import usage
from bench.session.supervisor import Supervisor
from bench.session.usage import ORPHANS, Share

pytestmark = [
    pytest.mark.usefixtures("nothing_left"),
    pytest.mark.skipif(not usage.AVAILABLE, reason="usage is read from Linux's /proc"),
]

ENDING_S = 0.15
"""CPU time that an interpreter may use after its last look at its clock, and what ticks round off."""
MEGABYTE = 1_000_000
BURN = """
def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
"""
WRITE = "import os, sys\nfile = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY)\nos.write(file, bytes(20_000_000))\n"


def python(code: str, *arguments: object) -> Command:
    return Command((sys.executable, "-c", f"import os, sys, time\n{BURN}\n{code}", *map(str, arguments)))


@pytest.fixture
def disk() -> Iterator[Path]:
    """A folder on a block device: pytest's own may be in memory, where nothing counts as written."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        yield Path(folder)


def test_child_that_came_and_went_between_two_looks_is_counted(supervisor: Supervisor) -> None:
    before = supervisor.usage()
    burner = supervisor.run("burner", python("burn(0.5); print(time.process_time())"))
    after = supervisor.usage()
    assert before.t_ns < burner.started_ns < burner.ended_ns < after.t_ns
    assert after.shares["burner"].cpu_s == pytest.approx(float(burner.tail()), abs=ENDING_S)
    assert after.shares["burner"].processes == after.shares["burner"].threads == 0
    used = after.total.cpu_s - before.total.cpu_s
    assert used == after.shares["burner"].cpu_s


def test_children_of_a_living_process_are_counted_with_it(supervisor: Supervisor, tmp_path: Path) -> None:
    code = (
        "children, total = 10, 0\n"
        "for _ in range(children):\n"
        "    if os.fork() == 0:\n        burn(0.06); os._exit(0)\n"
        "    total += sum(os.wait4(-1, 0)[2][:2])\n"
        "print(total, flush=True); open(sys.argv[1], 'x'); time.sleep(3600)"
    )
    done = tmp_path / "done"
    root = supervisor.start("root", python(code, done))
    wait_for(done.exists, "all children have ended")
    share = supervisor.usage().shares["root"]
    assert float(root.tail()) >= 0.6
    assert float(root.tail()) - 0.02 <= share.cpu_s <= float(root.tail()) + 1.0  # and the interpreter's start
    assert share.processes == share.threads == 1
    living_s = share.cpu_s
    supervisor.signal(root.pid, 9)
    assert root.ended.wait(30)
    assert supervisor.usage().shares["root"].cpu_s == pytest.approx(living_s, abs=0.05)


def test_nothing_counts_twice_on_a_tree_that_never_rests(supervisor: Supervisor, tmp_path: Path) -> None:
    code = (
        "open(sys.argv[1], 'x')\n"
        "while True:\n"
        "    if os.fork() == 0:\n"
        "        if os.fork() == 0:\n            burn(0.02); os._exit(0)\n"
        "        burn(0.02); os.wait(); os._exit(0)\n"
        "    os.wait()"
    )
    began = tmp_path / "began"
    supervisor.start("restless", python(code, began))
    wait_for(began.exists, "it has begun")
    looks = [supervisor.usage() for _ in range(150)]
    for one, other in pairwise(looks):
        elapsed_s = (other.t_ns - one.t_ns) / 1e9
        used_s = other.total.cpu_s - one.total.cpu_s
        assert -0.02 <= used_s <= 2 * elapsed_s + 0.05  # two processes at most; ticks; t_ns is a look's begin
    assert looks[-1].total.cpu_s > looks[0].total.cpu_s


def test_orphan_stays_with_the_process_it_was_seen_below(supervisor: Supervisor, tmp_path: Path) -> None:
    code = "if os.fork() == 0:\n    open(sys.argv[1], 'x'); time.sleep(3600)\nos.wait()"
    born = tmp_path / "born"
    root = supervisor.start("root", python(code, born))
    wait_for(born.exists, "the child is there")
    assert supervisor.usage().shares["root"].processes == 2
    supervisor.signal(root.pid, 9)
    assert root.ended.wait(30)
    found = supervisor.usage()
    assert found.shares["root"].processes == found.total.processes == 1
    assert ORPHANS not in found.shares


def test_orphan_that_nobody_saw_before_has_a_name_of_its_own(supervisor: Supervisor, tmp_path: Path) -> None:
    code = "if os.fork() == 0:\n    burn(0.3); open(sys.argv[1], 'x'); time.sleep(3600)\nos._exit(0)"
    done = tmp_path / "done"
    supervisor.run("root", python(code, done))
    wait_for(done.exists, "the orphan has worked")
    found = supervisor.usage()
    assert found.shares["root"].processes == 0
    assert found.shares[ORPHANS].processes == 1
    assert found.shares[ORPHANS].cpu_s >= 0.3
    supervisor.stop()
    assert supervisor.usage().shares[ORPHANS].cpu_s == pytest.approx(found.shares[ORPHANS].cpu_s, abs=ENDING_S)


def test_processes_and_threads_that_are_there_now(supervisor: Supervisor, tmp_path: Path) -> None:
    code = (
        "import threading\n"
        "for _ in range(2):\n    if os.fork() == 0: time.sleep(3600)\n"
        "for _ in range(5): threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()\n"
        "if os.fork() == 0: os._exit(0)  # never waited for: it stays as a zombie\n"
        "open(sys.argv[1], 'x'); time.sleep(3600)"
    )
    ready = tmp_path / "ready"
    root = psutil.Process(supervisor.start("root", python(code, ready)).pid)
    wait_for(ready.exists, "all have started")
    wait_for(lambda: any(p.status() == psutil.STATUS_ZOMBIE for p in root.children()), "one has ended")
    supervisor.start("sleeper", Command(("sleep", "3600")))
    found = supervisor.usage()
    assert (found.shares["root"].processes, found.shares["root"].threads) == (3, 8)
    assert (found.total.processes, found.total.threads) == (4, 9)


@pytest.mark.parametrize("ended", [False, True], ids=["living", "ended"])
def test_written_bytes(supervisor: Supervisor, disk: Path, ended: bool) -> None:
    code = f"{WRITE}\nos.fsync(file); open(sys.argv[1] + '.done', 'x')\nif sys.argv[2] == 'False': time.sleep(3600)"
    process = supervisor.start("writer", python(code, disk / "file", ended))
    wait_for((disk / "file.done").exists, "it has written")
    assert not ended or process.ended.wait(30)
    assert 20 * MEGABYTE <= supervisor.usage().shares["writer"].written_bytes < 22 * MEGABYTE


@pytest.mark.parametrize("flushed", [False, True])
def test_what_is_appended_in_small_pieces_counts_as_what_it_is(
    supervisor: Supervisor, disk: Path, *, flushed: bool
) -> None:
    """As a database does with its log; the page cache may hold the file in pieces of a megabyte."""
    code = (
        "file = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY | os.O_APPEND)\n"
        "os.write(file, bytes(4_000_000)); os.fsync(file)\n"
        "for _ in range(100):\n"
        "    os.pwrite(file, bytes(8192), 0)\n"
        "    if sys.argv[2] == 'True': os.fdatasync(file)\n"
        "open(sys.argv[1] + '.done', 'x'); time.sleep(3600)"
    )
    supervisor.start("writer", python(code, disk / "file", flushed))
    wait_for((disk / "file.done").exists, "it has written")
    expected = 4_000_000 + 100 * 8192
    assert expected <= supervisor.usage().shares["writer"].written_bytes < expected + 20_000


def test_bytes_that_a_child_of_a_living_process_wrote(supervisor: Supervisor, disk: Path) -> None:
    code = f"if os.fork() == 0:\n    {WRITE.replace(chr(10), chr(10) + '    ')}os.fsync(file); os._exit(0)\n"
    code += "os.wait(); open(sys.argv[1] + '.done', 'x'); time.sleep(3600)"
    supervisor.start("parent", python(code, disk / "file"))
    wait_for((disk / "file.done").exists, "the child has written")
    found = supervisor.usage()
    assert 20 * MEGABYTE <= found.shares["parent"].written_bytes < 22 * MEGABYTE
    assert found.shares["parent"].processes == 1


def test_memory_that_processes_share_counts_once(supervisor: Supervisor, tmp_path: Path) -> None:
    code = (
        "held = os.urandom(50_000_000)\n"
        "for n in '12':\n    if os.fork() == 0: open(sys.argv[1] + n, 'x'); time.sleep(3600)\n"
        "time.sleep(3600)"
    )
    ready = tmp_path / "ready"
    root = psutil.Process(supervisor.start("root", python(code, ready)).pid)
    wait_for(lambda: all(ready.with_name(f"ready{n}").exists() for n in "12"), "both children are there")
    found = supervisor.usage(memory=True).shares["root"]
    assert 50 * MEGABYTE <= found.memory_bytes < 100 * MEGABYTE
    assert found.rss_processes == 0
    assert sum(process.memory_info().rss for process in (root, *root.children())) > 150 * MEGABYTE
    assert supervisor.usage().shares["root"].memory_bytes == 0


def test_resident_memory_where_another_may_not_be_read() -> None:
    code = f"import ctypes, time; ctypes.CDLL(None).prctl(4, 0); print('{MEGABYTE}', flush=True); time.sleep(3600)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()  # it may not be looked into any more, but by root
        resident = psutil.Process(process.pid).memory_info().rss
        user = os.geteuid()
        try:
            if user == 0:
                os.seteuid(pwd.getpwnam("nobody").pw_uid)
            found = usage._memory_bytes(process.pid, usage._entry(process.pid))
        finally:
            os.seteuid(user)
            process.kill()
    assert found == (pytest.approx(resident, rel=0.1), True)  # the kernel counts pages roughly


def test_process_that_is_gone_has_no_clock() -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    with pytest.raises(OSError, match=r"Invalid argument|No such process"):
        usage.cpu_clock_s(process.pid)


def test_clock_counts_what_ended_threads_used() -> None:
    thread = threading.Thread(target=sum, args=(range(10**6),))
    thread.start()
    thread.join()
    before = time.process_time()
    found = usage.cpu_clock_s(os.getpid())
    assert before <= found <= time.process_time()


def test_what_cannot_be_measured_is_said(supervisor: Supervisor) -> None:
    supervisor.close()
    with pytest.raises(EngineError, match="guardian has ended"):
        supervisor.usage()


shares = st.builds(Share, st.floats(0, 1e6), *(st.integers(0, 2**40) for _ in range(5)))


@given(st.lists(shares))
def test_shares_add_up(some: list[Share]) -> None:
    total = usage.add(some)
    for name in Share.__dataclass_fields__:
        assert getattr(total, name) == pytest.approx(sum(getattr(share, name) for share in some))


def watched(supervisor: Supervisor, action: object) -> tuple[float, float, LoadWatch]:
    """Cores of others, and of all the host, while `action` runs."""
    before, watch = HostCpu.now(), LoadWatch(supervisor)
    assert callable(action)
    action()
    others = watch.stop()
    assert others is not None
    return others, others_cores(before, HostCpu.now(), 0.0), watch


BUSY = f"import os, sys, time\n{BURN}\nburn(1.5); print(time.process_time())"
TOLERANCE_CORES = 0.2
"""Of /proc/stat, which counts in ticks, over some seconds."""


def test_busy_process_of_another_is_seen(supervisor: Supervisor) -> None:
    took_s: list[float] = []

    def outside() -> None:
        began = HostCpu.now()
        subprocess.run([sys.executable, "-c", BUSY], check=True, stdout=subprocess.DEVNULL)
        took_s.append(HostCpu.now().t_s - began.t_s)

    others, everything, watch = watched(supervisor, outside)
    assert others >= 1.5 / took_s[0] - TOLERANCE_CORES
    assert everything - others < TOLERANCE_CORES  # nothing of it is taken for ours
    assert watch.engine_cpu_s == pytest.approx(0, abs=0.05)


def test_busy_process_of_the_session_is_not_anothers(supervisor: Supervisor) -> None:
    def inside() -> None:
        supervisor.run("busy", Command((sys.executable, "-c", BUSY)))

    begin = HostCpu.now()
    others, everything, watch = watched(supervisor, inside)
    elapsed_s = HostCpu.now().t_s - begin.t_s
    assert watch.engine_cpu_s == pytest.approx(1.5, abs=2 * ENDING_S)
    assert everything - others == pytest.approx(1.5 / elapsed_s, abs=TOLERANCE_CORES)


def test_what_others_use_is_never_less_than_nothing() -> None:
    before, after = HostCpu(0.0, 100.0), HostCpu(4.0, 106.0)
    assert others_cores(before, after, 4.0) == 0.5
    assert others_cores(before, after, 7.0) == 0.0

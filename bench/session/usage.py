"""What a session's processes have used: CPU time, writes, memory, processes and threads. Reads Linux's /proc.

CPU time and written bytes count from the session's start and lose nothing when a process ends: the
kernel adds what it used, and what it had collected itself, to the parent that collects it (cutime
and cstime in /proc/PID/stat, wchar in /proc/PID/io; wait_task_zombie() in kernel/exit.c).
What the guardian collects is booked here. Nobody is told of the ended children of a process that
ignores SIGCHLD: only these are missing.

Of /proc/PID/io's counts of writes only wchar can be believed. write_bytes counts a folio of the page cache as a whole
when it becomes dirty, so 1 MB for the 8 kB that a database appends (__folio_mark_dirty() and folio_account_dirtied() in
mm/page-writeback.c).
"""

from __future__ import annotations

import contextlib
import os
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

AVAILABLE = Path("/proc/self/stat").exists()
NOTE = "not measured: needs Linux"
ORPHANS = "orphan"
"""Name of what was adopted and never seen below a process that the guardian started."""
ATTEMPTS = 5
CLOCK_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Share:
    """What some processes have used so far, ended ones included, and what there is of them now."""

    cpu_s: float = 0.0
    written_bytes: int = 0
    """Handed to write(2) and its like, whatever it goes to: files, also the same page again, pipes, terminals. What is
    sent over a socket by send(2), as databases and HTTP do, or changed in mapped memory, does not count."""
    processes: int = 0
    threads: int = 0
    memory_bytes: int = 0
    """Proportional set size: a page shared by n processes counts 1/n in each. 0 unless asked for."""
    rss_processes: int = 0
    """Processes whose PSS may not be read: counted with their resident set size, shared pages in full."""

    def __add__(self, other: Share) -> Share:
        return Share(
            self.cpu_s + other.cpu_s, self.written_bytes + other.written_bytes, self.processes + other.processes,
            self.threads + other.threads, self.memory_bytes + other.memory_bytes,
            self.rss_processes + other.rss_processes,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Usage:
    """One look at all processes of a session, by the name they were started under."""

    t_ns: int
    """CLOCK_MONOTONIC."""
    guardian_cpu_s: float
    """The guardian's own, which belongs to the harness."""
    shares: Mapping[str, Share]
    memory_bytes: Mapping[int, tuple[str, int]] = field(default_factory=dict)
    """By process id: the name that it is counted under, and its memory. Empty unless asked for."""

    @property
    def total(self) -> Share:
        """All processes together, without the guardian."""
        return add(self.shares.values())

    @classmethod
    def parse(cls, answer: Mapping[str, Any]) -> Usage:
        """From the guardian's answer."""
        shares = {name: Share(**share) for name, share in answer["shares"].items()}
        memory = {int(pid): (name, size) for pid, (name, size) in answer["memory"].items()}
        return cls(answer["t_ns"], answer["guardian_cpu_s"], shares, memory)


def add(shares: Iterable[Share]) -> Share:
    """Their sum."""
    return sum(shares, Share())


class Entry(NamedTuple):
    """What /proc/PID/stat says of a process that matters here."""

    parent: int
    state: bytes
    collected_ticks: int
    """CPU time of the ended children that it has collected, and of theirs."""
    threads: int
    rss_pages: int


class Ledger:
    """The guardian's books: which process belongs to which name, and what the ended ones had used."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self._ended: defaultdict[str, Share] = defaultdict(Share)

    def started(self, pid: int, name: str) -> None:
        """Book a new child of the guardian, and whatever will descend from it, under a name."""
        self._names[pid] = name

    def collected(self, pid: int, cpu_s: float, written: int) -> None:
        """Book what a child had used that the guardian has just collected, its own or an adopted one."""
        self._ended[self._names.pop(pid, ORPHANS)] += Share(cpu_s, written)

    def snapshot(self, *, memory: bool) -> dict[str, Any]:
        """What `Usage.parse` takes. OSError where there is no /proc."""
        if not AVAILABLE:
            raise OSError(NOTE)
        t_ns = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        entries, used = _steady_look(os.getpid())
        self._names = {pid: self._name(pid, entries) for pid in entries}
        shares = self._ended.copy()
        sizes: dict[int, tuple[str, int]] = {}
        for pid, entry in entries.items():
            cpu_s, written = used.get(pid, (0.0, 0))
            there = entry.state != b"Z"
            bytes_, is_rss = _memory_bytes(pid, entry) if memory and there else (0, False)
            if memory and there:
                sizes[pid] = self._names[pid], bytes_
            shares[self._names[pid]] += Share(
                cpu_s, written, int(there), entry.threads * there, bytes_, int(is_rss)
            )  # fmt: skip
        named = {name: asdict(share) for name, share in shares.items()}
        return {"t_ns": t_ns, "guardian_cpu_s": time.process_time(), "shares": named, "memory": sizes}

    def _name(self, pid: int, entries: Mapping[int, Entry]) -> str:
        """As it was seen before, however it was adopted since; else as its parent."""
        while pid in entries:
            if name := self._names.get(pid):
                return name
            pid = entries[pid].parent
        return ORPHANS


def _steady_look(top: int) -> tuple[dict[int, Entry], dict[int, tuple[float, int]]]:
    """All descendants of `top`, and for each the CPU seconds and written bytes, of its ended children too.

    A process that is collected while we read would count twice, or not at all. So nothing may have
    been collected between a look before and one after; on a tree that never rests the last try counts.
    """
    entries = _descendants(top)
    for _ in range(ATTEMPTS):
        before, used = entries, {}
        for pid, entry in before.items():
            try:
                used[pid] = (cpu_clock_s(pid) + entry.collected_ticks * CLOCK_TICK_S, written_bytes(pid))
            except OSError:  # gone: the look after will tell
                continue
        entries = _descendants(top)
        if _books(entries) == _books(before):
            break
    return before, used


def _books(entries: Mapping[int, Entry]) -> dict[int, int]:
    return {pid: entry.collected_ticks for pid, entry in entries.items()}


def _descendants(top: int) -> dict[int, Entry]:
    below: defaultdict[int, list[int]] = defaultdict(list)
    everything = {}
    with os.scandir("/proc") as folders:
        pids = [int(folder.name) for folder in folders if folder.name.isdigit()]
    for pid in pids:
        with contextlib.suppress(OSError):  # gone
            everything[pid] = entry = _entry(pid)
            below[entry.parent].append(pid)
    found: dict[int, Entry] = {}
    left = below[top]
    while left:
        pid = left.pop()
        found[pid] = everything[pid]
        left += below[pid]
    return found


def _entry(pid: int) -> Entry:
    # see proc(5); the name in parentheses may hold anything
    fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    return Entry(int(fields[1]), fields[0], int(fields[13]) + int(fields[14]), int(fields[17]), int(fields[21]))


def cpu_clock_s(pid: int) -> float:
    """CPU seconds of a process itself, of ended threads too, to the nanosecond; OSError if it is gone.

    The clock id is what clock_getcpuclockid(3) gives.
    """
    return time.clock_gettime_ns(~pid << 3 | 2) / 1e9


def written_bytes(pid: int | str = "self") -> int:
    """Bytes that a process and its collected children handed to the kernel to write; 0 where it may not be read."""
    try:
        lines = _read(f"/proc/{pid}/io").splitlines()
    except (FileNotFoundError, PermissionError):
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(b"wchar:")), 0)


def _memory_bytes(pid: int, entry: Entry) -> tuple[int, bool]:
    """PSS, or where it may not be read RSS; and whether it is RSS."""
    try:
        lines = _read(f"/proc/{pid}/smaps_rollup").splitlines()
    except ProcessLookupError:  # it has ended just now
        return 0, False
    except OSError:
        return entry.rss_pages * PAGE_BYTES, True
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(b"Pss:")), 0), False


def _read(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, 4096)
    finally:
        os.close(descriptor)

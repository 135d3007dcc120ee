"""What an engine takes of its host: CPU time, memory, processes, threads, writes; idle, and in a run.

Idle is an engine that has come to rest: `at_rest` says when that is.

Memory is the proportional set size, so that what processes share counts once. A look at it makes
the processes wait for some milliseconds: a run that is looked at is never used for timing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from statistics import fmean, median

from bench.contract.words import Track
from bench.plan.cell import Cell
from bench.plan.priced import Needs
from bench.questions.bound import Bound
from bench.questions.metric import Headline, Metric
from bench.questions.record import Question
from bench.run.conductor import Conductor
from bench.run.observation import Observation
from bench.session.bring_up import Session
from bench.session.supervisor import Supervisor
from bench.session.usage import AVAILABLE, NOTE, ORPHANS, Share, Usage, add

IDLE_S = 60.0
LOOKS = 12
"""In that time, beside the one it begins with."""
REST_LIMIT = 2.0
"""So many times that long an engine is waited for to come to rest."""
ALIKE = 1.25
ALIKE_CORES = 0.01
"""Two halves of a time are alike if their CPU time differs by no more than that factor, or by that part of a core."""
RUN_EVERY_S = 0.5
POSTGRES = "postgres"
"""Name of the process that `bench.postgres` starts."""
WITH_RSS = "{} of {} processes with RSS, which counts shared pages in each: PSS may not be read"
NO_WRITES = "not measured: /proc/PID/io may not be read"
RESTLESS = "not at rest within {:.0f} s: the last {:.0f} s of them"

Figures = Mapping[str, tuple[str, float]]
"""Metric -> (unit, value)."""


def by_role(session: Session, usage: Usage) -> dict[str, Share]:
    """By role kind; also `database`, `orphan`, and `command` for all that the engine does not keep up."""
    roles = {process.name: kind for kind, process in session.processes.items()}
    roles |= {POSTGRES: "database", ORPHANS: "orphan"}
    found: dict[str, Share] = {}
    for name, share in usage.shares.items():
        role = roles.get(name, "command")
        found[role] = found.get(role, Share()) + share
    return found


def idle(conductor: Conductor, session: Session, seconds: float = IDLE_S) -> None:
    """Look at an engine that has nothing to do, once it has come to rest; store resources.idle.* in total and by role.

    Memory on average is that of the processes that were there all the time: one that goes away is no idle engine's.
    """
    if not AVAILABLE:
        conductor.sample(None, "resources.idle.cpu_s_per_min", "s", None, NOTE)
        return
    looks, rested = at_rest(partial(session.supervisor.usage, memory=True), seconds)
    minutes = (looks[-1].t_ns - looks[0].t_ns) / 60e9
    series, staying = _series(session, looks), _series(session, _staying(looks))
    figures = {role: idle_figures(shares, staying.get(role, ()), minutes) for role, shares in series.items()}
    note = "" if rested else RESTLESS.format(REST_LIMIT * seconds, seconds)
    _store(conductor, None, "resources.idle", series, figures, said=note)


def at_rest(look: Callable[[], Usage], seconds: float) -> tuple[list[Usage], bool]:
    """Look on and on, until the two halves of the last so many seconds are alike in CPU time, or the limit is reached.

    Returns the looks of those seconds, and whether they are alike: an engine that still does what its start, or a run,
    has left to be done uses less and less.
    """
    begin, looks = time.monotonic(), [look()]
    while True:
        time.sleep(max(0.0, begin + len(looks) * seconds / LOOKS - time.monotonic()))
        looks.append(look())
        last = looks[-LOOKS - 1 :]
        if len(last) > LOOKS and ((alike := _alike(last)) or len(looks) > REST_LIMIT * LOOKS):
            return last, alike


def _alike(looks: Sequence[Usage]) -> bool:
    before, middle, after = looks[0], looks[LOOKS // 2], looks[-1]
    less, more = sorted((middle.total.cpu_s - before.total.cpu_s, after.total.cpu_s - middle.total.cpu_s))
    return more <= ALIKE * less or more - less <= ALIKE_CORES * (after.t_ns - before.t_ns) / 2e9


def _staying(looks: Sequence[Usage]) -> list[Usage]:
    """The same looks at the memory alone, of those processes that are in all of them."""
    pids = set.intersection(*(set(look.memory_bytes) for look in looks))
    found = []
    for look in looks:
        shares: dict[str, Share] = {}
        for name, size in (look.memory_bytes[pid] for pid in pids):
            shares[name] = shares.get(name, Share()) + Share(processes=1, memory_bytes=size)
        found.append(replace(look, shares=shares))
    return found


def during(conductor: Conductor, session: Session, observe: Callable[[], Observation]) -> Observation:
    """Look at an engine while `observe` conducts a served run; store resources.run.* in total and by role.

    From the last look before the submission to the first after the last step's end. CPU time holds
    what the engine uses idle as well. Of a run that went wrong nothing is stored but that.
    """
    if not AVAILABLE:
        seen = observe()
        conductor.sample(seen, "resources.run.cpu_s", "s", None, NOTE)
        return seen
    ended = threading.Event()
    looks = [session.supervisor.usage(memory=True)]
    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(_look_until, session.supervisor, ended)
        try:
            seen = observe()
        finally:
            ended.set()
    looks += looking.result()
    if seen.right and seen.run.outcome == "completed":
        before = [look for look in looks if look.t_ns <= seen.run.submit_ns]
        after = [look for look in looks if look.t_ns >= (seen.journal.last_end_ns() or seen.run.terminal_ns)]
        series = _series(session, looks[len(before) - 1 : len(looks) - len(after) + 1])
        _store(conductor, seen, "resources.run", series, {role: run_figures(one) for role, one in series.items()})
    else:
        conductor.sample(seen, "resources.run.cpu_s", "s", None, f"wrong: {seen.run.outcome}")
    return seen


def _look_until(supervisor: Supervisor, ended: threading.Event) -> list[Usage]:
    looks = []
    while not ended.wait(RUN_EVERY_S):
        looks.append(supervisor.usage(memory=True))
    return [*looks, supervisor.usage(memory=True)]


def idle_figures(shares: Sequence[Share], staying: Sequence[Share], minutes: float) -> Figures:
    """Of the same processes at several times, over so many minutes; `staying`: of those that stayed."""
    found = _memory(shares) | {
        "cpu_s_per_min": ("s", (shares[-1].cpu_s - shares[0].cpu_s) / minutes),
        "handed_bytes_per_min": ("bytes", (shares[-1].written_bytes - shares[0].written_bytes) / minutes),
        "processes": ("count", median(share.processes for share in shares)),
        "threads": ("count", median(share.threads for share in shares)),
    }
    return found | {"pss_mean_bytes": ("bytes", fmean(one.memory_bytes for one in staying) if staying else 0.0)}


def run_figures(shares: Sequence[Share]) -> Figures:
    """Of the same processes at several times in a run."""
    return _memory(shares) | {
        "cpu_s": ("s", shares[-1].cpu_s - shares[0].cpu_s),
        "handed_bytes": ("bytes", float(shares[-1].written_bytes - shares[0].written_bytes)),
        "processes_peak": ("count", float(max(share.processes for share in shares))),
        "threads_peak": ("count", float(max(share.threads for share in shares))),
    }


def _memory(shares: Sequence[Share]) -> dict[str, tuple[str, float]]:
    sizes = [share.memory_bytes for share in shares]
    return {"pss_mean_bytes": ("bytes", fmean(sizes)), "pss_peak_bytes": ("bytes", float(max(sizes)))}


def _series(session: Session, looks: Sequence[Usage]) -> dict[str, list[Share]]:
    """In total (under no name), and by role if it had a process or used the CPU."""
    roles = [by_role(session, look) for look in looks]
    series = {"": [add(look.values()) for look in roles]}
    for role in sorted({role for look in roles for role in look}):
        shares = [look.get(role, Share()) for look in roles]
        if any(share.processes for share in shares) or shares[-1].cpu_s > shares[0].cpu_s:
            series[role] = shares
    return series


def _store(
    conductor: Conductor,
    seen: Observation | None,
    prefix: str,
    series: Mapping[str, Sequence[Share]],
    figures: Mapping[str, Figures],
    *,
    said: str = "",
) -> None:
    counted = series[""][-1].written_bytes > 0  # an engine that has made its database has written
    for role, shares in series.items():
        rss = max(shares, key=lambda share: share.rss_processes)
        for metric, (unit, value) in figures[role].items():
            note = said
            if metric.startswith("pss") and rss.rss_processes:
                note = "; ".join(filter(None, (said, WITH_RSS.format(rss.rss_processes, rss.processes))))
            elif metric.startswith("handed") and not counted:
                note = NO_WRITES
            known = None if note == NO_WRITES else value
            params = {"role": role} if role else {}
            conductor.sample(seen, f"{prefix}.{metric}", unit, known, note, params=params)


def measure(bound: Bound, _: Cell) -> None:
    """What the engine uses while nothing runs, and during a run that is not timed."""
    idle(bound.conductor, bound.up)
    during(bound.conductor, bound.up, lambda: bound.conductor.served(bound.up, "resources"))


NOT_BELIEVED = "of earlier versions, which counted whole pieces of the page cache: up to a hundred times too much"
METRICS = (
    Metric(
        "resources.idle.cpu_s_per_min", "CPU a minute, idle",
        help="of all processes, for each minute without a run, once at rest",
    ),
    Metric("resources.idle.pss_mean_bytes", "Memory, idle", unit="bytes", help="proportional set size, of what stays"),
    Metric("resources.idle.pss_peak_bytes", "Memory, idle, peak", unit="bytes"),
    Metric("resources.idle.processes", "Processes, idle", "none", "seen", "count"),
    Metric("resources.idle.threads", "Threads, idle", "none", "seen", "count"),
    Metric(
        "resources.idle.handed_bytes_per_min", "Written a minute, idle", "none", "info", "bytes",
        help="handed to write(), whatever it goes to",
    ),
    Metric(
        "resources.idle.written_bytes_per_min", "Written a minute, idle: not to be believed", "none", "info", "bytes",
        help=NOT_BELIEVED,
    ),
    Metric("resources.run.cpu_s", "CPU, run", help="of all processes during a run, idle use included"),
    Metric("resources.run.pss_mean_bytes", "Memory, run", unit="bytes", help="proportional set size, mean"),
    Metric("resources.run.pss_peak_bytes", "Memory, run, peak", unit="bytes"),
    Metric("resources.run.processes_peak", "Processes, run, peak", "none", "seen", "count"),
    Metric("resources.run.threads_peak", "Threads, run, peak", "none", "seen", "count"),
    Metric("resources.run.handed_bytes", "Written, run", "none", "info", "bytes", help="as idle"),
    Metric(
        "resources.run.written_bytes", "Written, run: not to be believed", "none", "info", "bytes", help=NOT_BELIEVED
    ),
)  # fmt: skip
QUESTIONS = (
    Question(
        key="resources", group="resources", title="What does it cost idle?", order=120, place=5, needs=Needs.UP,
        cost_s={Track.TUNED: 85, Track.STOCK: 95}, budgets={"full": 5},
        measure=measure, metrics=METRICS,
        headlines=(
            Headline("resources.idle.cpu_s_per_min", "CPU time, for each minute"),
            Headline("resources.idle.pss_mean_bytes", "Memory"),
        ),
    ),
)  # fmt: skip

"""What an engine takes of its host: CPU time, memory, processes, threads, writes; idle, and in a run.

Memory is the proportional set size, so that what processes share counts once. A look at it makes
the processes wait for some milliseconds: a run that is looked at is never used for timing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
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

IDLE_S = 10.0
IDLE_EVERY_S = 2.0
RUN_EVERY_S = 0.5
POSTGRES = "postgres"
"""Name of the process that `bench.postgres` starts."""
WITH_RSS = "{} of {} processes with RSS, which counts shared pages in each: PSS may not be read"
NO_WRITES = "not measured: the kernel counts no writes of the session's folder (in memory, or not kept)"

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
    """Look at an engine that has nothing to do; store resources.idle.* in total and by role."""
    if not AVAILABLE:
        conductor.sample(None, "resources.idle.cpu_s_per_min", "s", None, NOTE)
        return
    looks = [session.supervisor.usage(memory=True)]
    for _ in range(max(1, round(seconds / IDLE_EVERY_S))):
        time.sleep(min(IDLE_EVERY_S, seconds))
        looks.append(session.supervisor.usage(memory=True))
    minutes = (looks[-1].t_ns - looks[0].t_ns) / 60e9
    series = _series(session, looks)
    _store(conductor, None, "resources.idle", series, lambda shares: idle_figures(shares, minutes))


def during(conductor: Conductor, session: Session, observe: Callable[[], Observation]) -> Observation:
    """Look at an engine while `observe` conducts a served run; store resources.run.* in total and by role.

    From the last look before the submission to the first after the end. CPU time holds what the
    engine uses idle as well. Of a run that went wrong nothing is stored but that.
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
        after = [look for look in looks if look.t_ns >= seen.run.terminal_ns]
        series = _series(session, looks[len(before) - 1 : len(looks) - len(after) + 1])
        _store(conductor, seen, "resources.run", series, run_figures)
    else:
        conductor.sample(seen, "resources.run.cpu_s", "s", None, f"wrong: {seen.run.outcome}")
    return seen


def _look_until(supervisor: Supervisor, ended: threading.Event) -> list[Usage]:
    looks = []
    while not ended.wait(RUN_EVERY_S):
        looks.append(supervisor.usage(memory=True))
    return [*looks, supervisor.usage(memory=True)]


def idle_figures(shares: Sequence[Share], minutes: float) -> Figures:
    """Of the same processes at several times, over so many minutes."""
    return _memory(shares) | {
        "cpu_s_per_min": ("s", (shares[-1].cpu_s - shares[0].cpu_s) / minutes),
        "written_bytes_per_min": ("bytes", (shares[-1].written_bytes - shares[0].written_bytes) / minutes),
        "processes": ("count", median(share.processes for share in shares)),
        "threads": ("count", median(share.threads for share in shares)),
    }


def run_figures(shares: Sequence[Share]) -> Figures:
    """Of the same processes at several times in a run."""
    return _memory(shares) | {
        "cpu_s": ("s", shares[-1].cpu_s - shares[0].cpu_s),
        "written_bytes": ("bytes", float(shares[-1].written_bytes - shares[0].written_bytes)),
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
    figures: Callable[[Sequence[Share]], Figures],
) -> None:
    counted = series[""][-1].written_bytes > 0  # an engine that has made its database has written
    for role, shares in series.items():
        rss = max(shares, key=lambda share: share.rss_processes)
        for metric, (unit, value) in figures(shares).items():
            note = ""
            if metric.startswith("pss") and rss.rss_processes:
                note = WITH_RSS.format(rss.rss_processes, rss.processes)
            elif metric.startswith("written") and not counted:
                note = NO_WRITES
            known = None if note == NO_WRITES else value
            params = {"role": role} if role else {}
            conductor.sample(seen, f"{prefix}.{metric}", unit, known, note, params=params)


def measure(bound: Bound, _: Cell) -> None:
    """What the engine uses while nothing runs, and during a run that is not timed."""
    idle(bound.conductor, bound.up)
    during(bound.conductor, bound.up, lambda: bound.conductor.served(bound.up, "resources"))


METRICS = (
    Metric(
        "resources.idle.cpu_s_per_min", "CPU a minute, idle", help="of all processes, for each minute without a run"
    ),
    Metric("resources.idle.pss_mean_bytes", "Memory, idle", unit="bytes", help="proportional set size, mean"),
    Metric("resources.idle.pss_peak_bytes", "Memory, idle, peak", unit="bytes"),
    Metric("resources.idle.processes", "Processes, idle", "none", "seen", "count"),
    Metric("resources.idle.threads", "Threads, idle", "none", "seen", "count"),
    Metric(
        "resources.idle.written_bytes_per_min",
        "Written a minute, idle",
        "none",
        "info",
        "bytes",
        help="for each minute",
    ),
    Metric("resources.run.cpu_s", "CPU, run", help="of all processes during a run, idle use included"),
    Metric("resources.run.pss_mean_bytes", "Memory, run", unit="bytes", help="proportional set size, mean"),
    Metric("resources.run.pss_peak_bytes", "Memory, run, peak", unit="bytes"),
    Metric("resources.run.processes_peak", "Processes, run, peak", "none", "seen", "count"),
    Metric("resources.run.threads_peak", "Threads, run, peak", "none", "seen", "count"),
    Metric("resources.run.written_bytes", "Written, run", "none", "info", "bytes"),
)
QUESTIONS = (
    Question(
        key="resources", group="resources", title="What does it cost idle?", order=120, place=5, needs=Needs.UP,
        cost_s={Track.TUNED: 22, Track.STOCK: 35}, budgets={"standard": 1, "full": 5},
        measure=measure, metrics=METRICS,
        headlines=(
            Headline("resources.idle.cpu_s_per_min", "CPU time, for each minute"),
            Headline("resources.idle.pss_mean_bytes", "Memory"),
        ),
    ),
)  # fmt: skip

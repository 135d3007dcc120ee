"""A run's journal as typed records, and what follows from it: times, digests, duplicates, isolation.

Everything here is computed from what the steps wrote themselves, never from an engine's own word.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from core.declaration import Graph
from core.instrument import journal as written

AttemptOutcome = Literal["ended", "error", "lost"]
NS_PER_S = 1e9
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Effect:
    """One change of the world outside the run, at the instant of it."""

    step: str
    attempt: int
    key: str
    t_ns: int
    utc: str = ""

    @property
    def kind(self) -> str:
        """The key without the run id: what can be compared between runs."""
        return self.key.partition(":")[0]


@dataclass(frozen=True, slots=True)
class FaultMark:
    """A fault that a step was told to suffer, at the instant before it struck."""

    step: str
    attempt: int
    kind: str
    t_ns: int
    utc: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try of a step. `lost`: it started, and neither its end nor an error was ever written."""

    step: str
    attempt: int
    start_ns: int
    end_ns: int | None = None
    """When it ended or raised; None if lost."""
    outcome: AttemptOutcome = "lost"
    pid: int = 0
    thread: int = 0
    result: Any = None
    error: str = ""
    message: str = ""
    start_utc: str = ""
    end_utc: str = ""
    last_ns: int = 0
    """The last thing known of the attempt."""
    reached_effect: bool = False

    @property
    def digest(self) -> str:
        """Digest of the artifact, or the branch's value; empty for a step that returns neither."""
        if isinstance(self.result, Mapping):
            return str(self.result.get("digest", ""))
        return self.result if isinstance(self.result, str) else ""

    @property
    def time_s(self) -> float:
        """From the start to the end, or for a lost attempt to the last thing known of it."""
        return ((self.end_ns or max(self.last_ns, self.start_ns)) - self.start_ns) / NS_PER_S


@dataclass(frozen=True, slots=True)
class Journal:
    """What happened in one run. Read it after the run: an attempt still running looks lost."""

    attempts: tuple[Attempt, ...] = ()
    effects: tuple[Effect, ...] = ()
    faults: tuple[FaultMark, ...] = ()

    def first_start_ns(self) -> int | None:
        """Start of the first attempt; None if no step started."""
        return min((a.start_ns for a in self.attempts), default=None)

    def last_end_ns(self) -> int | None:
        """End of the last attempt that ended or raised; None if none did."""
        return max((a.end_ns for a in self.attempts if a.end_ns is not None), default=None)

    def ahead_ns(self) -> int | None:
        """UTC less the monotonic clock, from the first record that has both; None if there is none."""
        both = ((one.start_utc, one.start_ns) for one in self.attempts if one.start_utc)
        return next((utc_ns(utc) - t_ns for utc, t_ns in both), None)

    def attempts_of(self, step: str) -> tuple[Attempt, ...]:
        """The step's attempts in the order of their start."""
        return tuple(a for a in self.attempts if a.step == step)

    def steps(self) -> tuple[str, ...]:
        """Steps that started, in the order of their first start."""
        return tuple(dict.fromkeys(a.step for a in self.attempts))

    def counted(self) -> dict[str, Attempt]:
        """Per step the ended attempt that counts: the last one."""
        ended = (a for a in self.attempts if a.outcome == "ended")
        return {a.step: a for a in sorted(ended, key=lambda a: a.end_ns or 0)}

    def digests(self) -> dict[str, str]:
        """Per ended step the digest of its artifact or the branch's value; empty if it has neither."""
        return {step: attempt.digest for step, attempt in self.counted().items()}

    def step_times(self) -> dict[str, float]:
        """Seconds of the attempt that counts, per ended step: what `overhead_s` takes from inline."""
        return {step: attempt.time_s for step, attempt in self.counted().items()}

    def retried(self) -> bool:
        """Whether any step was tried more than once, or failed, or was lost."""
        return len(self.attempts) != len(self.counted())

    def work_s(self) -> float:
        """Seconds of all ended attempts."""
        return sum(a.time_s for a in self.attempts if a.outcome == "ended")

    def wasted_s(self, graph: Graph, killed_ns: int | None = None) -> float:
        """Seconds of the attempts with which the run did not go on, lost ones up to the last thing known of them.

        `killed_ns`, the instant of a kill from outside, is such a thing for attempts lost by then.
        """
        return sum(_known_s(a, killed_ns) for a in self.superseded(graph))

    def superseded(self, graph: Graph) -> tuple[Attempt, ...]:
        """The attempts with which the run did not go on."""
        kept = {id(a) for a in self.effective(graph)}
        return tuple(a for a in self.attempts if id(a) not in kept)

    def effective(self, graph: Graph) -> tuple[Attempt, ...]:
        """The attempt of each ended step with which the run went on.

        It is the last begun of those that had ended before the steps after it began: an engine that has not heard of
        an attempt's end tries the step again and waits for that, and an attempt that it has given up may end later.
        """
        found: dict[str, Attempt] = {}
        for step in reversed(graph.steps):
            begun = min((one.start_ns for one in found.values() if step.name in graph.step(one.step).upstream),
                        default=None)  # fmt: skip
            ended = [a for a in self.attempts_of(step.name) if a.outcome == "ended" and a.end_ns]
            known = [a for a in ended if begun is None or (a.end_ns or 0) <= begun] or ended[:1]
            if known:
                found[step.name] = max(known, key=lambda a: a.start_ns)
        return tuple(sorted(found.values(), key=lambda a: a.start_ns))

    def duplicates(self) -> tuple[str, ...]:
        """Keys of effects that happened more than once."""
        return tuple(key for key, times in Counter(e.key for e in self.effects).items() if times > 1)

    def effect_kinds(self) -> Counter[str]:
        """How often each kind of effect happened."""
        return Counter(effect.kind for effect in self.effects)

    def isolation(self) -> str:
        """`process per step`, `threads` or `in-process`; `none` with fewer than two steps to tell from."""
        steps_by_pid: dict[int, set[str]] = defaultdict(set)
        threads_by_pid: dict[int, set[int]] = defaultdict(set)
        for attempt in self.attempts:
            steps_by_pid[attempt.pid].add(attempt.step)
            threads_by_pid[attempt.pid].add(attempt.thread)
        if len(self.steps()) < 2:
            return "none"
        if all(len(steps) == 1 for steps in steps_by_pid.values()):
            return "process per step"
        return "threads" if any(len(threads) > 1 for threads in threads_by_pid.values()) else "in-process"

    def transitions(self, graph: Graph) -> dict[str, float]:
        """Seconds from the end of a step's last upstream to the step's first start.

        Only steps with an upstream that ran, and whose upstreams had ended by then.
        """
        latencies = {}
        for step in graph.steps:
            tries = self.attempts_of(step.name)
            upstreams = [name for name in step.upstream if self.attempts_of(name)]
            if tries and upstreams:
                ends = [_last_end_before(self.attempts_of(name), tries[0].start_ns) for name in upstreams]
                known = [end for end in ends if end is not None]
                if len(known) == len(ends):
                    latencies[step.name] = (tries[0].start_ns - max(known)) / NS_PER_S
        return latencies

    def bound_s(self, step_s: Mapping[str, float], parallelism: int, graph: Graph) -> float:
        """max(critical path, total work ÷ parallelism) of the steps that ended, with the given times."""
        ran = [step for step in graph.steps if step.name in self.counted()]
        finish: dict[str, float] = {}
        for step in ran:
            begin = max((finish.get(name, 0.0) for name in step.upstream), default=0.0)
            finish[step.name] = begin + step_s[step.name]
        return max(max(finish.values(), default=0.0), sum(step_s[step.name] for step in ran) / parallelism)

    def overhead_s(
        self, makespan_s: float, inline: Mapping[str, float], parallelism: int, graph: Graph
    ) -> float | None:
        """Makespan less the bound from inline's step times (`inline.step_times()`).

        None for a run with retries, one without an ended step, and one with steps that inline had not.
        """
        if self.retried() or not self.counted() or not self.counted().keys() <= inline.keys():
            return None
        return makespan_s - self.bound_s(inline, parallelism, graph)

    def step_slowdown(self, inline: Mapping[str, float]) -> float | None:
        """How many times longer the step bodies took than inline's, in total; None if nothing is shared."""
        own = self.step_times()
        shared = own.keys() & inline.keys()
        total = sum(inline[step] for step in shared)
        return sum(own[step] for step in shared) / total if total > 0 else None


def most_at_once(*journals: Journal) -> int:
    """The largest number of attempts of these runs that were under way at one instant; those that ended are counted."""
    ended = [attempt for one in journals for attempt in one.attempts if attempt.end_ns]
    return max((sum(a.start_ns <= one.start_ns < (a.end_ns or 0) for a in ended) for one in ended), default=0)


def utc_ns(text: str) -> int:
    """Nanoseconds since 1970 of a time in ISO 8601, UTC where it names no zone; to the microsecond."""
    parsed = datetime.fromisoformat(text)
    since = (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)) - EPOCH
    return (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1000


def read_journal(run_dir: Path) -> Journal:
    """Read the journal in a run's folder; an empty one if no step has started."""
    return parse(written.read(run_dir))


def parse(records: Iterable[Mapping[str, Any]]) -> Journal:
    """Turn journal records into a journal, attempts in the order of their start."""
    groups: dict[tuple[str, int], list[Mapping[str, Any]]] = defaultdict(list)
    effects, faults = [], []
    for record in records:
        step, number = str(record["step"]), int(record["attempt"])
        groups[step, number].append(record)
        t_ns, utc = int(record["t_ns"]), str(record.get("utc", ""))
        if record["event"] == "effect":
            effects.append(Effect(step, number, str(record["key"]), t_ns, utc))
        if record["event"] == "fault":
            faults.append(FaultMark(step, number, str(record["kind"]), t_ns, utc))
    attempts = [_attempt(step, number, group) for (step, number), group in groups.items()]
    attempts.sort(key=lambda a: (a.start_ns, a.step, a.attempt))
    return Journal(tuple(attempts), tuple(effects), tuple(faults))


def _attempt(step: str, number: int, records: list[Mapping[str, Any]]) -> Attempt:
    first = records[0]
    final = next((r for r in records if r["event"] in ("end", "error")), None)
    return Attempt(
        step=step,
        attempt=number,
        start_ns=int(first["t_ns"]),
        end_ns=int(final["t_ns"]) if final else None,
        outcome="lost" if final is None else "ended" if final["event"] == "end" else "error",
        pid=int(first.get("pid", 0)),
        thread=int(first.get("thread", 0)),
        result=final.get("result") if final else None,
        error=str(final.get("error", "")) if final else "",
        message=str(final.get("message", "")) if final else "",
        start_utc=str(first.get("utc", "")),
        end_utc=str(final.get("utc", "")) if final else "",
        last_ns=max(int(r["t_ns"]) for r in records),
        reached_effect=any(r["event"] == "effect" for r in records),
    )


def _known_s(attempt: Attempt, killed_ns: int | None) -> float:
    if attempt.outcome != "lost" or killed_ns is None:
        return attempt.time_s
    return max(attempt.time_s, (killed_ns - attempt.start_ns) / NS_PER_S)


def _last_end_before(attempts: Iterable[Attempt], instant_ns: int) -> int | None:
    ends = (a.end_ns for a in attempts if a.outcome == "ended" and a.end_ns is not None and a.end_ns <= instant_ns)
    return max(ends, default=None)

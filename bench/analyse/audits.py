"""What must hold in every result, whatever was measured. Raw observations in, one verdict for each rule out.

`fail`: the instrument contradicts itself, or an engine broke the order of the steps. `flag`: the
numbers stand, but the reader must know. `unknown`: nothing of the kind was measured.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median
from typing import Literal, NamedTuple

from bench.analyse import drift
from bench.analyse.phases import phase_locked
from bench.contract.records import Audit, Manifest, Run, Sample, Verdict
from bench.observe import calibration
from bench.observe.watching import POLL_S
from bench.plan.arms import INLINE

SUM_TOLERANCE_S = 0.001
"""Parts and wholes are differences of the same instants, so only rounding may part them."""
CLOCK_TOLERANCE_S = POLL_S
ROLE_TOLERANCE = 0.01
"""Of a tree's total, by which its roles may exceed it: they are read one after the other."""
BUSY_SHARE = 0.1
"""Of the host's cores, used by others."""
SLOWER = 1.1
"""So many times what the fixed loop usually took, and the machine was slower around a session."""
SUSPICIOUS_P = 0.01
LEAST_VALUES = 8
TOLD = 3
"""So many findings are told word for word."""

SETUP_PARTS = ("setup.environment_s", "setup.initialise_s", "setup.start_s", "setup.deploy_s", "setup.first_run_s")
LATENCIES = ("runtime.submit_to_first_step_s", "runtime.transition_s", "runtime.completion_s")
ASKED = "runtime.completion_s"
"""Known by asking, so the harness's own interval may show in it."""
ADDITIVE = frozenset(
    f"resources.{name}"
    for name in ("idle.cpu_s_per_min", "idle.pss_mean_bytes", "idle.written_bytes_per_min", "idle.handed_bytes_per_min",
                 "run.cpu_s", "run.pss_mean_bytes", "run.written_bytes", "run.handed_bytes")
)  # fmt: skip
"""Metrics of a tree of processes that are the sum of its roles'; peaks are not."""

Word = Literal["pass", "fail", "flag", "unknown"]


class Found(NamedTuple):
    """What a rule looked at, and what is wrong, each in a few words."""

    looked_at: int
    what: str
    wrong: list[str]


@dataclass(frozen=True)
class Observed:
    """A whole result."""

    samples: Sequence[Sample]
    runs: Sequence[Run]
    verdicts: Sequence[Verdict]
    manifest: Manifest

    @cached_property
    def plain(self) -> Mapping[str, Run]:
        """Runs in which nothing was broken on purpose, by id."""
        return {run.run_id: run for run in self.runs if not run.scenario}

    @cached_property
    def timed(self) -> Mapping[str, Mapping[str, float]]:
        """Run id -> metric -> value, of the times of plain runs."""
        found: dict[str, dict[str, float]] = defaultdict(dict)
        for s in self.samples:
            if s.run_id in self.plain and s.metric.startswith("runtime.") and isinstance(s.value, int | float):
                found[s.run_id][s.metric.removeprefix("runtime.").removesuffix("_s")] = float(s.value)
        return found


def audit(
    samples: Sequence[Sample], runs: Sequence[Run], verdicts: Sequence[Verdict], manifest: Manifest
) -> list[Audit]:
    """One audit for each rule, in the order of `RULES`."""
    seen = Observed(samples, runs, verdicts, manifest)
    return [_audit(rule, rule.check(seen)) for rule in RULES]


def overall(audits: Iterable[Audit]) -> Word:
    """The verdict of the whole: fail if any fails, else flag if any flags, else pass if any passes."""
    words = {one.verdict for one in audits}
    return next((word for word in ("fail", "flag", "pass") if word in words), "unknown")


def _audit(rule: Rule, found: Found) -> Audit:
    if found.wrong:
        more = f"; and {len(found.wrong) - TOLD} more" if len(found.wrong) > TOLD else ""
        reason = f"{len(found.wrong)} in {found.looked_at} {found.what}: {'; '.join(found.wrong[:TOLD])}{more}"
        return Audit(name=rule.name, verdict=rule.severity, reason=reason)
    if not found.looked_at:
        return Audit(name=rule.name, verdict="unknown", reason=f"no {found.what}")
    return Audit(name=rule.name, verdict="pass", reason=f"{found.looked_at} {found.what}")


def sums(seen: Observed) -> Found:
    """The parts of a run's time, of a bring-up and of a tree's resources add up to no more than the whole."""
    wholes = [*_runs(seen), *_setups(seen), *_trees(seen)]
    wrong = [
        f"{where}: {parts:.6g} of {whole:.6g}" for where, parts, whole, tolerance in wholes if parts > whole + tolerance
    ]
    return Found(len(wholes), "sums of parts", wrong)


def _runs(seen: Observed) -> Iterable[tuple[str, float, float, float]]:
    in_turn = {one.name for one in seen.manifest.pipelines if one.in_turn}
    for run_id, times in seen.timed.items():
        if not {"makespan", "completion", "submit_to_first_step", "work", "transitions_total"} <= times.keys():
            continue
        steps = times["work"] + times["transitions_total"] if seen.plain[run_id].pipeline in in_turn else 0.0
        inside = times["submit_to_first_step"] + steps
        yield f"{run_id}: parts of the makespan", inside, times["makespan"], SUM_TOLERANCE_S
        yield f"{run_id}: makespan in the completion", times["makespan"], times["completion"], CLOCK_TOLERANCE_S


def _setups(seen: Observed) -> Iterable[tuple[str, float, float, float]]:
    found: dict[tuple[int, str], dict[str, float]] = defaultdict(dict)
    for s in seen.samples:
        if s.metric.startswith("setup.") and isinstance(s.value, int | float):
            found[s.session, s.engine][s.metric] = float(s.value)
    for (session, engine), times in found.items():
        if "setup.total_s" in times:
            parts = sum(times.get(name, 0.0) for name in SETUP_PARTS)
            yield f"session {session}, {engine}: setup", parts, times["setup.total_s"], SUM_TOLERANCE_S


def _trees(seen: Observed) -> Iterable[tuple[str, float, float, float]]:
    roles: dict[tuple[str, ...], list[float]] = defaultdict(list)
    totals: dict[tuple[str, ...], float] = {}
    for s in seen.samples:
        if s.metric in ADDITIVE and isinstance(s.value, int | float):
            other = ",".join(f"{k}={v}" for k, v in sorted(s.params.items()) if k != "role")
            key: tuple[str, ...] = (s.metric, s.engine, s.track, s.mode, s.pipeline, other, str(s.session), s.run_id)
            if "role" in s.params:
                roles[key].append(float(s.value))
            else:
                totals[key] = float(s.value)
    for key, parts in roles.items():
        if key in totals:
            yield f"{key[0]}, {key[-1] or key[1]}: roles", sum(parts), totals[key], ROLE_TOLERANCE * totals[key]


def _verdicts(checker: str, what: str) -> Callable[[Observed], Found]:
    """The plain runs that the checker failed."""

    def check(seen: Observed) -> Found:
        judged = [
            v for v in seen.verdicts if v.checker == checker and v.run_id in seen.plain and v.verdict != "unknown"
        ]
        return Found(len(judged), what, [f"{v.run_id}: {v.reason}" for v in judged if v.verdict == "fail"])

    return check


def unjudged(seen: Observed) -> Found:
    """Plain runs of which a checker could not tell: neither right nor wrong."""
    ours = [v for v in seen.verdicts if v.run_id in seen.plain]
    wrong = [f"{v.run_id}: {v.checker}: {v.reason}" for v in ours if v.verdict == "unknown"]
    return Found(len(ours), "verdicts of plain runs", wrong)


def polling(seen: Observed) -> Found:
    """Latencies that come in steps of an interval at which something is polled, or that are that interval."""
    tests = list(_latencies(seen))
    wrong = [
        f"{' '.join(arm)} {metric}: {how} {period_s:g} s, {name}"
        for arm, metric, values, name, period_s in tests
        if (how := phase_locked(values, period_s, SUSPICIOUS_P / len(tests)))
    ]
    return Found(len(tests), f"pairs of a latency, with {LEAST_VALUES} values or more, and an interval", wrong)


def _latencies(seen: Observed) -> Iterable[tuple[tuple[str, str], str, list[float], str, float]]:
    found: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for s in seen.samples:
        if s.metric in LATENCIES and s.mode == "served" and not s.warm_up and isinstance(s.value, int | float):
            found[s.engine, s.track][s.metric].append(float(s.value))
    for arm, metrics in found.items():
        own = [(str(p["name"]), float(p["seconds"])) for p in seen.manifest.polling if (p["engine"], p["track"]) == arm]
        for metric, values in metrics.items():
            asked = [("the harness asking for the state", POLL_S)] if metric == ASKED else []
            if len(values) >= LEAST_VALUES:
                yield from ((arm, metric, values, name, period_s) for name, period_s in own + asked)


def host_load(seen: Observed) -> Found:
    """Runs during which others used more than a tenth of the host."""
    cores = float(seen.manifest.host.get("cores") or 0)
    loads = [
        (float(s.value), s.run_id)
        for s in seen.samples
        if s.metric == "host.others_cores" and not s.warm_up and isinstance(s.value, int | float) and cores
    ]
    busy = sorted((load for load in loads if load[0] > BUSY_SHARE * cores), reverse=True)
    return Found(
        len(loads), "runs watched", [f"{run_id}: {load:.2f} of {cores:g} cores used by others" for load, run_id in busy]
    )


def machine(seen: Observed) -> Found:
    """Sessions around which a fixed loop took more than a tenth longer than around the middle one of the result."""
    values = {s.session: (float(s.value), s.block) for s in seen.samples
              if s.metric == calibration.METRIC and isinstance(s.value, int | float)}  # fmt: skip
    usual = median(value for value, _ in values.values()) if values else 0.0
    slow = sorted(((value / usual, n, block) for n, (value, block) in values.items() if value > SLOWER * usual),
                  reverse=True)  # fmt: skip
    return Found(len(values), "sessions", [f"session {n} in block {b}: {ratio:.2f} times" for ratio, n, b in slow])


def _order_effect(metric: str, text: str) -> Callable[[Observed], Found]:
    def check(seen: Observed) -> Found:
        records = drift.order_effects(seen.samples, seen.runs)
        found = [r for r in records if r.metric == metric and isinstance(r.value, float)]
        wrong = [f"{text}, p = {r.value:.4f}" for r in found if isinstance(r.value, float) and r.value < SUSPICIOUS_P]
        return Found(found[0].n if found else 0, f"blocks, of {drift.LEAST_BLOCKS} or more", wrong)

    return check


def balance(seen: Observed) -> Found:
    """Whether each arm has as many timed sessions as the others of its mode and track in every block that was measured
    to its end.

    A track or mode that none has in a block was not planned for it.
    """
    counts: dict[tuple[int, str], dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    arms: dict[str, set[str]] = defaultdict(set)
    for run in seen.plain.values():
        if run.pipeline in seen.manifest.plain and not run.params and not run.warm_up:
            mode = INLINE if run.engine == INLINE else f"{run.mode} {run.track}"
            arm = f"{run.engine} {run.track} {run.mode}"
            counts[run.block, mode][arm].add(run.session)
            arms[mode].add(arm)
    whole = [place for place in sorted(counts) if not _broken(seen.manifest, place[0])]
    wrong = []
    for block, mode in whole:
        sessions = {arm: len(counts[block, mode][arm]) for arm in sorted(arms[mode])}
        usual = max(sessions.values())
        wrong += [f"block {block}: {arm} {n} times, others {usual}" for arm, n in sessions.items() if n < usual]
    return Found(len({block for block, _ in whole}), "complete blocks", wrong)


def _broken(manifest: Manifest, block: int) -> bool:
    timed = (cell for cell in manifest.cells if cell.block == block and not cell.session)
    return any(cell.state != "done" for cell in timed)


class Rule(NamedTuple):
    """A rule of the audit, and how bad it is if it does not hold."""

    name: str
    severity: Word
    check: Callable[[Observed], Found]


RULES = (
    Rule("parts and wholes", "fail", sums),
    Rule("order of the steps", "fail", _verdicts("order", "runs judged")),
    Rule("the engine's own times", "fail", _verdicts("engine_times", "runs with times of the engine")),
    Rule("no makespan below its bound", "fail", _verdicts("bound", "runs judged")),
    Rule("same output as inline", "flag", _verdicts("artifacts", "runs judged")),
    Rule("every run judged", "flag", unjudged),
    Rule("polling intervals", "flag", polling),
    Rule("load by others", "flag", host_load),
    Rule("speed of the machine", "flag", machine),
    Rule("position in the block", "flag", _order_effect("noise.position_p", "the place in a block shows in the time")),
    Rule("drift", "flag", _order_effect("noise.drift_p", "times change over the result")),
    Rule("balance of the blocks", "flag", balance),
)

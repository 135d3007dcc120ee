"""Each rule of the audit on a result that keeps it, and on one that does not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bench.analyse.audits import RULES, audit, overall
from bench.analyse.phases import phase_locked, rayleigh_p
from bench.contract.records import Audit, Cell, Manifest, Run, Sample, Verdict
from bench.observe.first_schema import DECLARED_PIPELINES

TIMES = {
    "submit_to_first_step_s": 1.0,
    "work_s": 2.0,
    "transitions_total_s": 0.5,
    "transition_s": 0.1,
    "makespan_s": 3.5,
    "terminal_lag_s": 0.2,
    "completion_s": 3.7,
}
SETUP = {
    "setup.environment_s": 10.0,
    "setup.initialise_s": 1.0,
    "setup.start_s": 2.0,
    "setup.deploy_s": 0.5,
    "setup.first_run_s": 4.0,
    "setup.total_s": 17.5,
}
CHECKERS = ("artifacts", "order", "engine_times", "bound")
POLLING = {"engine": "prefect", "track": "tuned", "name": "worker", "seconds": 2.0, "source": ""}


@dataclass
class Result:
    """A small result in which every rule holds, until something is put in."""

    samples: list[Sample] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    manifest: Manifest = field(
        default_factory=lambda: Manifest(
            created_utc="", budget="standard", budget_s=None, seed=1, arguments={}, data={}, versions={},
            host={"cores": 2}, polling=[POLLING], pipelines=list(DECLARED_PIPELINES),
        )
    )  # fmt: skip

    def sample(self, metric: str, value: float | None, *, engine: str = "prefect", **more: Any) -> None:
        plain = {"pipeline": "training", "unit": "s", "track": "tuned", "mode": "served"} | more
        self.samples.append(Sample(engine=engine, metric=metric, value=value, **plain))

    def run(self, session: int, block: int, engine: str = "prefect", *, scenario: str = "", **times: float) -> str:
        """A run with its times and verdicts."""
        arm: dict[str, Any] = {"engine": engine, "pipeline": "training", "session": session, "block": block}
        name = f"{session:03d}-{engine}{scenario}"
        self.runs.append(Run(run_id=name, scenario=scenario, track="tuned", mode="served", **arm))
        for metric, value in (TIMES | times).items():
            self.sample(f"runtime.{metric}", value, run_id=name, **arm)
        self.sample("host.others_cores", 0.05, run_id=name, **arm)
        self.verdicts += [Verdict(run_id=name, engine=engine, checker=c, verdict="pass") for c in CHECKERS]
        return name

    def judge(self, run: str, checker: str, verdict: Any, reason: str = "because") -> None:
        kept = [v for v in self.verdicts if (v.run_id, v.checker) != (run, checker)]
        self.verdicts = [*kept, Verdict(run_id=run, engine="prefect", checker=checker, verdict=verdict, reason=reason)]

    def audits(self) -> dict[str, Audit]:
        return {one.name: one for one in audit(self.samples, self.runs, self.verdicts, self.manifest)}


def sound(blocks: int = 6) -> Result:
    """Three arms in each block, in random order; every run waits a little longer or shorter for its first step."""
    random, result, session = np.random.default_rng(2), Result(), 0
    for block in range(1, blocks + 1):
        for engine in random.permutation(["airflow", "dagster", "prefect"]):
            session += 1
            late_s = float(random.uniform(0, 0.3))
            later = {name: TIMES[name] + late_s for name in ("submit_to_first_step_s", "makespan_s", "completion_s")}
            result.run(session, block, str(engine), **later)
            for metric, value in (SETUP | {"host.calibration_s": 0.0002 + 0.00001 * late_s}).items():
                result.sample(metric, value, engine=str(engine), session=session, block=block)
        for params, value in (({}, 5.0), ({"role": "server"}, 3.0), ({"role": "worker"}, 2.0)):
            result.sample("resources.run.cpu_s", value, session=session, params=params)
    for n in range(10):
        result.sample(
            "runtime.submit_to_first_step_s", 3.2 + 0.41 * n, session=session, pipeline="chain", params={"n": n}
        )
    return result


def steps_longer_than_the_run(result: Result) -> None:
    result.run(99, 0, work_s=2.1)


def makespan_beyond_the_completion(result: Result) -> None:
    result.run(99, 0, completion_s=3.0)


def setup_longer_than_its_total(result: Result) -> None:
    result.sample("setup.total_s", 16.0, session=1, engine=result.runs[0].engine)


def roles_above_their_tree(result: Result) -> None:
    result.sample("resources.run.cpu_s", 1.0, session=3, params={"role": "server"})
    result.sample("resources.run.cpu_s", 0.9, session=3)


def a_session_on_a_slower_machine(result: Result) -> None:
    result.sample("host.calibration_s", 0.00026, engine="inline", session=40, block=7)


def judged(checker: str, verdict: str) -> Any:
    return lambda result: result.judge(result.runs[0].run_id, checker, verdict)


def first_steps_in_step_with_the_worker(result: Result) -> None:
    for n in range(30):
        result.sample("runtime.submit_to_first_step_s", 0.1 + 2.0 * (1 + n % 4), session=1)


def transitions_as_long_as_the_interval(result: Result) -> None:
    for n in range(30):
        result.sample("runtime.transition_s", 2.01 + 0.001 * n, session=1)


def completions_in_step_with_the_harness(result: Result) -> None:
    for n in range(80):
        result.sample("runtime.completion_s", 5 + 0.25 * (n % 12), session=1)


def others_on_the_host(result: Result) -> None:
    result.sample("host.others_cores", 0.9, run_id="007-prefect")
    result.sample("host.others_cores", 0.3, run_id="008-airflow")


def slower_with_each(place: str) -> Any:
    """Rewrite makespans so that a place in the block, or time, costs 10 %."""

    def spoil(result: Result) -> None:
        order = {"block": lambda s: (s.session - 1) % 3, "result": lambda s: s.session}[place]
        result.samples = [
            msgspec.structs.replace(
                s, value=TIMES["makespan_s"] * 1.1 ** order(s), metric="runtime.makespan_s", run_id=""
            )
            for s in result.samples
            if s.metric == "runtime.makespan_s"
        ]

    return spoil


def a_session_missing(result: Result) -> None:
    result.runs = result.runs[1:]


SPOILED = [
    ("parts and wholes", "fail", steps_longer_than_the_run, "099-prefect: parts of the makespan: 3.6 of 3.5"),
    ("parts and wholes", "fail", makespan_beyond_the_completion, "099-prefect: makespan in the completion: 3.5 of 3"),
    ("parts and wholes", "fail", setup_longer_than_its_total, "setup: 17.5 of 16"),
    ("parts and wholes", "fail", roles_above_their_tree, "resources.run.cpu_s, prefect: roles"),
    ("order of the steps", "fail", judged("order", "fail"), "1 in 18 runs judged"),
    ("the engine's own times", "fail", judged("engine_times", "fail"), "because"),
    ("no makespan below its bound", "fail", judged("bound", "fail"), "because"),
    ("same output as inline", "flag", judged("artifacts", "fail"), "because"),
    ("every run judged", "flag", judged("engine_times", "unknown"), "engine_times: because"),
    ("polling intervals", "flag", first_steps_in_step_with_the_worker,
     "prefect tuned runtime.submit_to_first_step_s: comes in steps of 2 s, worker"),
    ("polling intervals", "flag", transitions_as_long_as_the_interval,
     "prefect tuned runtime.transition_s: is mostly within 5 % of 2 s, worker"),
    ("polling intervals", "flag", completions_in_step_with_the_harness, "0.25 s, the harness asking for the state"),
    ("load by others", "flag", others_on_the_host,
     "2 in 20 runs watched: 007-prefect: 0.90 of 2 cores used by others; 008-airflow: 0.30"),
    ("position in the block", "flag", slower_with_each("block"), "p = 0.0"),
    ("drift", "flag", slower_with_each("result"), "p = 0.0"),
    ("speed of the machine", "flag", a_session_on_a_slower_machine, "1 in 19 sessions: session 40 in block 7: 1.2"),
    ("balance of the blocks", "flag", a_session_missing, "0 times, others 1"),
]  # fmt: skip


def test_every_rule_passes_on_a_sound_result() -> None:
    found = sound().audits()
    assert list(found) == [rule.name for rule in RULES]
    assert {name: one.reason for name, one in found.items() if one.verdict != "pass"} == {}
    assert overall(found.values()) == "pass"


@pytest.mark.parametrize(("rule", "verdict", "spoil", "text"), SPOILED, ids=[case[2].__name__ for case in SPOILED])
def test_every_rule_finds_what_it_is_for(rule: str, verdict: str, spoil: Any, text: str) -> None:
    result = sound()
    spoil(result)
    found = result.audits()
    assert found[rule].verdict == verdict
    assert text in found[rule].reason
    assert overall(found.values()) == verdict


def test_every_rule_is_spoiled_by_something() -> None:
    assert {case[0] for case in SPOILED} == {rule.name for rule in RULES}


def test_nothing_measured_is_unknown_and_not_a_pass() -> None:
    found = Result().audits()
    assert {one.verdict for one in found.values()} == {"unknown"}
    assert overall(found.values()) == "unknown"


def test_what_was_broken_on_purpose_is_not_held_against_a_result() -> None:
    result = sound()
    run = result.run(99, 0, scenario="step_killed", work_s=99.0)
    for checker in CHECKERS:
        result.judge(run, checker, "fail")
    assert overall(result.audits().values()) == "pass"


def test_parallel_work_may_exceed_the_makespan() -> None:
    result = sound()
    run = result.run(99, 0, work_s=99.0)
    result.runs[-1] = msgspec.structs.replace(result.runs[-1], pipeline="fan_out", params={"n": 20})
    assert run == result.runs[-1].run_id
    assert result.audits()["parts and wholes"].verdict == "pass"


def test_a_block_that_was_not_finished_need_not_be_balanced() -> None:
    result = sound()
    a_session_missing(result)
    result.manifest.cells = [
        Cell(name="block 1: airflow tuned: samples", block=1, pipeline="training", estimated_s=1, state="failed")
    ]
    found = result.audits()["balance of the blocks"]
    assert (found.verdict, found.reason) == ("pass", "5 complete blocks")


def test_what_follows_the_blocks_or_only_warms_up_is_no_part_of_their_balance() -> None:
    result = sound()
    a_session_missing(result)
    missing = next(run for run in sound().runs if run.run_id not in {one.run_id for one in result.runs})
    result.runs.append(msgspec.structs.replace(missing, warm_up=True))
    later = {"name": "deep", "pipeline": "training", "estimated_s": 1, "state": "left_out", "session": "deep"}
    result.manifest.cells = [Cell(block=missing.block, **later)]
    assert result.audits()["balance of the blocks"].verdict == "flag"


def test_a_track_that_has_fewer_blocks_is_not_missed() -> None:
    result = sound()
    result.runs.append(msgspec.structs.replace(result.runs[0], run_id="stock", track="stock"))
    found = result.audits()["balance of the blocks"]
    assert (found.verdict, found.reason) == ("pass", "6 complete blocks")


def test_a_mode_that_no_arm_has_in_a_block_is_not_missed() -> None:
    result = sound()
    served = result.runs[0]
    result.runs.append(msgspec.structs.replace(served, run_id="local", mode="local"))
    found = result.audits()["balance of the blocks"]
    assert (found.verdict, found.reason) == ("pass", "6 complete blocks")


def test_many_findings_are_counted_and_the_first_told() -> None:
    result = sound()
    for run in result.runs[:5]:
        result.judge(run.run_id, "order", "fail")
    assert result.audits()["order of the steps"].reason.endswith("because; and 2 more")


@pytest.mark.parametrize("words", [["pass", "fail", "flag"], ["pass", "flag"], ["unknown", "pass"], ["unknown"]])
def test_the_whole_is_as_bad_as_its_worst(words: list[Any]) -> None:
    worst = next(word for word in ("fail", "flag", "pass", "unknown") if word in words)
    assert overall(Audit(name=str(n), verdict=word) for n, word in enumerate(words)) == worst


def test_rayleigh_p_is_as_rare_as_it_says() -> None:
    random = np.random.default_rng(5)
    phases = random.uniform(0, 2 * np.pi, (20_000, 8))
    resultants = np.abs(np.exp(1j * phases).mean(axis=1))
    for p in (0.05, 0.01):
        assert np.mean([rayleigh_p(float(r), 8) < p for r in resultants]) == pytest.approx(p, rel=0.15)


SMOOTH = {
    "uniform": lambda r, n: r.uniform(3, 9, n),
    "normal": lambda r, n: r.normal(6, 1.5, n),
    "exponential": lambda r, n: 1 + r.exponential(1.5, n),
    "narrow, off the interval": lambda r, n: r.normal(5.0, 0.1, n),
    "within one interval": lambda r, n: r.uniform(0, 2, n),
}


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("n", [8, 30, 200])
def test_latencies_that_keep_to_no_interval_are_not_flagged(name: str, n: int) -> None:
    random = np.random.default_rng(6)
    flagged = [phase_locked(list(SMOOTH[name](random, n)), 2.0, 0.01) for _ in range(300)]
    assert np.mean([bool(text) for text in flagged]) <= 0.02


@settings(deadline=None)
@given(st.floats(0.01, 100), st.floats(0, 1), st.lists(st.integers(1, 4), min_size=12, max_size=40))
def test_steps_of_an_interval_are_found_whatever_the_phase(period_s: float, phase: float, steps: list[int]) -> None:
    spread = float(np.std(steps, ddof=1))
    assume(abs(spread - 0.5) > 1e-6)
    found = phase_locked([period_s * (phase + k) for k in steps], period_s, 0.01)
    assert (found == "comes in steps of") == (spread > 0.5)

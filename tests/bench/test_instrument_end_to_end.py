"""Known time is put into real runs of a real double, and must be found where it was put.

How long the double's process takes to start varies by more than what is looked for, and has a
metric of its own: it is taken out of the overhead by that. How long the double waited between two
steps, it says itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import pytest
from doubles import BringUp

from bench.contract.records import Arm, Sample
from bench.observe.journal import Journal
from bench.observe.reading import load
from bench.plan.workloads import Workload
from bench.questions import timing
from bench.run.conductor import Conductor, inline_command
from bench.run.observation import Observation
from bench.session.bring_up import Session
from bench.session.workspace import PARALLELISM
from core.instrument.config import Fault

TOLERANCE = 0.05
RUNS = 3
CHAIN = Workload.make("chain", n=5)
FAN_OUT = Workload.make("fan_out", n=2 * PARALLELISM)
DELAY_S = 0.5
SLOW_S = 1.0

ONE_AFTER_ANOTHER = '''"""The chain of the double, which waits between its steps."""

import sys, time

from core.pipelines import like_steps as steps


def wait():
    begin = time.monotonic()
    time.sleep({delay_s})
    print("waited", time.monotonic() - begin)


made = []
for index in range(1, {n} + 1):
    if made and {delay_s}:
        wait()
    made = [steps.work(sys.argv[-1], index, *made)]
'''

SOME_AT_A_TIME = '''"""The fan-out of the double."""

import sys
from concurrent.futures import ThreadPoolExecutor

from core.pipelines import like_steps as steps

with ThreadPoolExecutor({threads}) as pool:
    made = pool.map(lambda index: steps.work(sys.argv[-1], index), steps.plan(sys.argv[-1]))
    steps.gather(sys.argv[-1], *made)
'''


@dataclass(frozen=True, slots=True)
class Double:
    """A double that is up, with its workload."""

    session: Session
    conductor: Conductor

    def inline(self, *faults: Fault) -> Journal:
        """The plain loop, which suffers the same."""
        conductor = replace(self.conductor, arm=Arm(engine="inline", mode="local"), oracle=Journal())
        run, config = conductor.prepare(self.session.scratch / "inline", faults=faults)
        return conductor.process(self.session.supervisor, inline_command(config), run).journal

    def runs(self, inline: Journal, *faults: Fault) -> list[Observation]:
        """Runs as the harness takes them, their times stored."""
        conductor = replace(self.conductor, oracle=inline)
        seen = [conductor.served(self.session, faults=faults) for _ in range(RUNS)]
        for one in seen:
            timing.store_times(conductor, one, inline.step_times())
        return seen

    def found(self, seen: list[Observation], metric: str) -> list[float]:
        """The stored values, one a run."""
        ids = [one.run.run_id for one in seen]
        samples = [s for s in load(self.conductor.store.folder, Sample) if s.metric == f"runtime.{metric}"]
        values = [float(s.value) for s in samples if s.run_id in ids and isinstance(s.value, float)]
        assert len(values) == RUNS  # each run was right, and timed
        return values

    def beyond_start(self, seen: list[Observation]) -> list[float]:
        """Overhead without the time to the first step."""
        pairs = zip(self.found(seen, "overhead_s"), self.found(seen, "submit_to_first_step_s"), strict=True)
        return [overhead - first for overhead, first in pairs]

    def waited_s(self, seen: list[Observation]) -> list[float]:
        """What the double says that it waited in each run."""
        logs = [self.session.endpoint.logs(one.run.engine_run_id, None) for one in seen]
        return [sum(float(line.split()[1]) for line in log.splitlines() if "waited" in line) for log in logs]


@pytest.fixture
def double(project: Path, bring_up: BringUp) -> Callable[[str, Workload], Double]:
    """Bring up a double that has this file as its pipeline."""

    def make(file: str, workload: Workload) -> Double:
        (project / "impl_double" / "binding" / "binding.py").write_text(file)
        session, conductor = bring_up()
        label = f"port{session.workspace.ports['api']}"
        return Double(session, replace(conductor, workload=workload, label=label))

    return make


def close(found_s: float, to_s: float, of_s: float) -> bool:
    return abs(found_s - to_s) <= TOLERANCE * of_s


def test_a_delay_between_steps_is_overhead_and_not_work(double: Callable[[str, Workload], Double]) -> None:
    plain = double(ONE_AFTER_ANOTHER.format(n=CHAIN.size, delay_s=0), CHAIN)
    inline = plain.inline()
    without = plain.runs(inline)
    slow = double(ONE_AFTER_ANOTHER.format(n=CHAIN.size, delay_s=DELAY_S), CHAIN)
    delayed = slow.runs(inline)

    put_in_s = median(slow.waited_s(delayed))
    assert put_in_s >= (CHAIN.size - 1) * DELAY_S
    assert plain.waited_s(without) == [0] * RUNS

    def rise(of: Callable[[Double, list[Observation]], list[float]]) -> float:
        return median(of(slow, delayed)) - median(of(plain, without))

    assert close(rise(Double.beyond_start), put_in_s, put_in_s)
    assert close(rise(lambda one, seen: one.found(seen, "transitions_total_s")), put_in_s, put_in_s)
    assert close(rise(lambda one, seen: one.found(seen, "work_s")), 0, put_in_s)
    each = slow.found(delayed, "transition_s")
    assert close(median(each), put_in_s / (CHAIN.size - 1), DELAY_S)


def test_a_delay_inside_a_step_is_work_and_not_overhead(double: Callable[[str, Workload], Double]) -> None:
    one = double(ONE_AFTER_ANOTHER.format(n=CHAIN.size, delay_s=0), CHAIN)
    fault = Fault("work_0003", "slow", attempts=0, seconds=SLOW_S)
    slow_inline = one.inline(fault)
    without, slowed = one.runs(one.inline()), one.runs(slow_inline, fault)

    def rise(metric: str) -> float:
        return median(one.found(slowed, metric)) - median(one.found(without, metric))

    assert close(rise("work_s"), SLOW_S, SLOW_S)
    assert close(rise("transitions_total_s"), 0, SLOW_S)
    assert close(median(one.beyond_start(slowed)), median(one.beyond_start(without)), SLOW_S)
    assert close(slow_inline.step_times()["work_0003"], SLOW_S, SLOW_S)
    assert close(median(one.found(slowed, "step_slowdown_ratio")), 1, 1)


def test_work_done_in_parallel_is_not_overhead_and_waiting_for_a_turn_is(
    double: Callable[[str, Workload], Double],
) -> None:
    faults = [Fault(f"work_{n:04d}", "slow", attempts=0, seconds=DELAY_S) for n in range(1, FAN_OUT.size + 1)]
    work_s = FAN_OUT.size * DELAY_S
    side_by_side = double(SOME_AT_A_TIME.format(threads=PARALLELISM), FAN_OUT)
    inline = side_by_side.inline(*faults)
    fast = side_by_side.runs(inline, *faults)
    assert close(median(side_by_side.found(fast, "work_s")), work_s, work_s)
    assert close(median(side_by_side.beyond_start(fast)), 0, work_s)

    in_turn = double(SOME_AT_A_TIME.format(threads=1), FAN_OUT)
    slow = in_turn.runs(inline, *faults)
    assert close(median(in_turn.found(slow, "work_s")), work_s, work_s)
    assert close(median(in_turn.beyond_start(slow)), work_s - work_s / PARALLELISM, work_s)


def test_the_parts_of_a_chain_are_its_whole(double: Callable[[str, Workload], Double]) -> None:
    one = double(ONE_AFTER_ANOTHER.format(n=CHAIN.size, delay_s=0), CHAIN)
    inline = one.inline()
    seen = one.runs(inline)
    parts = [one.found(seen, name) for name in ("submit_to_first_step_s", "work_s", "transitions_total_s")]
    makespan, overhead = one.found(seen, "makespan_s"), one.found(seen, "overhead_s")
    assert [sum(run) for run in zip(*parts, strict=True)] == pytest.approx(makespan)
    assert overhead == pytest.approx([run - sum(inline.step_times().values()) for run in makespan])

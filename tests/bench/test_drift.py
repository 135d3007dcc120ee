"""Order effects: found where they are put in, not where they are not."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

from bench.analyse.drift import order_effects
from bench.contract.records import Run, Sample
from bench.observe import host

ARMS = ("airflow", "dagster", "prefect", "prefect-again")
RESULTS = 2000 if os.environ.get("ORCHBENCH_FULL_SIMULATIONS") else 100
HOUR_NS = 3_600_000_000_000


def sample(engine: str, value: float | None, session: int, block: int, **more: Any) -> Sample:
    plain = {"pipeline": "training", "metric": "runtime.makespan_s", "unit": "s", "track": "tuned", "mode": "served"}
    return Sample(**{**plain, "engine": engine, "value": value, "session": session, "block": block, **more})


def result(blocks: int = 6, *, position: float = 0.0, per_session: float = 0.0, seed: int = 1) -> list[Sample]:
    """Arms of different speed in random order, with effects of a place in the block and of time, on the log scale."""
    random = np.random.default_rng(seed)
    samples = []
    for block in range(blocks):
        for place, arm in enumerate(random.permutation(len(ARMS))):
            session = block * len(ARMS) + place
            log_s = arm + position * place + per_session * session + random.normal(0, 0.03)
            samples.append(sample(ARMS[arm], float(np.exp(log_s)), session, block))
    return samples


def values(samples: list[Sample], runs: tuple[Run, ...] = ()) -> dict[str, Any]:
    return {record.metric.removeprefix("noise."): record.value for record in order_effects(samples, runs)}


def half_hourly(samples: list[Sample]) -> tuple[Run, ...]:
    return tuple(
        Run(
            engine=s.engine,
            pipeline=s.pipeline,
            run_id=str(s.session),
            session=s.session,
            submit_ns=1 + s.session * HOUR_NS // 2,
        )
        for s in samples
    )


def test_a_place_in_the_block_that_costs_time_is_found() -> None:
    found = values(result(position=0.05))
    assert found["position_p"] < 0.001
    assert values(result(position=-0.05))["position_p"] < 0.001


def test_a_drift_is_found_and_measured() -> None:
    samples = result(per_session=0.01)
    found = values(samples, half_hourly(samples))
    assert found["drift_p"] < 0.001
    assert found["drift_per_hour_ratio"] == pytest.approx(np.exp(0.02), rel=0.01)


def test_places_are_those_among_the_arms_of_a_track() -> None:
    """Those of a track stand together: that the slow track was drawn to be the last in most blocks is no effect."""
    random, samples, session = np.random.default_rng(3), [], 0
    for block in range(8):
        for track, slower in (("tuned", 0.0), ("stock", 0.3 * (block + 1))):
            for arm in random.permutation(3):
                session += 1
                value = float(np.exp(arm + slower + random.normal(0, 0.03)))
                samples.append(sample(ARMS[arm], value, session, block, track=track))
    assert values(samples)["position_p"] > 0.05


@pytest.mark.parametrize("name", ["position_p", "drift_p"])
def test_without_an_effect_small_p_are_as_rare_as_they_say(name: str) -> None:
    found = np.array([values(result(seed=seed))[name] for seed in range(RESULTS)])
    assert np.mean(found < 0.05) <= 0.05 + 2 * (0.05 * 0.95 / RESULTS) ** 0.5
    assert np.mean(found) == pytest.approx(0.5, abs=0.1)


def test_the_same_result_gives_the_same_p() -> None:
    assert order_effects(result()) == order_effects(result())


def test_fewer_than_three_blocks_tell_nothing() -> None:
    records = order_effects(result(2))
    assert {(r.value, r.note, r.n) for r in records} == {(None, "fewer than 3 blocks", 2)}


def test_only_plain_served_training_runs_count() -> None:
    other = [
        sample("inline", 9.0, 0, 0, mode="local"),
        sample("airflow", 9.0, 0, 0, warm_up=True),
        sample("airflow", None, 0, 0),
        sample("airflow", 9.0, 0, 0, pipeline="chain", params={"n": 5}),
        sample("airflow", 9.0, 0, 0, metric="runtime.completion_s"),
    ]
    assert order_effects(other) == []
    assert order_effects([*other, *result()]) == order_effects(result())


def test_a_session_counts_once_whatever_isolation_variants_it_holds() -> None:
    plain = result()
    shared = [sample("dagster-in-process", 99.0, s.session, s.block) for s in plain if s.engine == "dagster"]
    assert order_effects([*shared, *plain]) == order_effects(plain)


def test_no_rate_without_times_or_with_a_clock_that_began_anew() -> None:
    samples = result()
    assert values(samples)["drift_per_hour_ratio"] is None
    first, *others = half_hourly(samples)
    restarted = (
        *others,
        Run(engine="airflow", pipeline="training", run_id="x", session=first.session, submit_ns=HOUR_NS * 99),
    )
    assert values(samples, restarted)["drift_per_hour_ratio"] is None


def test_the_clock_is_fine_enough_for_what_is_measured() -> None:
    assert 0 < host.clock_resolution_s() < 0.001

"""How far values are apart, on samples whose truth is known; and which results may be compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_results import DATA, HOST, Made, sample, samples
from scipy.stats import ttest_ind

from bench.analyse.change import change, from_intervals, welch
from bench.analyse.comparability import incomparable, remarks
from bench.analyse.sides import Identity, letter, load, of_arms, of_results, of_tracks
from bench.contract.errors import UsageError
from bench.contract.records import Record
from reports.pages.pairs import pair
from reports.pages.wording import Names

MAKESPAN = Identity("airflow", "tuned", "served", "training", "{}", "runtime.makespan_s")
FINITE = st.floats(-100, 100).map(lambda value: round(value, 3))
SESSIONS = st.lists(FINITE, min_size=2, max_size=8).filter(lambda values: len(set(values)) > 1)


def sides(tmp_path: Path, *made: Made) -> Any:
    loaded = [load(one.write(tmp_path / f"result-{index}")) for index, one in enumerate(made)]
    return of_results(loaded)


def changed(tmp_path: Path, before: list[Any], after: list[Any], place: Identity = MAKESPAN) -> Any:
    one, other = sides(tmp_path, Made(before), Made(after))
    return change(one.values[place], other.values[place])


@given(SESSIONS, SESSIONS)
def test_welch_is_scipys(before: list[float], after: list[float]) -> None:
    expected = ttest_ind(after, before, equal_var=False).confidence_interval(0.95)
    difference, low, high = welch(before, after)
    assert difference == pytest.approx(np.mean(after) - np.mean(before), abs=1e-9)
    assert (low, high) == pytest.approx((expected.low, expected.high), rel=1e-6, abs=1e-6)


@given(SESSIONS, SESSIONS)
def test_the_other_way_round_is_the_mirror_image(before: list[float], after: list[float]) -> None:
    difference, low, high = welch(before, after)
    mirrored = welch(after, before)
    assert low is not None
    assert high is not None
    assert mirrored == pytest.approx((-difference, -high, -low))


def test_welch_covers_the_truth_in_95_percent() -> None:
    draw = np.random.default_rng(11)
    hits = 0
    for _ in range(2000):
        difference, low, high = welch(draw.normal(0, 1, 5).tolist(), draw.normal(0.3, 3, 6).tolist())
        assert low is not None
        assert high is not None
        assert low < difference < high
        hits += low <= 0.3 <= high
    assert 0.93 < hits / 2000 < 0.97


@pytest.mark.parametrize(("before", "after"), [([1.0], [2.0, 3.0]), ([1.0, 2.0], [3.0]), ([1.0, 1.0], [2.0, 2.0])])
def test_no_interval_from_one_value_or_without_spread(before: list[float], after: list[float]) -> None:
    assert welch(before, after)[1:] == (None, None)


def test_intervals_alone_combine_to_one_that_is_exact_for_symmetric_ones() -> None:
    assert from_intervals((1, 0.7, 1.3), (2, 1.6, 2.4)) == pytest.approx((1, 0.5, 1.5))
    _, low, high = from_intervals((1, 0.9, 1.1), (2, 1.9, 4))
    assert high - 1 > 1 - low


def test_times_are_compared_as_ratios_of_one_value_a_session(tmp_path: Path) -> None:
    before = [*samples([2.0, 2.2, 1.9]), sample(2.1, 1), sample(900, 1, warm_up=True)]
    found = changed(tmp_path, before, samples([4.0, 4.4, 3.8]))
    assert found.scale == "ratio"
    assert found.value == pytest.approx(2, rel=0.02)
    assert found.low < found.value < found.high
    assert found.beyond_chance


def test_versions_and_isolations_meet_in_one_place(tmp_path: Path) -> None:
    one, other = sides(
        tmp_path, Made(samples([2.0, 2.1])), Made(samples([1.0, 1.1], version="3.4.0", isolation="threads"))
    )
    assert one.values.keys() == other.values.keys() == {MAKESPAN}
    assert (one.values[MAKESPAN].version, other.values[MAKESPAN].version) == ("3.3.2", "3.4.0")
    assert other.values[MAKESPAN].isolation == "threads"


def test_a_zero_has_no_ratio_but_a_difference(tmp_path: Path) -> None:
    found = changed(tmp_path, samples([0.0, 0.0, 0.0]), samples([5.0, 5.1, 4.9]))
    assert (found.scale, found.beyond_chance) == ("difference", True)
    assert found.value == pytest.approx(5)


def test_one_session_has_no_interval(tmp_path: Path) -> None:
    found = changed(tmp_path, samples([2.0]), samples([9.0, 9.1]))
    assert (found.low, found.high, found.beyond_chance) == (None, None, False)
    assert found.value > 4


def test_texts_and_missing_values_have_no_change(tmp_path: Path) -> None:
    assert changed(tmp_path / "a", samples(["completed"]), samples(["lost"])) is None
    assert changed(tmp_path / "b", samples([1.0]), samples([None])) is None


def test_what_has_no_samples_is_compared_by_its_record(tmp_path: Path) -> None:
    def fit(value: float) -> Record:
        return Record(
            engine="airflow", track="tuned", mode="served", pipeline="chain", metric="scaling.marginal_s", unit="s",
            value=value, ci_low=value * 0.9, ci_high=value / 0.9, n=5,
        )  # fmt: skip

    place = MAKESPAN._replace(pipeline="chain", metric="scaling.marginal_s")
    one, other = sides(tmp_path, Made([], [fit(0.1)]), Made([], [fit(0.2)]))
    found = change(one.values[place], other.values[place])
    assert found is not None
    assert found.value == pytest.approx(2)
    assert found.low == pytest.approx(2 * 0.9**2**0.5)
    assert found.beyond_chance


@pytest.mark.parametrize(
    ("metric", "unit", "after", "word"),
    [
        ("setup.disk_bytes", "bytes", 1_000_400.0, "tie"),
        ("setup.disk_bytes", "bytes", 960_000.0, "tie"),
        ("setup.disk_bytes", "bytes", 1_060_000.0, "larger"),
        ("setup.disk_bytes", "bytes", 1_000_000.0, "same"),
        ("authoring.symbols", "count", 1_000_400.0, "larger"),
    ],
)
def test_exact_values_within_the_catalogues_tolerance_are_a_tie(
    tmp_path: Path, metric: str, unit: str, after: float, word: str
) -> None:
    made = (Made(samples([value, value], metric=metric, unit=unit)) for value in (1_000_000.0, after))
    one, other = sides(tmp_path, *made)
    found = pair(one, other, 1.0, names=Names.of())
    assert [row.verdict.word for row in found.rows] == [word]
    assert bool(found.regressions(0)) == (word == "larger")


def test_arms_and_tracks_of_one_result_are_paired_by_block(tmp_path: Path) -> None:
    slow_blocks = [10.0, 20.0, 40.0]
    old = samples([value * 1.3 for value in slow_blocks], engine="airflow@3.3.1", version="3.3.1")
    stock = samples([value * 2 for value in slow_blocks], track="stock")
    result = load(Made([*samples(slow_blocks), *old, *stock]).write(tmp_path / "one"))
    for makes, names, ratio in ((of_arms, ("airflow@3.3.1", "airflow"), 1 / 1.3), (of_tracks, ("stock", "tuned"), 0.5)):
        one, other = makes(result, names)
        shared = next(place for place in one.values if place in other.values and place.track != "stock")
        found = change(one.values[shared], other.values[shared], paired=True)
        assert found is not None
        assert found.paired
        assert found.value == pytest.approx(ratio)
        assert found.beyond_chance  # only because each block is compared with itself


def test_an_arm_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    result = load(Made(samples([1.0])).write(tmp_path / "one"))
    with pytest.raises(UsageError, match="one: has no arm 'dagster'; it has airflow"):
        of_arms(result, ("airflow", "dagster"))


def test_what_qualifies_a_result_is_not_compared(tmp_path: Path) -> None:
    (side,) = sides(tmp_path, Made([*samples([1.0, 2.0]), sample(1e-8, metric="noise.clock_resolution_s")]))
    assert side.values.keys() == {MAKESPAN}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"host": HOST | {"cpu_model": "Xeon"}}, "host cpu model: EPYC against Xeon"),
        ({"host": HOST | {"cores": 4}}, "host cores: 2 against 4"),
        ({"host": HOST | {"kernel": "6.19"}}, "host kernel: 6.18 against 6.19"),
        ({"core": "b" * 64}, "the steps' own source, by digest: aaaaaaaaaaaa against bbbbbbbbbbbb"),
        ({"host": HOST | {"memory_bytes": 8e9}}, "host memory: 25.28 GB against 8.00 GB"),
        ({"data": DATA | {"digest": "cd" * 32}}, "data digest: abababababab… against cdcdcdcdcdcd…"),
        ({"versions": {"inline": {"pandas": "3.2.0"}}}, "the steps' pandas: 3.1.1 against 3.2.0"),
    ],
)
def test_another_host_other_data_and_other_steps_are_not_comparable(changes: dict[str, Any], reason: str) -> None:
    one, other = Made([]).manifest(), Made([], changes=changes).manifest()
    assert incomparable(one, other) == [reason]
    assert incomparable(one, one) == []


def test_a_source_that_only_one_result_tells_of_forbids_nothing() -> None:
    known, unknown = Made([]).manifest(), Made([], changes={"core": ""}).manifest()
    assert incomparable(known, unknown) == incomparable(unknown, known) == []


def test_engines_versions_and_the_load_at_the_start_forbid_nothing() -> None:
    few_pages = HOST["memory_bytes"] - 4096 * 50  # type: ignore[operator]
    changes = {
        "host": HOST | {"load_1m_at_start": 9.0, "memory_bytes": few_pages},
        "versions": {"inline": {"pandas": "3.1.1"}, "airflow": {"apache-airflow": "3.4.0"}},
    }
    assert incomparable(Made([]).manifest(), Made([], changes=changes).manifest()) == []


def test_what_else_differs_is_remarked() -> None:
    def settings(value: str, port: str) -> list[dict[str, str]]:
        common = {"engine": "airflow", "track": "tuned", "reason": ""}
        return [
            {**common, "name": "IDLE_SLEEP", "value": value, "source": "https://example.org"},
            {**common, "name": "PORT", "value": port, "source": "required"},
            {**common, "name": "URL", "value": f"http://127.0.0.1:{port}", "source": "https://example.org"},
        ]

    one = Made([], changes={"settings": settings("0.1", "5000")}).manifest()
    other = Made([], changes={"settings": settings("1", "6000"), "budget": "quick", "state": "interrupted"}).manifest()
    assert remarks(one, other, ("A", "B")) == [
        "B is interrupted; it may hold less than was planned",
        "A had the standard budget, B the quick budget",
        "Whether harness, adapters, pipelines, locks and test data were the same was not recorded.",
        "setting IDLE_SLEEP of airflow, tuned: 0.1 against 1",
    ]


def test_a_folder_without_summary_says_how_to_make_it(tmp_path: Path) -> None:
    folder = Made(samples([1.0])).write(tmp_path / "one")
    (folder / "summary.json").unlink()
    with pytest.raises(UsageError, match="orchbench report"):
        load(folder)


def test_letters_go_on_after_z() -> None:
    assert [letter(index) for index in (0, 25, 26, 27)] == ["A", "Z", "AA", "BB"]

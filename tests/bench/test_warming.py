"""How many warm-ups an arm has: until its runs take no longer than its samples, by a rule, up to a limit."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.contract.records import Manifest
from bench.contract.words import Track
from bench.observe.reading import load_manifest
from bench.observe.store import Store
from bench.plan.budgets import BUDGETS
from bench.plan.cell import Planned
from bench.questions.ledger import Ledger
from bench.questions.warming import STEADY, enough

seconds = st.floats(0.1, 100)


@pytest.mark.parametrize(
    ("warm_ups", "samples", "number"),
    [
        ([12.8, 7.7, 7.5], [6.3, 6.7, 6.5, 6.4], 3),  # the last of them was still slow: the limit
        ([12.8, 7.7, 6.6], [6.3, 6.7, 6.5, 6.4], 2),
        ([5.5, 5.6, 9.0], [5.4, 5.2, 5.8], 1),  # one that is slow later is no trend
        ([5.5, None, 5.5], [5.4], 2),
        ([5.5], [5.4], 1),
        ([5.5, 5.5, 5.5], [], 3),
    ],
)
def test_as_many_as_came_before_the_first_warm_run(
    warm_ups: list[float | None], samples: list[float], number: int
) -> None:
    assert enough(warm_ups, samples) == number


@settings(deadline=None)
@given(st.lists(seconds, min_size=1, max_size=5), st.lists(seconds, min_size=1, max_size=7))
def test_at_least_the_first_and_at_most_the_limit(warm_ups: list[float], samples: list[float]) -> None:
    number = enough(warm_ups, samples)
    assert 1 <= number <= len(warm_ups)
    limit = STEADY * sorted(samples)[len(samples) // 2] if len(samples) % 2 else None
    if limit and number < len(warm_ups):
        assert warm_ups[number] <= limit
        assert all(slow > limit for slow in warm_ups[1:number])


def ledger(store: Store) -> Ledger:
    manifest = Manifest(
        created_utc="", budget="standard", budget_s=None, seed=7, arguments={}, data={}, host={}, versions={}
    )
    return Ledger(store, manifest, BUDGETS["standard"], {})


def arm(name: str, block: int, track: Track = Track.TUNED) -> Planned:
    return Planned(name, track, block, "training", samples=4)


def test_the_number_is_kept_in_the_manifest_for_the_arm_alone(store: Store) -> None:
    one = ledger(store)
    assert one.warm_ups(arm("one", 1)) == 0
    one.fix_warm_ups(arm("one", 1), 3)
    again = Ledger(store, load_manifest(store.folder), BUDGETS["standard"], {})
    assert [(row.engine, row.samples, row.warm_ups) for row in again.manifest.repeats] == [("one", 4, 3)]
    assert again.warm_ups(arm("one", 2)) == again.warm_ups(arm("one", 1)) == 3
    assert again.warm_ups(arm("other", 2)) == again.warm_ups(arm("one", 2, Track.STOCK)) == 0


def test_an_engine_that_is_measured_twice_has_as_many_both_times(store: Store) -> None:
    one = ledger(store)
    one.fix_warm_ups(arm("one", 1), 1)
    assert one.warm_ups(arm("one-again", 1)) == 0  # its first block is its own
    one.fix_warm_ups(arm("one-again", 1), 2)
    assert [one.warm_ups(arm(name, 2)) for name in ("one", "one-again")] == [2, 2]

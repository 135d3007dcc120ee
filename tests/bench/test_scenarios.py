"""What is conducted at once: every scenario once, and only what cannot get into each other's way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bench.contract.targets import Target
from bench.plan.scenarios import SCENARIOS, WAITING, batches
from bench.session.workspace import PARALLELISM

names = st.lists(st.sampled_from(list(SCENARIOS)), unique=True)


@given(names)
def test_each_scenario_is_in_one_batch(wanted: list[str]) -> None:
    found = list(batches(wanted))
    assert sorted(name for batch in found for name in batch) == sorted(wanted)
    assert [batch[0] for batch in found if len(batch) == 1] == [
        name for name in wanted if not any(name in group and len(set(group) & set(wanted)) > 1 for group in WAITING)
    ]


def test_batches_strike_nothing_that_their_runs_share() -> None:
    for group in WAITING:
        assert len(group) <= PARALLELISM
        together = [SCENARIOS[name] for name in group]
        assert not any(one.remedy for one in together)
        assert {one.nemesis.target for one in together if one.nemesis} <= {Target.STEP, Target.RUN}

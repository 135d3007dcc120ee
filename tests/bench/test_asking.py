"""What it costs to be asked: pairs of runs, one asked for and one left alone."""

from __future__ import annotations

from doubles import BringUp, misbehaving

from bench.contract.records import Run, Sample
from bench.observe.reading import load
from bench.questions.asking import RATIO, pairs


def test_each_pair_is_a_session_of_its_own(bring_up: BringUp) -> None:
    session, conductor = bring_up()
    pairs(conductor, session, 2)
    found = [s for s in load(conductor.store.folder, Sample) if s.metric == RATIO]
    assert [s.session for s in found] == [1, 2]
    assert all(isinstance(s.value, float) and s.value > 0 and "left alone" in s.note for s in found)
    assert len(load(conductor.store.folder, Run)) == 4


def test_a_pair_that_went_wrong_has_no_ratio(bring_up: BringUp) -> None:
    session, conductor = bring_up(misbehaving("does nothing"))
    pairs(conductor, session, 1)
    (found,) = [s for s in load(conductor.store.folder, Sample) if s.metric == RATIO]
    assert (found.value, found.note) == (None, "wrong: lost, lost")

"""How many steps every adapter lets run at once where each run has a limit of its own."""

from __future__ import annotations

import pytest
from judging import WIDE, Judge, objections, slow_steps

from bench.observe.journal import most_at_once
from bench.session.bring_up import Session


@pytest.mark.thorough
def test_a_limit_of_steps_at_once_holds_within_each_run_alone(judge: Judge, session: Session) -> None:
    assert session.workspace.at_once_over_all is None
    conductor = judge(WIDE)
    seen = conductor.at_once(session, 2, slow_steps(WIDE))
    assert not [said for one in seen for said in objections(one)]
    assert all(one.state and set(one.state.steps) == set(conductor.oracle.steps()) for one in seen)
    assert all(1 < most_at_once(one.journal) <= session.workspace.parallelism for one in seen)
    assert most_at_once(*(one.journal for one in seen)) > session.workspace.parallelism, (
        "runs are held by another limit"
    )

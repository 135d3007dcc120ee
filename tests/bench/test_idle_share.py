"""CPU for each task without what the engine uses all the time."""

from __future__ import annotations

import pytest

from bench.analyse.idle_share import CPU, IDLE, NET, SECONDS, net_cpu
from bench.contract.records import Sample


def sample(metric: str, value: float | None, run_id: str = "", **more: object) -> Sample:
    told = {"engine": "one", "version": "1", "track": "tuned", "mode": "served", "pipeline": "chain", "unit": "s"}
    return Sample(metric=metric, value=value, run_id=run_id, **{**told, **more})  # type: ignore[arg-type]


RUN = (sample(CPU, 0.5, "r1", session=3), sample(SECONDS, 2.0, "r1", session=3))


def test_the_idle_rate_is_taken_off_for_as_long_as_the_run_took() -> None:
    (found,) = net_cpu([*RUN, sample(IDLE, 5.0, session=1), sample(IDLE, 7.0, session=2)])
    assert (found.metric, found.n) == (NET, 1)
    assert found.value == pytest.approx(0.5 - 6.0 / 60 * 2.0)
    assert found.note == "less 6.0 s a minute, which it uses idle"


def test_there_is_none_where_either_was_not_measured() -> None:
    assert net_cpu(RUN) == []
    assert net_cpu([RUN[0], sample(IDLE, 6.0)]) == []
    assert net_cpu([*RUN, sample(IDLE, None)]) == []
    assert net_cpu([*RUN, sample(IDLE, 6.0, params={"role": "server"})]) == []
    assert net_cpu([*RUN, sample(IDLE, 6.0, track="stock")]) == []

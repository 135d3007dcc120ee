"""Chains and fan-outs: what their steps compute, hand on and notice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.declaration import Kind, pipeline
from core.instrument import journal
from core.instrument.config import RunConfig
from core.instrument.errors import ArtifactError, ConfigError
from core.pipelines import like_steps as steps
from core.pipelines.like_steps.fibonacci import fibonacci
from core.pipelines.like_steps.parcels import Parcel

Prepare = Callable[..., str]


@pytest.fixture
def prepare(make_config: Callable[..., RunConfig]) -> Prepare:
    """A function that writes the configuration of a fan-out's run with the given settings, and gives its path."""

    def made(run_id: str = "run", **settings: Any) -> str:
        return str(make_config("fan_out", run_id=run_id, **settings).path)

    return made


def run_chain(path: str, n: int) -> Parcel:
    parcel = steps.work(path, 1)
    for index in range(2, n + 1):
        parcel = steps.work(path, index, parcel)
    return parcel


def run_fan_out(path: str) -> Parcel:
    return steps.gather(path, *(steps.work(path, index) for index in steps.plan(path)))


def test_fibonacci() -> None:
    assert [fibonacci(n) for n in range(11)] == [0, 1, 1, 2, 3, 5, 8, 13, 21, 34, 55]


def test_steps_are_journalled_under_their_index(prepare: Prepare) -> None:
    path = prepare(n=3, payload_bytes=500)
    run_fan_out(path)
    records = journal.read(Path(path).parent)
    assert [r["step"] for r in records if r["event"] == "end"] == [
        "plan",
        "work_0001",
        "work_0002",
        "work_0003",
        "gather",
    ]
    assert all("payload" not in (r.get("result") or {}) for r in records)
    assert journal.ends(Path(path).parent) == 5


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 1000])
def test_payload_has_the_size_asked_for(prepare: Prepare, size: int) -> None:
    sent = steps.work(prepare("engine", payload_bytes=size), 1)
    left = steps.work(prepare("reference", payload_bytes=size, channel="reference"), 1)
    assert (len(sent["payload"]), sent["reference"]) == (size, None)
    assert left["reference"]
    assert (left["payload"], Path(left["reference"]["path"]).stat().st_size) == ("", size)
    assert sent["digest"] == left["digest"]


def test_every_link_of_a_chain_counts(prepare: Prepare) -> None:
    path = prepare(fib=5)
    whole = run_chain(path, 4)["digest"]
    assert run_chain(path, 4)["digest"] == whole
    assert run_chain(path, 3)["digest"] != whole
    assert steps.work(path, 4, steps.work(path, 3, steps.work(path, 2)))["digest"] != whole  # the first is skipped
    assert run_chain(prepare("other", fib=6), 4)["digest"] != whole


def test_gather_takes_parcels_in_any_order(prepare: Prepare) -> None:
    path = prepare(n=6, payload_bytes=10)
    parcels = [steps.work(path, index) for index in steps.plan(path)]
    expected = steps.gather(path, *parcels)
    Random(1).shuffle(parcels)
    assert steps.gather(path, *parcels) == expected


def test_gather_misses_a_lost_parcel(prepare: Prepare) -> None:
    path = prepare(n=2)
    with pytest.raises(ArtifactError, match="1 parcels instead of 2"):
        steps.gather(path, steps.work(path, 1))


def test_changed_payload_is_noticed(prepare: Prepare) -> None:
    path = prepare(payload_bytes=10)
    parcel = steps.work(path, 1)
    parcel["payload"] = parcel["payload"].upper()
    with pytest.raises(ArtifactError, match="content changed on its way"):
        steps.work(path, 2, parcel)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n": 0}, "Expected `int` >= 1 - at `\\$.n`"),
        ({"fib": -1}, "Expected `int` >= 0 - at `\\$.fib`"),
        ({"payload_bytes": "large"}, "Expected `int`, got `str` - at `\\$.payload_bytes`"),
        ({"channel": "pigeon"}, "Invalid enum value 'pigeon' - at `\\$.channel`"),
        ({"length": 3}, "unknown field `length`"),
    ],
)
def test_a_wrong_setting_is_named_by_the_step_that_reads_it(
    prepare: Prepare, settings: dict[str, Any], message: str
) -> None:
    path = prepare(**settings)
    with pytest.raises(ConfigError, match=message):
        steps.plan(path)
    assert [r["event"] for r in journal.read(Path(path).parent)] == ["start", "error"]


@given(st.integers(1, 300))
def test_a_chain_is_as_long_as_it_is_asked_to_be(n: int) -> None:
    chain = pipeline("chain")
    graph = chain.graph({"n": n})
    assert chain.offered({"n": n}) == f"chain_{n}"
    assert [(step.name, step.item) for step in graph] == [(f"work_{k:04d}", k) for k in range(1, n + 1)]
    assert [step.upstream for step in graph] == [(), *((step.name,) for step in graph.steps[:-1])]
    assert {step.function for step in graph} == {"work"}


@given(st.integers(0, 300))
def test_a_run_of_a_fan_out_has_as_many_steps_as_were_met(n: int) -> None:
    graph = pipeline("fan_out").graph({})
    many = tuple(graph.step("work").instance(index).name for index in range(1, n + 1))
    unrolled = graph.unrolled(["plan", *many, "gather"])
    assert [step.name for step in unrolled] == ["plan", *many, "gather"]
    assert all((unrolled.step(name).upstream, unrolled.step(name).kind) == (("plan",), Kind.STEP) for name in many)
    assert unrolled.step("gather").upstream == (many or ("plan",))

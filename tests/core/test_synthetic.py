"""Chains and fan-outs: what their steps compute, hand on and notice."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from core.fibonacci import fibonacci
from core.graphs import TRAINING, chain, chains, fan_out, named
from core.parcels import Parcel
from hypothesis import given
from hypothesis import strategies as st

from core import steps
from core.instrument import journal
from core.instrument.config import RunConfig, Synthetic
from core.instrument.errors import ArtifactError

Prepare = Callable[..., str]


@pytest.fixture
def prepare(config: RunConfig, tmp_path: Path) -> Prepare:
    """A function that writes a run's configuration with the given synthetic work, and gives its path."""

    def made(name: str = "run", **synthetic: Any) -> str:
        chosen = dataclasses.replace(config, run_dir=tmp_path / name, synthetic=Synthetic(**synthetic))
        return str(chosen.save())

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
    assert [r["step"] for r in records if r["event"] == "end"] == [s.name for s in fan_out(3).steps]
    assert all("payload" not in (r.get("result") or {}) for r in records)
    assert journal.ends(Path(path).parent) == 5


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 1000])
def test_payload_has_the_size_asked_for(prepare: Prepare, size: int) -> None:
    sent = steps.work(prepare("engine", payload_bytes=size), 1)
    left = steps.work(prepare("reference", payload_bytes=size, by_reference=True), 1)
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


@given(st.integers(1, 300))
def test_pipelines_name_their_steps_in_order(n: int) -> None:
    for pipeline in (chain(n), fan_out(n)):
        names = [step.name for step in pipeline.steps]
        assert len(names) == len(set(names))
        for number, step in enumerate(pipeline.steps):
            assert set(step.upstream) <= set(names[:number])
            assert step.function in steps.__all__
    assert len(chain(n).steps) == n
    assert fan_out(n).steps[-1].upstream == tuple(step.name for step in chain(n).steps)


def test_pipelines_are_found_by_name() -> None:
    assert named("training") is TRAINING
    assert named("chain_7") == chain(7)
    assert named("fan_out", 3) == fan_out(3)
    for unknown in ("chain", "chain_x", "other"):
        with pytest.raises(KeyError, match="no pipeline"):
            named(unknown)


def test_chains_to_deploy_are_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORCHBENCH_CHAINS", "2,30")
    assert chains() == (chain(2), chain(30))

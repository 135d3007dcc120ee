"""Other storages for what steps hand on: declared by an adapter, planned as arms of their own, told in the result."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest
from doubles import Double

from bench.campaign import Campaign
from bench.cli import preparing
from bench.contract import registry
from bench.contract.engine import Database
from bench.contract.records import Manifest, Run, Sample
from bench.contract.settings import HOME, Setting, Storage
from bench.contract.words import Track
from bench.observe.reading import load
from bench.observe.store import Store
from bench.plan.arms import arms
from bench.plan.budgets import BUDGETS, Budget
from bench.plan.cell import Cell
from bench.plan.costs import Clock
from bench.plan.planner import plan
from bench.plan.workloads import Workload
from bench.questions import baseline, payload
from bench.questions.discovery import questions
from bench.questions.ledger import Ledger
from bench.run.source import Source
from bench.session.workspace import make_workspace

SHELF = Storage(
    "top-shelf", "what a step returns lies on a shelf", (Setting("shelf", f"file://{HOME}/shelf", "https://x.org", ""),)
)
STORED = "double-top-shelf"


def queue(
    budget: Budget, names: Sequence[str], only: Sequence[str], tracks: Sequence[Track] = tuple(Track)
) -> list[Cell]:
    wanted = arms(budget, names, tracks, ("training",), names[0])
    return plan(budget, questions(), wanted, only, seed=7, storages={"double": (SHELF,)})


@pytest.mark.parametrize("name", ["standard", "full"])
def test_a_storage_is_an_arm_that_is_asked_for_what_depends_on_it_alone(name: str) -> None:
    cells = queue(BUDGETS[name], ["double", "other", "double@1.2"], ["payload"])
    own = [one for one in cells if one.planned.storage]
    arms_met = {(one.planned.name, one.planned.environment, one.planned.engine, one.planned.track) for one in own}
    assert arms_met == {
        (STORED, "double", "double", Track.TUNED),
        ("double@1.2-top-shelf", "double@1.2", "double", Track.TUNED),
    }
    assert {one.question.key for one in own if not one.question.base} == {"payload"}
    usual = {one.planned.block for one in cells if one.planned.name == "double" and one.question.key == "payload"}
    assert {one.planned.block for one in own} == usual
    assert all(one.planned.topic and not one.planned.samples and not one.planned.variants for one in own)


def test_no_other_question_and_no_first_look_has_a_session_for_it() -> None:
    assert not any(one.planned.storage for one in queue(BUDGETS["standard"], ["double"], []))
    assert not any(one.planned.storage for one in queue(BUDGETS["full"], ["double"], ["scaling", "setup"]))
    assert not any(one.planned.storage for one in queue(BUDGETS["quick"], ["double"], ["payload"]))


def test_its_settings_lie_in_the_engines_own_folder(project: Path, tmp_path: Path) -> None:
    class Shelved(Double):
        storages = (SHELF,)

    for number, (asked, told) in enumerate([("", []), ("top-shelf", [f"file://{tmp_path}/1/home/shelf"])]):
        (scratch := tmp_path / str(number)).mkdir()
        made = make_workspace(Shelved, Track.TUNED, scratch, tmp_path, storage=asked)
        assert [one.value for one in made.storage] == told


@pytest.mark.parametrize("name", [one.name for one in registry.in_order() if one.storages])
def test_every_adapter_that_declares_one_sets_it_where_it_is_asked_for(name: str, tmp_path: Path) -> None:
    kind = registry.adapter(name)
    for storage in kind.storages:
        (scratch := tmp_path / storage.name).mkdir()
        usual = make_workspace(kind, Track.TUNED, scratch, tmp_path)
        space = dataclasses.replace(usual, storage=storage.within(usual.home))
        with httpx.Client() as http:
            names = [{one.name for one in kind(where, http).settings()} for where in (usual, space)]
            assert set(space.storage) <= set(kind(space, http).settings())
        assert names[1] - names[0] == {one.name for one in storage.settings}
        assert all(one.source.startswith("https://") and one.reason for one in storage.settings)
        assert not any(HOME in one.value for one in space.storage)


def test_from_the_plan_to_samples_of_two_arms(
    project: Path, store: Store, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(project)
    monkeypatch.setattr(Double, "storages", (SHELF,))
    monkeypatch.setattr(Double, "databases", dict.fromkeys(Track, Database.NONE))
    workload = Workload.make("chain", n=2, payload_bytes=1000, channel="engine")
    monkeypatch.setattr(payload.payload, "WORKLOADS", (workload,))
    monkeypatch.setattr(baseline, "RUNS", 1)
    budget = dataclasses.replace(BUDGETS["full"], blocks=1, most_blocks=1, again=False)
    manifest = Manifest(
        created_utc="", budget="full", budget_s=None, seed=7, arguments={}, data={}, host={}, versions={}
    )
    ledger = Ledger(store, manifest, budget, {"training": source})
    Campaign(ledger, queue(budget, ["double"], ["payload"], [Track.TUNED]), Clock(None), lambda *_: None).run()
    assert [(cell.name, cell.reason) for cell in manifest.cells if cell.state != "done"] == []
    kept = [one.engine for one in load(store.folder, Sample) if one.metric == "payload.kept_bytes"]
    assert sorted(kept) == ["double", STORED]
    assert all(one.outcome == "completed" for one in load(store.folder, Run))
    (shelf,) = (row for row in manifest.settings if row["name"] == "shelf")
    assert (shelf["engine"], shelf["track"]) == ("double", "tuned")
    assert str(store.folder) not in shelf["value"]


def test_the_manifest_tells_of_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(project)
    monkeypatch.setattr(Double, "storages", (SHELF,))
    row = {"name": STORED, "engine": "double", "kind": "storage", "text": SHELF.text}
    told = [preparing._variants(BUDGETS[name], ["double"], "") for name in ("full", "quick")]
    assert told == [[row], []]

"""The order of a campaign and the number of its runs, with sessions in which nothing real is started."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest

from bench.campaign import LATE, Campaign
from bench.contract import registry
from bench.contract.records import Manifest, Sample
from bench.contract.words import Track
from bench.observe.journal import Journal
from bench.observe.reading import load, load_manifest
from bench.observe.store import Store
from bench.plan.arms import INLINE
from bench.plan.budgets import BUDGETS, Often
from bench.plan.cell import Cell, Planned
from bench.plan.costs import Clock
from bench.plan.workloads import Workload
from bench.questions import runtime, setup
from bench.questions.bound import Bound
from bench.questions.discovery import questions
from bench.questions.ledger import Ledger

BUDGET = replace(BUDGETS["standard"], blocks=2, most_blocks=3, variants=False)
QUESTIONS = {one.key: one for one in questions()}
TIMED = ("first", "samples")

MakeCampaign = Callable[..., Campaign]


def ledger(store: Store) -> Ledger:
    if not (store.folder / "manifest.json").exists():
        blank = Manifest(
            created_utc="", budget="standard", budget_s=None, seed=7, arguments={}, data={}, host={}, versions={}
        )
        store.save_manifest(blank)
    return Ledger(store, load_manifest(store.folder), BUDGET, {}, {Workload("training"): Journal()})


def session(name: str, block: int, *own: str, topic: str = "") -> list[Cell]:
    """The cells of one session; nothing happens in them."""
    planned = Planned(name, Track.TUNED, block, "training", topic=topic)
    asked = [replace(QUESTIONS[key], measure=lambda *_: None, again=lambda _: None) for key in own]
    return [Cell(planned, question, 10.0) for question in asked]


@pytest.fixture
def make_campaign(store: Store, monkeypatch: pytest.MonkeyPatch) -> MakeCampaign:
    """A campaign of which every session is opened at once; `left_s` seconds are always left."""

    @contextmanager
    def opened(ledger: Ledger, planned: Planned, _: int) -> Iterator[Bound]:
        yield Bound(ledger, planned, None, None, None)  # type: ignore[arg-type]

    monkeypatch.setattr("bench.campaign.opened", opened)
    monkeypatch.setattr(registry, "code_for", lambda *_: "by hand")

    def make(*sessions: list[Cell], left_s: float) -> Campaign:
        campaign = Campaign(ledger(store), [one for own in sessions for one in own], Clock(None), lambda *_: None)
        monkeypatch.setattr(campaign.clock, "left_s", lambda: left_s)
        return campaign

    return make


def states(store: Store) -> dict[str, str]:
    return {one.name.removeprefix("block "): one.state for one in load_manifest(store.folder).cells}


def test_what_takes_long_has_the_time_that_the_blocks_leave(make_campaign: MakeCampaign, store: Store) -> None:
    """A block that no longer fits is left out; a session for which there is no time is not even brought up."""
    timed = [session(INLINE, 1, "inline"), session("one", 1, *TIMED), session(INLINE, 2, "inline")]
    slow = session("slow", 2, *TIMED)
    short, long = (session(name, 2, "first", "debugging", topic="deep") for name in ("one", "other"))
    slow[1], long[1] = (replace(one, cost_s=1000.0) for one in (slow[1], long[1]))
    campaign = make_campaign(*timed, slow, short, long, left_s=900.0)
    campaign.run()
    assert states(store) == {
        "1: inline: inline": "done",
        **{f"1: one tuned: {part}": "done" for part in TIMED},
        "2: inline: inline": "left_out",
        **{f"2: slow tuned: {part}": "left_out" for part in TIMED},
        **{f"2: one tuned, deep: {part}": "done" for part in ("first", "debugging")},
        **{f"2: other tuned, deep: {part}": "left_out" for part in ("first", "debugging")},
    }
    assert campaign.ledger.manifest.order == ["block 1: inline tuned", "block 1: one tuned", "block 2: one tuned"]
    late = {one.reason for one in campaign.ledger.manifest.cells if one.session == "deep" and one.state != "done"}
    assert late == {LATE}


def test_further_blocks_come_after_what_takes_long(make_campaign: MakeCampaign, store: Store) -> None:
    blocks = [session("one", n, *TIMED) for n in (1, 2)]
    campaign = make_campaign(
        *blocks, session("one", 2, "first", "debugging", topic="deep"), session("one", 3, *TIMED), left_s=1e6
    )
    campaign.run()
    assert [f"{one.block}{one.session}" for one in campaign.ledger.manifest.cells] == [
        "1", "1", "2", "2", "2deep", "2deep", "3", "3",
    ]  # fmt: skip
    assert set(states(store).values()) == {"done"}
    assert campaign.ledger.manifest.state == "complete"


def test_what_needs_no_server_has_none_brought_up(make_campaign: MakeCampaign) -> None:
    campaign = make_campaign(session("one", 1, *TIMED), session("one", 1, "local", topic="local"), left_s=1e6)
    campaign.run()
    assert [f"{one.session}{one.question}" for one in campaign.ledger.manifest.cells] == [
        "first", "samples", "locallocal",
    ]  # fmt: skip


def test_the_machine_is_timed_beside_every_session(make_campaign: MakeCampaign, store: Store) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    failing = session("one", 1, "first")
    failing[0] = replace(failing[0], question=replace(failing[0].question, measure=fail))
    make_campaign(session(INLINE, 1, "inline"), failing, session("other", 1, *TIMED), left_s=1e6).run()
    found = [s for s in load(store.folder, Sample) if s.metric == "host.calibration_s"]
    assert [(s.session, s.engine, s.mode) for s in found] == [(number, INLINE, "none") for number in (1, 2, 3)]
    assert all(isinstance(s.value, float) and 0 < s.value < 0.1 for s in found)


@dataclass
class Runs:
    """In the place of a conductor: gives the makespans of a session one after another, and notes what it was asked."""

    makespans: list[float]
    label: str = "s1"
    warm_ups: list[bool] = field(default_factory=list)
    told: dict[str, Any] = field(default_factory=dict)

    def served(self, _: object, *, warm_up: bool = False) -> SimpleNamespace:
        self.warm_ups.append(warm_up)
        return SimpleNamespace(makespan_s=self.makespans.pop(0), right=True)

    def sample(self, _: object, metric: str, unit: str, value: float) -> None:
        self.told[metric] = (unit, value)


def conducted(one: Ledger, block: int, makespans: list[float], monkeypatch: pytest.MonkeyPatch) -> Runs:
    """The first run and the samples of a session."""
    monkeypatch.setattr(runtime, "store_times", lambda *_: None)
    monkeypatch.setattr(setup, "bring_up", lambda *_: None)
    monkeypatch.setattr(setup, "import_time", lambda *_: None)
    monkeypatch.setattr(setup, "replace", lambda *_, **__: None)
    monkeypatch.setattr(Bound, "anywhere", None)
    planned, runs = Planned("one", Track.TUNED, block, "training", samples=4), Runs(makespans)
    up = SimpleNamespace(bring_up=lambda: None, adapter=SimpleNamespace(variants=()))
    bound = Bound(one, planned, runs, None, None, up)  # type: ignore[arg-type]
    setup.measure_first(bound, None)  # type: ignore[arg-type]
    runtime.measure(bound, None)  # type: ignore[arg-type]
    assert runs.makespans == [], "as many runs as were foreseen"
    return runs


def test_warm_ups_are_fixed_in_the_first_block_and_kept_when_resumed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = conducted(ledger(store), 1, [12.8, 7.7, 6.6, 6.3, 6.7, 6.5, 6.4], monkeypatch)
    assert first.warm_ups == [True] * 3 + [False] * 4, "the limit, as it is not known yet how many do"
    assert first.told["runtime.warm_ups"] == ("count", 3.0)
    (row,) = load_manifest(store.folder).repeats
    assert (row.engine, row.track, row.samples, row.warm_ups) == ("one", "tuned", 4, 2)
    later = conducted(ledger(store), 2, [12.8, 7.7, 6.3, 6.7, 6.5, 6.4], monkeypatch)
    assert later.warm_ups == [True] * 2 + [False] * 4
    assert later.told["runtime.warm_ups"] == ("count", 2.0)


def test_a_quick_look_has_one_of_each(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    one = replace(ledger(store), budget=replace(BUDGETS["quick"], often=dict.fromkeys(Track, Often())))
    runs = conducted(one, 1, [12.8, 7.7, 7.6, 7.5, 7.4], monkeypatch)
    assert runs.warm_ups == [True, False, False, False, False]

"""The main campaign on doubles: what fails does not take the others with it, and what was measured stays."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from math import inf
from pathlib import Path

import httpx
import pytest
from doubles import add_engine
from hypothesis import given
from hypothesis import strategies as st

from bench.campaign import MAX_FAILURES, Campaign
from bench.contract.endpoint import ApiError
from bench.contract.errors import EngineError
from bench.contract.records import Manifest, Run, Sample
from bench.contract.words import Track
from bench.observe.journal import Journal
from bench.observe.reading import load, load_manifest
from bench.observe.store import Store
from bench.plan.arms import INLINE
from bench.plan.budgets import BUDGETS
from bench.plan.cell import Cell, Planned
from bench.plan.costs import Clock
from bench.plan.priced import Ask
from bench.plan.scenarios import of_budget
from bench.plan.workloads import Workload
from bench.questions import baseline
from bench.questions.bound import Bound
from bench.questions.discovery import questions
from bench.questions.ledger import Ledger
from bench.questions.recovery.left_behind import SessionLostError
from bench.run.source import Source
from core.pipelines.training.generator import TARGET
from core.pipelines.training.source import prepared

SERVED = ("first", "samples")
BASIC = of_budget("quick")
QUESTIONS = {one.key: one for one in questions()}
BUDGET = replace(BUDGETS["quick"], blocks=2, most_blocks=2)

MakeCampaign = Callable[..., Campaign]


def session_of(name: str, block: int = 1, own: tuple[str, ...] = SERVED) -> list[Cell]:
    """The cells of one session."""
    loop = name == INLINE
    needed = (Workload("training"),) if loop else ()
    planned = Planned(name, Track.TUNED if loop else Track.STOCK, block, "training", needed)
    ask = Ask(BUDGET, planned.track, block, 7, {}, "training")
    found = []
    for question in (QUESTIONS[key] for key in (("inline",) if loop else own)):
        topics = question.cells(ask) if question.cells else [((), question.cost_s[planned.track], None)]
        found += [Cell(planned, question, cost_s, names, subject) for names, cost_s, subject in topics]
    return found


@pytest.fixture
def make_campaign(project: Path, store: Store, source: Source, monkeypatch: pytest.MonkeyPatch) -> MakeCampaign:
    """A campaign over the store; the engines are doubles named after what they do."""
    monkeypatch.setattr(baseline, "RUNS", 2)
    monkeypatch.syspath_prepend(project)
    if not (store.folder / "manifest.json").exists():
        blank = Manifest(
            created_utc="", budget="quick", budget_s=None, seed=7, arguments={}, data={}, host={}, versions={}
        )
        store.save_manifest(blank)

    def make(*sessions: list[Cell], limit_s: float | None = None, say: Callable[..., None] | None = None) -> Campaign:
        queue = [one for session in sessions for one in session]
        for one in (cell.planned for cell in queue):
            if not one.loop and not (project / f"impl_{one.engine}").exists():
                add_engine(project, one.engine, one.engine.replace("_", " "))
        ledger = Ledger(store, load_manifest(store.folder), BUDGET, {"training": source})
        return Campaign(ledger, queue, Clock(limit_s), say or (lambda *_: None))

    return make


def states(store: Store) -> dict[str, str]:
    cells = load_manifest(store.folder).cells
    assert len({cell.name for cell in cells}) == len(cells)
    return {cell.name.removeprefix("block "): cell.state for cell in cells}


def timed(store: Store, engine: str) -> list[Sample]:
    samples = load(store.folder, Sample)
    return [s for s in samples if s.engine == engine and s.metric == "runtime.makespan_s" and s.value is not None]


def test_failing_engines_become_rows_and_the_others_go_on(make_campaign: MakeCampaign, store: Store) -> None:
    names = ("does_not_start", "refuses_runs", "behaves")
    campaign = make_campaign(*(session_of(name) for name in (INLINE, *names)))
    campaign.run()
    found = load_manifest(store.folder)
    assert found.state == "partial"
    assert found.finished_utc
    assert {(f.engine, f.phase) for f in found.failures} == {("does_not_start", "first"), ("refuses_runs", "first")}
    refused = next(f for f in found.failures if f.engine == "refuses_runs")
    assert "HTTPStatusError: Server error '500" in refused.message
    assert "raise_for_status" in refused.log_tail
    silent = next(f for f in found.failures if f.engine == "does_not_start")
    assert silent.log_tail == "the double does not like this machine"
    assert states(store) == {
        "1: inline: inline": "done",
        **{f"1: {name} stock: {part}": "failed" for name in names[:2] for part in SERVED},
        "1: behaves stock: first": "done",
        "1: behaves stock: samples": "done",
    }
    for name in names[:2]:
        rows = [s for s in load(store.folder, Sample) if s.engine == name]
        assert [s.metric for s in rows] == ["setup.total_s", "runtime.makespan_s"]
        assert all(s.value is None and s.note.startswith("failed: ") for s in rows)
    assert len(timed(store, "behaves")) == 1
    assert len(timed(store, INLINE)) == 1  # the first of the two is the oracle
    assert {one["engine"] for one in found.settings} == set(names)
    told = {one["ability"]: (one["offered"], one["text"]) for one in found.abilities if one["engine"] == "behaves"}
    assert told["step_timeout"] == ("no", "a double has none")
    assert told["retry_lost_step"] == ("yes", "runs the whole file again")
    assert told["resume"] == ("yes", "over the API")


def test_the_report_is_written_after_each_block_and_says_what_is_to_come(
    make_campaign: MakeCampaign, store: Store
) -> None:
    campaign, told = make_campaign(session_of(INLINE), session_of("behaves"), session_of("behaves", 2)), []

    def sharpen(what: str) -> None:
        told.append((what, load_manifest(store.folder).coming, len(timed(store, "behaves"))))

    campaign.sharpen = sharpen
    campaign.run()
    assert told == [("block 1 of 2", ["block 2 of 2"], 1), ("block 2 of 2", [], 2)]


def test_what_was_measured_before_a_resumption_is_not_written_anew(
    make_campaign: MakeCampaign, store: Store, oracle: Journal
) -> None:
    blocks = [session_of("behaves"), session_of("behaves", 2), session_of("behaves", 3)]
    campaign, told = make_campaign(*blocks), []
    for one in blocks[0]:
        campaign.ledger.note(one, "done", 1.0)
    campaign.ledger.oracles = {Workload("training"): oracle}
    campaign.sharpen = lambda what: told.append((what, load_manifest(store.folder).coming))
    campaign.run()
    assert told == [("block 2 of 2", []), ("block 3", [])], "the third was beyond those that were planned"


def test_a_plan_of_fewer_blocks_than_the_budget_has_is_told_as_it_is(make_campaign: MakeCampaign, store: Store) -> None:
    campaign, told = make_campaign(session_of(INLINE), session_of("behaves")), []
    campaign.sharpen = told.append
    campaign.run()
    assert told == ["block 1 of 1"]


def test_in_a_long_block_it_is_written_between_sessions_and_never_between_timed_runs(
    make_campaign: MakeCampaign, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.campaign.SHARPEN_EVERY_S", 0.0)
    said: list[str] = []
    campaign = make_campaign(session_of(INLINE), session_of("behaves"), say=lambda what, _: said.append(what))
    campaign.sharpen = lambda what: said.append(f"report: {what}")
    campaign.run()
    assert said == [
        "block 1: inline: inline", "report: block 1: inline", "block 1: behaves stock: first",
        "block 1: behaves stock: samples", "report: block 1: behaves stock", "report: block 1 of 1",
    ]  # fmt: skip


def test_what_is_to_come_stands_in_a_result_that_was_stopped(make_campaign: MakeCampaign, store: Store) -> None:
    def say(what: str, _: float) -> None:
        if what.startswith("block 2"):
            raise KeyboardInterrupt

    campaign = make_campaign(session_of(INLINE), session_of("behaves"), session_of("behaves", 2), say=say)
    with pytest.raises(KeyboardInterrupt):
        campaign.run()
    campaign.finish("interrupted")
    assert load_manifest(store.folder).coming == ["block 2 of 2"]


def test_engine_that_fails_again_and_again_is_given_up(
    make_campaign: MakeCampaign, store: Store, oracle: Journal
) -> None:
    blocks = [session_of("does_not_start", n) for n in range(1, MAX_FAILURES + 2)]
    campaign = make_campaign(*blocks)
    campaign.ledger.oracles = {Workload("training"): oracle}
    campaign.run()
    found = load_manifest(store.folder)
    assert len(found.failures) == len(found.order) == MAX_FAILURES
    assert states(store)[f"{MAX_FAILURES + 1}: does_not_start stock: first"] == "failed"
    assert "not tried again" in found.cells[-1].reason


def test_reference_that_fails_ends_the_job_with_its_cause(
    make_campaign: MakeCampaign, store: Store, source: Source, tmp_path: Path
) -> None:
    short = tmp_path / "short.csv"
    short.write_text("".join(source.data.files[0].open().readlines()[:20]))
    campaign = make_campaign(session_of(INLINE), session_of("behaves"))
    few = replace(source, data=prepared(short, TARGET, 7))
    campaign.ledger.sources = {"training": few}
    campaign.run()
    found = load_manifest(store.folder)
    assert [(f.engine, f.phase) for f in found.failures] == [(INLINE, "inline")]
    assert "rule min_rows" in found.failures[0].message
    assert set(states(store).values()) == {"failed"}
    assert found.order == ["block 1: inline tuned"]  # nothing that could not be judged was run
    assert timed(store, "behaves") == []


def test_interrupted_job_keeps_its_samples_and_is_finished_later(make_campaign: MakeCampaign, store: Store) -> None:
    block = [session_of(name) for name in (INLINE, "interrupts_once")]
    campaign = make_campaign(*block)
    with pytest.raises(KeyboardInterrupt):
        campaign.run()
    campaign.finish("interrupted")
    before = load(store.folder, Sample)
    assert {s.metric for s in before if s.engine == "interrupts_once"} >= {"setup.first_run_s", "setup.import_s"}
    assert load_manifest(store.folder).state == "interrupted"
    assert states(store) == {
        "1: inline: inline": "done",
        "1: interrupts_once stock: first": "done",
        "1: interrupts_once stock: samples": "interrupted",
    }
    with (store.folder / "samples.jsonl").open("ab") as stream:
        stream.write(b'{"engine":')  # as a kill may leave it

    told: list[str] = []
    again = make_campaign(*block, say=lambda what, _: told.append(what))
    again.run()
    assert load(store.folder, Sample)[: len(before)] == before
    assert load_manifest(store.folder).state == "complete"
    assert block[0][0].title not in told
    assert {cell.name for cell in again.ledger.manifest.cells} == {one.title for session in block for one in session}
    assert {cell.state for cell in again.ledger.manifest.cells} == {"done"}
    ids = [run.run_id for run in load(store.folder, Run)]
    assert len(ids) == len(set(ids))
    assert {run.outcome for run in load(store.folder, Run)} == {"completed"}
    assert len(timed(store, "interrupts_once")) == 1
    assert (
        again.ledger.inline_s(Workload("training")).keys()
        == campaign.ledger.inline_s(Workload("training")).keys()
        == set(again.ledger.oracles[Workload("training")].steps())
    )
    assert (
        len(again.ledger.inline_runs[Workload("training")])
        == len(campaign.ledger.inline_runs[Workload("training")])
        == 1
    )


def test_engine_that_fails_only_after_resuming(make_campaign: MakeCampaign, store: Store, oracle: Journal) -> None:
    session = session_of("does_not_start")
    campaign = make_campaign(session)
    campaign.ledger.note(session[0], "done", 1.0)
    campaign.ledger.oracles = {Workload("training"): oracle}
    campaign.run()
    assert states(store) == {"1: does_not_start stock: first": "done", "1: does_not_start stock: samples": "failed"}
    assert load_manifest(store.folder).failures[0].phase == "first"


def test_what_does_not_fit_is_left_out(make_campaign: MakeCampaign, store: Store) -> None:
    whole = ("first", "samples", "recovery", "debugging", "local")
    blocks = [session for n in (1, 2) for session in (session_of(INLINE, n), session_of("behaves", n, whole))]
    make_campaign(*blocks, limit_s=0.0).run()
    found = {cell.name: cell for cell in load_manifest(store.folder).cells}
    later = [cell for name, cell in found.items() if name.startswith("block 2")]
    assert len(later) == 1 + 4  # this budget holds its scenarios in the first block only
    assert {(cell.state, cell.reason) for cell in later} == {("left_out", "no time left for another whole block")}
    for question in ("samples", "debugging", "local", *(f"recovery: {name}" for name in BASIC)):
        cell = found[f"block 1: behaves stock: {question}"]
        assert (cell.state, cell.reason) == ("left_out", "no time left in this budget")
    assert load_manifest(store.folder).state == "partial"


def test_what_did_not_fit_in_its_share_is_measured_in_the_time_that_others_left(
    make_campaign: MakeCampaign, store: Store, oracle: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = [session_of(name, 1, ("first", "recovery")) for name in ("behaves", "too")]
    for session in broken:
        session[-1] = replace(session[-1], cost_s=200.0)
    said: list[str] = []
    campaign = make_campaign(*broken)
    campaign.ledger.oracles = {Workload("training"): oracle}
    monkeypatch.setattr(campaign, "say", lambda what, _: said.append(what))
    monkeypatch.setattr(campaign.clock, "left_s", lambda: 300.0)  # half of it is not enough for the last scenario
    campaign.run()
    assert set(states(store).values()) == {"done"}
    assert campaign.ledger.manifest.state == "complete"
    assert [one.partition(" ")[0] for one in campaign.ledger.manifest.order if "behaves" in one] == ["block"] * 2
    *_, last = (one for one in said if BASIC[-1] in one)
    assert last.startswith("block 1: behaves")


def test_extras_give_way_to_the_plain_runs_of_the_blocks_to_come(
    make_campaign: MakeCampaign, store: Store, oracle: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, later = session_of("behaves", 1, ("first", "samples", "local")), [session_of("behaves", n) for n in (2, 3)]
    campaign = make_campaign(first, *later)
    campaign.ledger.oracles = {Workload("training"): oracle}
    campaign.ledger.budget = replace(BUDGET, blocks=3, most_blocks=3)
    campaign.estimates.learn(first[-1], 1000.0)
    needed = campaign.estimates.sessions_s([one for session in later for one in session], essential=True)
    campaign.clock = Clock(None)
    monkeypatch.setattr(campaign.clock, "left_s", lambda: needed + 50.0)
    campaign.run()
    found = states(store)
    assert found.pop("1: behaves stock: local") == "left_out"
    assert set(found.values()) == {"done"}
    assert len(timed(store, "behaves")) == 3


def test_block_beyond_the_planned_ones_is_not_missed(
    make_campaign: MakeCampaign, store: Store, oracle: Journal
) -> None:
    blocks = [session_of("does_not_start", n, ("first",)) for n in range(1, BUDGET.blocks + 3)]
    campaign = make_campaign(*blocks, limit_s=0.0)
    campaign.ledger.oracles = {Workload("training"): oracle}
    campaign.run()
    assert set(states(store)) == {f"{n}: does_not_start stock: first" for n in range(1, BUDGET.blocks + 1)}


@given(st.integers(1, 10_000))
def test_numbers_of_sessions_go_on_after_the_highest(tmp_path_factory: pytest.TempPathFactory, last: int) -> None:
    store = Store(tmp_path_factory.mktemp("result"))
    for number in (1, last):
        (store.folder / "logs" / f"{number:03d}-double-stock").mkdir(parents=True, exist_ok=True)
    (store.folder / "logs" / "environment-double.log").touch()
    manifest = Manifest(
        created_utc="", budget="quick", budget_s=None, seed=7, arguments={}, data={}, host={}, versions={}
    )
    campaign = Campaign(Ledger(store, manifest, BUDGET, {}), [], Clock(None), lambda *_: None)  # type: ignore[arg-type]
    campaign.run()
    assert campaign.sessions == last


@pytest.mark.parametrize(
    ("until", "error", "state"),
    [
        (inf, None, "done"),
        (0.0, None, "left_out"),
        (inf, EngineError("gone"), "failed"),
        (inf, SessionLostError("ill"), "done"),
    ],
)
def test_cells_that_are_measured_at_once_end_alike(
    make_campaign: MakeCampaign, store: Store, until: float, error: EngineError | None, state: str
) -> None:
    def measure(*_: object) -> None:
        if error:
            raise error

    campaign, cell = make_campaign(), session_of("behaves", own=("recovery",))[0]
    both = replace(cell, question=replace(cell.question, measure=measure), topics=("this", "that"), cost_s=30.0)
    lost = pytest.raises(SessionLostError) if error else nullcontext()
    with lost:
        campaign._cell(Bound(campaign.ledger, cell.planned, None, None, None), both, until)  # type: ignore[arg-type]
    cells = load_manifest(store.folder).cells
    assert {cell.name: cell.state for cell in cells} == {
        "block 1: behaves stock: recovery: this": state, "block 1: behaves stock: recovery: that": state,
    }  # fmt: skip
    assert {cell.estimated_s for cell in cells} == {30.0}
    assert all(str(error) in cell.reason for cell in cells if error)
    assert campaign.estimates.cell_s(both) == pytest.approx(30.0 if state != "done" or error else 0.0, abs=1.0)


@pytest.mark.parametrize("error", [ApiError("try again"), httpx.ReadTimeout("silent")])
def test_one_error_of_an_api_ends_a_cell_and_no_more(
    make_campaign: MakeCampaign, store: Store, oracle: Journal, error: Exception
) -> None:
    def measure(*_: object) -> None:
        raise error

    cells = session_of("behaves", own=("first", "samples", "local"))
    cells[1] = replace(cells[1], question=replace(cells[1].question, measure=measure))
    campaign = make_campaign(cells)
    campaign.ledger.oracles = {Workload("training"): oracle}
    campaign.run()
    assert states(store) == {
        "1: behaves stock: first": "done", "1: behaves stock: samples": "failed", "1: behaves stock: local": "done",
    }  # fmt: skip
    assert not campaign.failed_sessions
    manifest = load_manifest(store.folder)
    assert [(one.engine, one.phase) for one in manifest.failures] == [("behaves", "samples")]
    assert str(error) in manifest.failures[0].message
    (row,) = [s for s in load(store.folder, Sample) if s.note.startswith("failed: ")]
    assert (row.metric, row.value) == ("runtime.makespan_s", None)
    assert manifest.state == "partial"


def test_an_error_of_an_api_that_is_not_up_yet_ends_the_session(make_campaign: MakeCampaign, store: Store) -> None:
    def measure(*_: object) -> None:
        raise ApiError("not yet")

    cells = session_of("behaves")
    cells[0] = replace(cells[0], question=replace(cells[0].question, measure=measure))
    campaign = make_campaign(cells)
    with pytest.raises(ApiError, match="not yet"):
        campaign._cell(Bound(campaign.ledger, cells[0].planned, None, None, None), cells[0], inf)  # type: ignore[arg-type]


def test_engine_without_code_for_a_pipeline_is_a_row_that_says_so(
    make_campaign: MakeCampaign, store: Store, project: Path, oracle: Journal
) -> None:
    campaign = make_campaign(*(session_of(name) for name in ("too", "behaves")))
    campaign.ledger.oracles = {Workload("training"): oracle}
    shutil.rmtree(project / "impl_too" / "pipelines" / "training")
    campaign.run()
    rows = [one for one in load(store.folder, Sample) if one.engine == "too"]
    assert {(one.metric, one.value, one.note) for one in rows} == {
        (metric, None, "failed: no code for this pipeline") for metric in ("setup.total_s", "runtime.makespan_s")
    }
    found = states(store)
    assert {found[f"1: too stock: {key}"] for key in SERVED} == {"failed"}
    assert {found[f"1: behaves stock: {key}"] for key in SERVED} == {"done"}
    assert [one for one in campaign.ledger.manifest.order if "too" in one] == []

"""The main job on doubles: what fails does not take the others with it, and what was measured stays."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from math import inf
from pathlib import Path

import pytest
from doubles import add_engine
from hypothesis import given
from hypothesis import strategies as st

from bench.campaign import HEADLINES, MAX_FAILURES, Job
from bench.contract.errors import EngineError
from bench.contract.records import Cell, Manifest, Run, Sample
from bench.contract.words import Track
from bench.observe.history import History
from bench.observe.reading import load, load_manifest
from bench.observe.store import Store
from bench.plan.budgets import BUDGETS, ESSENTIAL, Part
from bench.plan.planner import INLINE, Clock, Planned
from bench.plan.scenarios import BASIC
from bench.plan.workloads import Workload
from bench.questions.parts import plain
from bench.questions.recovery.left_behind import SessionLostError
from bench.run.source import Source

SERVED = (Part.FIRST, Part.SAMPLES)
BUDGET = replace(BUDGETS["quick"], samples=1, blocks=2, most_blocks=2)

MakeJob = Callable[..., Job]


def session_of(name: str, block: int = 1, own: tuple[Part, ...] = SERVED) -> Planned:
    if name == INLINE:
        return Planned(INLINE, Track.TUNED, block, (Part.INLINE,))
    return Planned(name, Track.STOCK, block, own, scenarios=BASIC if Part.RECOVERY in own else ())


@pytest.fixture
def make_job(project: Path, store: Store, source: Source, monkeypatch: pytest.MonkeyPatch) -> MakeJob:
    """A job over the store; the engines are doubles named after what they do."""
    monkeypatch.setattr(plain, "INLINE_RUNS", 2)
    monkeypatch.syspath_prepend(project)
    if not (store.folder / "manifest.json").exists():
        blank = Manifest(
            created_utc="", budget="quick", budget_s=None, seed=7, arguments={}, data={}, host={}, versions={}
        )
        store.save_manifest(blank)

    def make(*blocks: list[Planned], limit_s: float | None = None, say: Callable[..., None] | None = None) -> Job:
        for one in (one for block in blocks for one in block):
            if one.name != INLINE and not (project / f"impl_{one.engine}").exists():
                add_engine(project, one.engine, one.engine.replace("_", " "))
        manifest = load_manifest(store.folder)
        told = say or (lambda *_: None)
        return Job(store, manifest, source, BUDGET, [list(b) for b in blocks], Clock(limit_s), told)

    return make


def states(store: Store) -> dict[str, str]:
    cells = load_manifest(store.folder).cells
    assert len({cell.name for cell in cells}) == len(cells)
    return {cell.name.removeprefix("block "): cell.state for cell in cells}


def timed(store: Store, engine: str) -> list[Sample]:
    samples = load(store.folder, Sample)
    return [s for s in samples if s.engine == engine and s.metric == "runtime.makespan_s" and s.value is not None]


def test_failing_engines_become_rows_and_the_others_go_on(make_job: MakeJob, store: Store) -> None:
    names = ("does_not_start", "refuses_runs", "behaves")
    job = make_job([session_of(name) for name in (INLINE, *names)])
    job.run()
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
        assert [s.metric for s in rows] == list(HEADLINES.values())
        assert all(s.value is None and s.note.startswith("failed: ") for s in rows)
    assert len(timed(store, "behaves")) == 1
    assert len(timed(store, INLINE)) == 1  # the first of the two is the oracle
    assert {one["engine"] for one in found.settings} == set(names)
    told = {one["ability"]: (one["offered"], one["text"]) for one in found.abilities if one["engine"] == "behaves"}
    assert told["step_timeout"] == ("no", "a double has none")
    assert told["retry_lost_step"] == ("yes", "runs the whole file again")
    assert told["resume"] == ("yes", "over the API")


def test_engine_that_fails_again_and_again_is_given_up(make_job: MakeJob, store: Store, oracle: History) -> None:
    blocks = [[session_of("does_not_start", n)] for n in range(1, MAX_FAILURES + 2)]
    job = make_job(*blocks)
    job.oracles = {Workload("training"): oracle}
    job.run()
    found = load_manifest(store.folder)
    assert len(found.failures) == len(found.order) == MAX_FAILURES
    assert states(store)[f"{MAX_FAILURES + 1}: does_not_start stock: first"] == "failed"
    assert "not tried again" in found.cells[-1].reason


def test_reference_that_fails_ends_the_job_with_its_cause(
    make_job: MakeJob, store: Store, source: Source, tmp_path: Path
) -> None:
    short = tmp_path / "short.csv"
    short.write_text("".join(source.path.open().readlines()[:20]))
    job = make_job([session_of(INLINE), session_of("behaves")])
    job.source = replace(source, path=short)
    job.run()
    found = load_manifest(store.folder)
    assert [(f.engine, f.phase) for f in found.failures] == [(INLINE, "inline")]
    assert "rule min_rows" in found.failures[0].message
    assert set(states(store).values()) == {"failed"}
    assert found.order == ["block 1: inline tuned"]  # nothing that could not be judged was run
    assert timed(store, "behaves") == []


def test_interrupted_job_keeps_its_samples_and_is_finished_later(make_job: MakeJob, store: Store) -> None:
    block = [session_of(name) for name in (INLINE, "interrupts_once")]
    job = make_job(block)
    with pytest.raises(KeyboardInterrupt):
        job.run()
    job.finish("interrupted")
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
    again = make_job(block, say=lambda what, _: told.append(what))
    again.run()
    assert load(store.folder, Sample)[: len(before)] == before
    assert load_manifest(store.folder).state == "complete"
    assert block[0].cell(Part.INLINE) not in told
    assert {cell.name for cell in again.manifest.cells} == {one.cell(part) for one in block for part in one.parts}
    assert {cell.state for cell in again.manifest.cells} == {"done"}
    ids = [run.run_id for run in load(store.folder, Run)]
    assert len(ids) == len(set(ids))
    assert {run.outcome for run in load(store.folder, Run)} == {"completed"}
    assert len(timed(store, "interrupts_once")) == 1
    assert (
        again.inline_s(Workload("training")).keys()
        == job.inline_s(Workload("training")).keys()
        == set(again.oracles[Workload("training")].steps())
    )
    assert len(again.inline_runs[Workload("training")]) == len(job.inline_runs[Workload("training")]) == 1


def test_engine_that_fails_only_after_resuming(make_job: MakeJob, store: Store, oracle: History) -> None:
    one = session_of("does_not_start")
    job = make_job([one])
    job.manifest.cells.append(Cell(name=one.cell(Part.FIRST), pipeline="training", estimated_s=1, state="done"))
    job.oracles = {Workload("training"): oracle}
    job.run()
    assert states(store) == {"1: does_not_start stock: first": "done", "1: does_not_start stock: samples": "failed"}
    assert load_manifest(store.folder).failures[0].phase == "first"


def test_what_does_not_fit_is_left_out(make_job: MakeJob, store: Store) -> None:
    whole = (Part.FIRST, Part.SAMPLES, Part.RECOVERY, Part.DEBUGGING, Part.LOCAL)
    blocks = [[session_of(INLINE, n), session_of("behaves", n, whole)] for n in (1, 2)]
    make_job(*blocks, limit_s=0.0).run()
    found = {cell.name: cell for cell in load_manifest(store.folder).cells}
    later = [cell for name, cell in found.items() if name.startswith("block 2")]
    assert len(later) == 6
    assert {(cell.state, cell.reason) for cell in later} == {("left_out", "no time left for another whole block")}
    for part in (*whole[1:], *(f"recovery: {name}" for name in BASIC)):
        cell = found[f"block 1: behaves stock: {part}"]
        reason = "not all of it fitted in this budget" if part is Part.RECOVERY else "no time left in this budget"
        assert (cell.state, cell.reason) == ("left_out", reason)
    assert load_manifest(store.folder).state == "partial"


def test_what_did_not_fit_in_its_share_is_measured_in_the_time_that_others_left(
    make_job: MakeJob, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = (Part.FIRST, Part.RECOVERY)
    said: list[str] = []
    job = make_job([session_of(INLINE), *(session_of(name, 1, broken) for name in ("behaves", "too"))])
    monkeypatch.setattr(job, "say", lambda what, _: said.append(what))
    monkeypatch.setattr(job.clock, "left_s", lambda: 60.0)  # half of it is not enough for the last scenario
    job.run()
    assert set(states(store).values()) == {"done"}
    assert job.manifest.state == "complete"
    assert [one.partition(" ")[0] for one in job.manifest.order if "behaves" in one] == ["block"] * 2
    *_, last = (one for one in said if BASIC[-1] in one)
    assert last.startswith("block 1: behaves")


def test_extras_give_way_to_the_plain_runs_of_the_blocks_to_come(
    make_job: MakeJob, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = [[session_of(INLINE, 1), session_of("behaves", 1, (Part.FIRST, Part.SAMPLES, Part.LOCAL))]]
    blocks += [[session_of("behaves", n)] for n in (2, 3)]
    job = make_job(*blocks)
    job.budget = replace(BUDGET, blocks=3, most_blocks=3)
    job.estimates.learn(blocks[0][1], Part.LOCAL, 100.0)
    needed = job.estimates.sessions_s([one for block in blocks[1:] for one in block], ESSENTIAL)
    job.clock = Clock(None)
    monkeypatch.setattr(job.clock, "left_s", lambda: needed + 50.0)
    job.run()
    found = states(store)
    assert found.pop("1: behaves stock: local") == "left_out"
    assert set(found.values()) == {"done"}
    assert len(timed(store, "behaves")) == 3


def test_block_beyond_the_planned_ones_is_not_missed(make_job: MakeJob, store: Store, oracle: History) -> None:
    blocks = [[session_of("does_not_start", n, (Part.FIRST,))] for n in range(1, BUDGET.blocks + 3)]
    job = make_job(*blocks, limit_s=0.0)
    job.oracles = {Workload("training"): oracle}
    job.run()
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
    job = Job(store, manifest, None, BUDGET, [], Clock(None), lambda *_: None)  # type: ignore[arg-type]
    job.run()
    assert job.sessions == last


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
    make_job: MakeJob, store: Store, until: float, error: EngineError | None, state: str
) -> None:
    def measure() -> None:
        if error:
            raise error

    job, one = make_job(), session_of("behaves", own=(Part.RECOVERY,))
    lost = pytest.raises(SessionLostError) if error else nullcontext()
    with lost:
        job.cell(one, ("this", "that"), measure, part=Part.RECOVERY, seconds=30.0, until=until)
    cells = load_manifest(store.folder).cells
    assert {cell.name: cell.state for cell in cells} == {
        "block 1: behaves stock: recovery: this": state, "block 1: behaves stock: recovery: that": state,
    }  # fmt: skip
    assert {cell.estimated_s for cell in cells} == {30.0}
    assert all(str(error) in cell.reason for cell in cells if error)

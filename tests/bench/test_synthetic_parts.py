"""Synthetic pipelines on doubles, from the plan to the samples; and what becomes of them when something fails."""

from __future__ import annotations

import os
import signal
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import ClassVar
from unittest.mock import Mock

import httpx
import pytest
from doubles import BringUp, Double, misbehaving
from hypothesis import given
from hypothesis import strategies as st
from journals import Script

from bench.campaign import Campaign
from bench.contract.errors import EngineError
from bench.contract.processes import Command
from bench.contract.records import NOT_RANKED, Manifest, Run, Sample, Verdict
from bench.contract.settings import Variant
from bench.contract.words import Track
from bench.contract.workspace import Workspace
from bench.judge.gate import GATE
from bench.observe import watching
from bench.observe.journal import Journal
from bench.observe.reading import load
from bench.observe.store import Store
from bench.plan.arms import INLINE, Arm
from bench.plan.budgets import BUDGETS, Budget
from bench.plan.cell import Cell
from bench.plan.costs import Clock
from bench.plan.planner import plan
from bench.plan.priced import Of
from bench.plan.workloads import Workload, published
from bench.plan.workloads import concurrency as plans
from bench.questions import baseline, concurrency, local, payload, scaling, soak
from bench.questions.bound import Bound
from bench.questions.discovery import questions
from bench.questions.ledger import Ledger
from bench.run.conductor import inline_command
from bench.run.observation import Observation
from bench.run.source import Source
from bench.session.supervisor import Supervisor
from core.pipelines.training.pipeline import GRAPH as TRAINING

VERDICTS = [
    tuple(Verdict(run_id="r", engine="e", checker=name, verdict=word) for name in GATE) for word in ("pass", "fail")
]
CONCURRENT = Workload.make("chain", n=2, concurrent=3)


def test_workload_without_parameters_is_the_pipeline_itself() -> None:
    plain = Workload("training")
    assert (plain.params, plain.offered, plain.settings) == ({}, "training", {})
    assert plain.graph is TRAINING


@given(
    st.builds(
        Workload.make, st.sampled_from(["chain", "fan_out"]), n=st.integers(1, 50), fib=st.integers(0, 33),
        payload_bytes=st.sampled_from([0, 1000]), channel=st.sampled_from(["", "engine", "reference"]),
        concurrent=st.integers(0, 16),
    )
)  # fmt: skip
def test_workload_is_known_again_from_the_run_that_had_it(workload: Workload) -> None:
    run = Run(engine="e", run_id="r", pipeline=workload.pipeline, params=workload.params)
    assert Workload.of(run) == workload
    assert workload.steps == workload.size + (2 if workload.pipeline == "fan_out" else 0)


def test_published_figures_name_their_systems_and_versions() -> None:
    told = published.told()
    assert {one.system for one in told} > {*published.OTHERS, "Apache Airflow"}
    assert Counter(one.system for one in told).most_common()[-1][1] == len(published.LABELS)
    assert {tuple(one.params.items()) for one in told} == {tuple(one.params.items()) for one in published.WORKLOADS}
    own = [one for one in told if one.engine == "airflow"]
    assert {(one.version, one.seconds) for one in own} == {("2.7.3", 116.2), ("2.7.3", 54.7)}
    assert set(published.OTHERS) == {one.system for one in told if not one.engine}


KEYS = ("inline", "first", "scaling", "published", "payload", "concurrency", "soak", "local-scaling")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each question with the smallest pipelines that show what it does."""
    monkeypatch.setattr(published, "WORKLOADS", (Workload.make("chain", n=2, fib=10),))
    monkeypatch.setattr(
        payload.payload, "WORKLOADS", (Workload.make("chain", n=2, payload_bytes=1000, channel="engine"),)
    )
    monkeypatch.setattr(concurrency.concurrency, "WORKLOADS", (CONCURRENT,))
    monkeypatch.setattr(soak, "WORKLOAD", Workload.make("chain", n=2))
    monkeypatch.setattr(soak, "RUNS", 10)
    monkeypatch.setattr(baseline, "RUNS", 2)


def queue(budget: Budget) -> list[Cell]:
    """One block of a double's stock arm, with every question about like steps."""
    asked = [replace(one, budgets={budget.name: 1}, of=Of.EVERY) for one in questions() if one.key in KEYS]
    return plan(budget, asked, [Arm("double", Track.STOCK, "training")], [], seed=7)


def blank(store: Store, budget: Budget, source: Source | None = None) -> Ledger:
    """A result in which nothing was measured yet."""
    manifest = Manifest(
        created_utc="", budget=budget.name, budget_s=None, seed=7, arguments={}, data={}, host={}, versions={}
    )
    return Ledger(store, manifest, budget, {} if source is None else {"training": source})


@pytest.mark.usefixtures("small")
def test_every_question_from_the_plan_to_its_samples(
    project: Path, store: Store, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(project)
    budget = replace(BUDGETS["full"], most_blocks=1, sizes=(2, 3), blocks=1, sessions={})
    campaign = Campaign(blank(store, budget, source), queue(budget), Clock(None), lambda *_: None)
    campaign.run()
    cells = campaign.ledger.manifest.cells
    assert [(cell.name, cell.reason) for cell in cells if cell.state != "done"] == []
    assert {cell.question for cell in cells} == set(KEYS)
    found = [one for one in load(store.folder, Sample) if one.engine == "double" and one.value is not None]

    def sizes(metric: str, mode: str, workload: str) -> set[int]:
        return {s.params["n"] for s in found if (s.metric, s.mode, s.pipeline) == (metric, mode, workload)}

    for workload in ("chain", "fan_out"):
        assert sizes("runtime.makespan_s", "served", workload) == {2, 3}
        assert sizes("runtime.makespan_s", "local", workload) == {2, 3}
        assert sizes("resources.cpu_per_task_s", "served", workload) == {2, 3}
    params = {one.metric: one.params for one in found}
    assert params["concurrency.throughput_per_min"] == {"n": 2, "concurrent": 3}
    assert params["payload.metadata_bytes"] == {"n": 2, "payload_bytes": 1000, "channel": "engine"}
    kept = {one.metric: one.value for one in found if one.metric.startswith("payload.")}
    assert kept["payload.kept_bytes"] == kept["payload.metadata_bytes"] + kept["payload.files_bytes"]
    assert {"n": 2, "fib": 10} in [one.params for one in found if one.metric == "runtime.makespan_s"]
    assert "resources.soak.pss_bytes_per_run" in params
    ids = [run.run_id for run in load(store.folder, Run)]
    assert len(ids) == len(set(ids))


def test_larger_sizes_are_not_tried_after_one_has_failed(bring_up: BringUp) -> None:
    session, conductor = bring_up()
    budget = replace(BUDGETS["full"], sizes=(2, 3, 4))
    ledger = blank(conductor.store, budget)
    ledger.oracles = {Workload.make(name, n=n): conductor.oracle for name in ("chain", "fan_out") for n in budget.sizes}
    planned = next(one.planned for one in queue(budget) if one.planned.topic == "synthetic")
    bound = Bound(ledger, planned, conductor, session.supervisor, session.scratch, session)
    tried: list[Workload] = []
    good, wrong = (
        Observation(Run(engine="e", run_id="r", pipeline="chain"), Journal(), verdicts=given) for given in VERDICTS
    )

    def measure(workload: Workload) -> Observation:
        tried.append(workload)
        if workload == Workload.make("chain", n=3):
            raise EngineError("too long a chain")
        return wrong if workload == Workload.make("fan_out", n=2) else good

    assert scaling.by_size(bound, measure) == 2
    assert tried == [Workload.make("chain", n=2), Workload.make("chain", n=3), Workload.make("fan_out", n=2)]
    (failed,) = [one for one in load(conductor.store.folder, Sample) if one.value is None]
    assert (failed.pipeline, failed.params, failed.note) == ("chain", {"n": 3}, "failed: too long a chain")


class Elsewhere(Double):
    """Also runs without a server in another isolation of steps, which only its name tells of."""

    local_variants = (Variant("threads", "threads", "https://example.org", "each step in a thread"),)
    asked_for: ClassVar[list[str]] = []

    def local(self, pipeline: str, config: Path, variant: str = "") -> Command:
        self.asked_for.append(variant)
        return super().local(pipeline, config)


@pytest.mark.parametrize(("variants", "arms"), [(True, ["double", "double-threads"]), (False, ["double"])])
def test_each_isolation_without_a_server_is_an_arm_of_its_own(
    bring_up: BringUp, *, variants: bool, arms: list[str]
) -> None:
    session, conductor = bring_up(Elsewhere)
    ledger = blank(conductor.store, replace(BUDGETS["full"], local=1, variants=variants))
    ledger.oracles = {Workload("training"): conductor.oracle}
    planned = next(one.planned for one in queue(BUDGETS["full"]) if one.planned.topic == "synthetic")
    bound = Bound(ledger, planned, conductor, session.supervisor, session.scratch, session)
    Elsewhere.asked_for.clear()
    local.measure(bound, Cell(planned, next(one for one in questions() if one.key == "local"), 1.0))
    assert Elsewhere.asked_for == ["", "threads"][: len(arms)]
    runs = [one for one in load(conductor.store.folder, Run) if one.engine != INLINE]
    assert [(one.engine, one.mode, one.outcome) for one in runs] == [(name, "local", "completed") for name in arms]
    assert all(one.isolation not in ("", "none") for one in runs), "told beside each"


def looks(one: Observation) -> float:
    """How often a run is asked for at most: when it was silent, from its last step's end on, and for its steps."""
    lasted_s = (one.run.terminal_ns - one.run.submit_ns) / 1e9
    recorded_s = lasted_s - (one.makespan_s or 0.0)
    return lasted_s / watching.SILENCE_S + recorded_s / watching.POLL_S + 3


def test_runs_at_once_are_watched_without_asking_much(bring_up: BringUp, supervisor: Supervisor) -> None:
    session, conductor = bring_up()
    plain_loop = replace(conductor, workload=CONCURRENT)
    run, config = plain_loop.prepare(session.scratch / "effects")
    oracle = plain_loop.process(supervisor, inline_command(config), run).journal
    asked: list[str] = []
    session.endpoint.http.event_hooks["request"].append(lambda request: asked.append(request.method))
    seen = replace(conductor, workload=CONCURRENT, oracle=oracle).at_once(session, CONCURRENT.concurrent)
    assert [one.run.outcome for one in seen] == ["completed"] * 3
    assert len({one.run.engine_run_id for one in seen}) == 3
    assert asked.count("POST") == 3
    assert asked.count("GET") <= sum(map(looks, seen))
    figures = concurrency.together(seen)
    assert figures["failures"] == ("count", 0.0)
    assert figures["completion_p50_s"][1] <= figures["completion_p95_s"][1]  # type: ignore[operator]
    span_s = (max(o.run.terminal_ns for o in seen) - min(o.run.submit_ns for o in seen)) / 1e9
    assert figures["throughput_per_min"] == ("count", pytest.approx(180 / span_s))


def run_of(*spans: tuple[float, float]) -> Observation:
    """A run whose steps were under way in these seconds."""
    script = Script()
    for number, span in enumerate(spans):
        for script.now_s, event in zip(span, ("start", "end"), strict=True):
            script.write(event, f"step_{number}")
    return Observation(Run(run_id="r", pipeline="chain", engine="e"), script.journal(), ())


@pytest.mark.parametrize(
    ("limit", "spans", "why"),
    [
        (3, [[(0, 2), (1, 3)], [(2.5, 4), (3, 5)]], ""),
        (2, [[(0, 2), (1, 3)], [(2.5, 4), (3, 5)]], ""),  # one ends at the instant at which another starts
        (2, [[(0, 2), (1, 3)], [(1.5, 4), (3, 5)]], "3 steps at once over all runs, more than the limit of 2"),
        (9, [[(0, 2), (1, 3), (1, 2)]], "3 steps at once within a run, more than the limit of 2"),
        (None, [[(0, 2)]], "the engine's own default limits steps at once over all runs"),
    ],
)
def test_what_was_measured_under_other_limits_is_not_ranked(
    tmp_path: Path, limit: int | None, spans: list[list[tuple[float, float]]], why: str
) -> None:
    space = Workspace(
        home=tmp_path, pipelines=tmp_path, environment=tmp_path, project=tmp_path, track=Track.TUNED, parallelism=2,
        ports={}, secrets={}, at_once_over_all=limit,
    )  # fmt: skip
    said = concurrency.unlike(space, [run_of(*one) for one in spans])
    assert said == (f"{NOT_RANKED}{why}" if why else "")


def test_what_was_seen_at_once_is_kept_beside_what_it_led_to(
    bring_up: BringUp, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, conductor = bring_up()
    run, config = (loop := replace(conductor, workload=CONCURRENT)).prepare(session.scratch / "effects")
    oracle = loop.process(supervisor, inline_command(config), run).journal
    monkeypatch.setattr(plans, "WORKLOADS", (CONCURRENT,))
    bound = Mock(spec=Bound, up=session, of=lambda workload: replace(conductor, workload=workload, oracle=oracle))
    concurrency.measure(bound, Mock(spec=Cell))
    found = {s.metric.removeprefix("concurrency."): s for s in load(conductor.store.folder, Sample)}
    assert found["at_once_in_run"].value == 1
    assert 1 <= float(found["at_once_over_all"].value or 0) <= CONCURRENT.concurrent
    assert found["throughput_per_min"].note.startswith(NOT_RANKED), "no limit over all runs was set"


def test_interrupted_runs_at_once_are_not_waited_for_nor_judged(bring_up: BringUp) -> None:
    session, conductor = bring_up(misbehaving("never ends"))
    asked: list[str] = []

    def interrupt(request: httpx.Request) -> None:
        asked.append(request.method)
        if asked.count("GET") == 1:
            os.kill(os.getpid(), signal.SIGINT)

    session.endpoint.http.event_hooks["request"].append(interrupt)
    with pytest.raises(KeyboardInterrupt):  # the limit of such runs is 15 minutes
        replace(conductor, workload=CONCURRENT).at_once(session, CONCURRENT.concurrent)
    assert load(conductor.store.folder, Run) == []


def test_wrong_runs_at_once_are_failures() -> None:
    assert concurrency.together([]) == {"failures": ("count", 0.0)}

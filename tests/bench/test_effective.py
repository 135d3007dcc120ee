"""Data whose model is not deployed: faults are for runs that have an effect, and no engine is blamed for the data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from journals import ORDER, Script, good, usual

from bench.contract.records import Arm, Sample
from bench.contract.words import Track
from bench.observe.journal import Journal
from bench.observe.reading import load
from bench.observe.store import Store
from bench.plan.cell import Planned
from bench.plan.scenarios import SCENARIOS
from bench.questions.bound import Bound
from bench.questions.recovery import effective, repair
from bench.run.conductor import Conductor
from bench.run.source import Source
from bench.session.supervisor import Supervisor
from core.declaration import Part, pipeline
from core.instrument.config import load_config

TRAINING = pipeline("training")


def notified() -> Journal:
    """The plain loop's run of a model that is not good enough."""
    script = Script().steps(*ORDER[:5])
    script.step("branch", result="notify")
    script.write("start", "notify")
    script.write("effect", "notify", key="notify:r1")
    script.write("end", "notify", result=usual("notify"))
    return script.journal()


@pytest.fixture
def too_bad(store: Store, source: Source) -> Conductor:
    """No model reaches its threshold."""
    settings = dict(source.data.settings) | {"threshold": 1.1}
    never = replace(source, data=replace(source.data, settings=settings))
    return Conductor(store, never, Arm(engine="double", track="tuned", mode="served"), "s1", notified())


def bound(conductor: Conductor, supervisor: Supervisor, scratch: Path) -> Bound:
    ledger: Any = None
    return Bound(ledger, Planned("double", Track.TUNED, 1, "training"), conductor, supervisor, scratch)


def test_runs_that_are_broken_have_an_effect_whatever_the_data(
    too_bad: Conductor, supervisor: Supervisor, tmp_path: Path
) -> None:
    session = bound(too_bad, supervisor, tmp_path)
    own = effective.effective(session)
    assert "deploy" in own.oracle.counted()
    assert own.oracle.effect_kinds() == {"deploy": 1}
    assert "notify" not in own.oracle.steps()
    _, path = own.prepare(tmp_path / "effects")
    assert load_config(path).settings["threshold"] == TRAINING.with_effect["threshold"]
    assert effective.effective(session) is own
    assert too_bad.source.data.settings["threshold"] == 1.1
    # what people run beside it is told nothing of that
    beside = own.source.config("model_roll_back", "r1", tmp_path, tmp_path)
    assert beside.settings == {}


def test_data_that_deploy_are_taken_as_they_are(too_bad: Conductor, tmp_path: Path) -> None:
    nobody: Any = None  # no plain loop is run
    deploys = replace(too_bad, oracle=good())
    assert effective.effective(bound(deploys, nobody, tmp_path)) is deploys


def test_a_pipeline_without_effect_has_none_to_wait_for(too_bad: Conductor) -> None:
    assert not effective.has_effect(too_bad, notified())
    assert effective.has_effect(too_bad, good())
    assert TRAINING.parts[Part.EFFECT] == "deploy"


def test_nothing_is_rolled_back_where_nothing_was_deployed(
    too_bad: Conductor, supervisor: Supervisor, tmp_path: Path
) -> None:
    class Up:
        scratch = tmp_path

    up: Any = Up()
    up.supervisor = supervisor
    repair.roll_back(too_bad, up, SCENARIOS["roll_back"])
    found = load(too_bad.store.folder, Sample)
    assert {one.note for one in found} == {"not struck: nothing was deployed"}
    assert {one.value for one in found} == {None}

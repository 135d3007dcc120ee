"""Results of two states of code or data are never mixed unseen: digests, what refuses a resumption, what is redone."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from doubles import make_project
from hypothesis import given, settings
from hypothesis import strategies as st
from made_results import Made, sample
from typer.testing import CliRunner

from bench import campaign as campaigns
from bench.analyse.comparability import incomparable, remarks
from bench.campaign import Campaign
from bench.cli import app, resuming
from bench.cli.progress import Progress
from bench.contract import registry
from bench.contract.errors import ChangedError, StorageError, UsageError
from bench.contract.records import Cell, Digest, Evidence, Manifest, Run, Sample, Strike, Verdict
from bench.contract.words import Track
from bench.observe import host
from bench.observe.provenance import changed, engine_of, of_code, of_file, of_settings
from bench.observe.reading import load, load_manifest
from bench.observe.store import Store
from bench.plan.budgets import BUDGETS
from bench.plan.cell import Cell as Planned
from bench.plan.costs import Clock
from bench.questions.ledger import Ledger
from bench.run.source import Source
from core.declaration import Data, pipeline

NO_FILES = st.sampled_from(["__pycache__/a.py", "a.pyc", "NOTES.md", ".hidden", ".cache/a.py", "a.py~"])
NAMES = st.sampled_from(["a.py", "b.py", "pipelines/a.py", "pipelines/deep/b.py", "requirements.txt", "q.graphql"])
FILES = st.dictionaries(NAMES, st.binary(max_size=20), min_size=1)


def laid(folder: Path, files: dict[str, bytes]) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def states(folder: Path) -> dict[str, str]:
    return {one.part: one.sha256 for one in of_code(folder.parent / "no checkout", {"double": folder})}


@settings(max_examples=30, deadline=None)
@given(FILES, st.dictionaries(NO_FILES, st.binary(max_size=5)))
def test_a_digest_is_of_the_sources_alone(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes], others: dict[str, bytes]
) -> None:
    base = tmp_path_factory.mktemp("states")
    one, other = laid(base / "one", files), laid(base / "far" / "away", dict(reversed((files | others).items())))
    for path in other.rglob("*"):
        os.utime(path, (1, 1))
    assert states(one) == states(other)
    assert states(one)


@settings(max_examples=30, deadline=None)
@given(FILES, st.data())
def test_each_change_is_seen_and_belongs_to_one_part(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes], data: st.DataObject
) -> None:
    folder = laid(tmp_path_factory.mktemp("states") / "impl", files)
    before, name = states(folder), data.draw(st.sampled_from(sorted(files)))
    part = {"pipelines": "pipelines", "requirements.txt": "lock"}.get(name.partition("/")[0], "adapter")
    match data.draw(st.sampled_from(["content", "name", "gone"])):
        case "content":
            (folder / name).write_bytes(files[name] + b"x")
        case "name" if part != "lock":
            (folder / name).rename(folder / f"{name}2")
        case _:
            (folder / name).unlink()
    after = states(folder)
    assert {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)} == {part}


def test_a_file_of_the_same_size_and_time_is_not_the_same(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("one")
    before, stat = of_file(path), path.stat()
    path.write_text("two")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert of_file(path) != before
    path.unlink()
    assert of_file(path) == ""


def test_the_parts_of_a_checkout(tmp_path: Path) -> None:
    names = ["core/instrument/step.py", "core/pipelines/p/steps.py", "bench/campaign.py", "bench/analyse/summary.py"]
    project = laid(tmp_path / "project", dict.fromkeys(names, b"1"))

    def parts() -> dict[str, str]:
        return {one.name: one.sha256 for one in of_code(project, {})}

    before = parts()
    assert set(before) == {"core", "instrument", "harness"}
    seen = {}
    for name in names:
        (project / name).write_bytes(b"2")
        now = parts()
        seen[name] = {part for part in now if now[part] != before[part]}
        before = now
    assert list(seen.values()) == [{"instrument"}, {"core"}, {"harness"}, set()], "figures are computed again anyway"


def test_settings_are_told_without_what_is_drawn_anew() -> None:
    row = {"engine": "double", "track": "tuned", "name": "SLEEP", "value": "1", "source": "https://example.org"}
    port = row | {"name": "PORT", "value": "5000", "source": "required"}
    (one,) = of_settings([row, port])
    assert one.name == "double tuned's settings"
    assert [one] == of_settings([row, port | {"value": "6000"}])
    assert [one] != of_settings([row | {"value": "2"}, port])


def test_an_arm_is_of_its_engine() -> None:
    arms = ("prefect", "prefect-again", "prefect@3.8", "prefect@3.8-threads", "prefect tuned")
    assert {engine_of(arm) for arm in arms} == {"prefect"}


def digest(part: str, of: str = "", sha256: str = "a") -> Digest:
    return Digest(part=part, of=of, sha256=sha256)


def test_what_is_on_one_side_alone_has_changed_and_settings_are_left_to_sessions() -> None:
    before = [digest("core"), digest("lock", "double"), digest("settings", "double tuned")]
    now = [digest("core"), digest("data", "training")]
    assert [one.name for one in changed(before, now)] == ["double's lock", "training's data"]
    assert changed(before, before) == []


STATE = [
    digest("core"), digest("harness"), digest("data", "training"), digest("test data", "training"),
    *(digest(part, engine) for engine in ("airflow", "prefect") for part in ("adapter", "pipelines", "lock")),
]  # fmt: skip
VERSIONS = {"airflow": {"apache-airflow": "3.3.2"}, "prefect": {"prefect": "3.8"}}


def said(*differ: Digest, versions: dict[str, Any] | None = None, **changes: Any) -> list[str]:
    others = {(one.of, one.part): one for one in differ}
    state = [others.get((one.of, one.part), one) for one in STATE]
    one = Made([], changes={"digests": STATE, "versions": VERSIONS}).manifest()
    other = Made([], changes={"digests": state, "versions": versions or VERSIONS, **changes}).manifest()
    assert incomparable(one, other) == []
    return remarks(one, other, ("A", "B"))


def test_compare_says_what_differs_and_what_it_can_not_be_blamed_on() -> None:
    newer = VERSIONS | {"airflow": {"apache-airflow": "3.4.0"}}
    facts, *blame = said(digest("harness", sha256="b"), digest("pipelines", "airflow", "b"), versions=newer)
    assert facts == (
        "differs: harness, Apache Airflow's pipelines; the same: core, training's data and test data, "
        "Apache Airflow's adapter and lock, prefect's adapter and pipelines and lock."
    )
    alone = "cannot be blamed on its version alone"
    assert blame == [
        "So no difference can be blamed on an engine's version alone: harness may be the cause.",
        f"A difference of Apache Airflow {alone}: Apache Airflow's pipelines may be the cause.",
    ]


def test_a_lock_that_moves_with_its_version_is_no_other_cause_and_one_that_moves_alone_is() -> None:
    lock = digest("lock", "airflow", "b")
    (only,) = said(lock, versions=VERSIONS | {"airflow": {"apache-airflow": "3.4.0"}})
    assert only.startswith("differs: Apache Airflow's lock; the same: core, harness, ")
    _, blame = said(lock)
    assert blame == (
        "A difference of Apache Airflow cannot be blamed on its version, which is the same: Apache Airflow's lock "
        "may be the cause."
    )


def test_what_was_not_recorded_is_not_taken_for_the_same() -> None:
    (nothing,) = said(digests=[])
    assert nothing == "Whether harness, adapters, pipelines, locks and test data were the same was not recorded."
    (some,) = said(digests=[one for one in STATE if one.part != "test data" and one.of != "prefect"])
    assert some.endswith("not recorded of both: training's test data.")


def test_other_test_data_are_not_comparable() -> None:
    other = [digest("test data", "training", "b") if one.part == "test data" else one for one in STATE]
    manifests = [Made([], changes={"digests": state}).manifest() for state in (STATE, other)]
    assert incomparable(*manifests) == ["training's test data: a against b"]


# ---- a result that was begun


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "own.csv"
    path.write_text("a,y\n1,0\n")
    return path


@pytest.fixture
def ledger(tmp_path: Path, csv: Path, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """A result of two engines, interrupted after one session of each and one of the plain loop."""
    root = make_project(tmp_path / "project", first="behaves", second="behaves")
    monkeypatch.setattr(registry, "PROJECT", root)
    folder = tmp_path / "result"
    folder.mkdir()
    store = Store(folder)
    test = tmp_path / "test.csv"
    test.write_text("a,y\n2,1\n")
    source = Source(pipeline("training"), Data({"data": str(csv), "test_data": str(test)}, {}, (csv, test)))
    manifest = Manifest(
        created_utc="", budget="quick", budget_s=None, seed=7, arguments={"engine": ["first", "second"]}, data={},
        host=host.describe(), versions={},
    )  # fmt: skip
    found = Ledger(store, manifest, BUDGETS["quick"], {"training": source})
    manifest.digests = found.state()
    for session, arm in enumerate(("inline", "first", "second", "second-again"), 1):
        store.append(sample(1.0, session, engine=arm, run_id=f"run {arm}"))
        store.append(Run(run_id=f"run {arm}", engine=arm, pipeline="training", session=session))
        store.append(Verdict(run_id=f"run {arm}", engine=arm, checker="order", verdict="pass"))
        store.append(Strike(run_id=f"run {arm}", action="kill", target="api", moment="in train"))
        store.append(Evidence(engine=arm, track="tuned", scenario="x", title="", source="", text="", session=session))
        manifest.cells.append(Cell(name=arm, engine=arm, pipeline="training", estimated_s=1.0, state="done"))
        manifest.settings.append(
            {"engine": arm, "track": "tuned", "name": "A", "value": "1", "source": "", "reason": ""}
        )
    store.save_manifest(manifest)
    return found


@pytest.fixture
def resume(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ledger]:
    """Resume it, up to the environments."""
    monkeypatch.setattr(resuming, "settle", lambda *_: None)
    monkeypatch.setattr(resuming, "given_sources", lambda _: ledger.sources)
    monkeypatch.setattr(resuming, "prepared", lambda found, _: found)
    monkeypatch.setattr(resuming, "chosen", lambda _: ledger.budget)

    def again(**options: bool) -> Ledger:
        return cast("Ledger", resuming.resumed(ledger.store.folder, Progress(quiet=True), **options))

    return again


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def refused(resume: Callable[..., Ledger], ledger: Ledger, **options: bool) -> str:
    before = contents(ledger.store.folder)
    with pytest.raises(UsageError) as caught:
        resume(**options)
    assert contents(ledger.store.folder) == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_nothing_changed_is_gone_on_with(resume: Callable[..., Ledger], ledger: Ledger) -> None:
    before = contents(ledger.store.folder)
    assert resume().manifest.cells == ledger.manifest.cells
    assert contents(ledger.store.folder) == before


@pytest.mark.parametrize("file", ["adapter.py", "pipelines/training/training.py", "requirements.txt"])
def test_another_engine_is_refused_and_named_with_what_to_do(
    resume: Callable[..., Ledger], ledger: Ledger, file: str
) -> None:
    with (registry.folder("second") / file).open("a") as stream:
        stream.write("# another\n")
    part = {"adapter.py": "adapter", "requirements.txt": "lock"}.get(file, "pipelines")
    assert refused(resume, ledger).endswith(
        f"not what it was when this was begun: second's {part}; restore it, or give --redo to measure second anew"
    )


def test_with_redo_all_arms_of_the_engine_are_put_aside_and_nothing_else(
    resume: Callable[..., Ledger], ledger: Ledger
) -> None:
    (registry.folder("second") / "adapter.py").write_text("# another\n")
    folder, kinds = ledger.store.folder, (Sample, Run, Verdict, Evidence, Strike)
    before = {kind: load(folder, kind) for kind in kinds}
    found = resume(redo=True)
    for kind in kinds:
        kept = load(folder, kind)
        assert kept == before[kind][:2], kind
        assert load(folder / "put-aside", kind) == before[kind][2:], kind
    assert [cell.engine for cell in found.manifest.cells] == ["inline", "first"]
    assert "second" not in {row["engine"] for row in found.manifest.settings}
    ((told),) = found.manifest.redone
    assert (told["engine"], told["changed"]) == ("second", "second's adapter")
    assert load_manifest(folder).digests == ledger.state()
    assert found.changed() == []


@pytest.mark.parametrize("redo", [False, True])
@pytest.mark.parametrize("part", ["harness", "core", "instrument"])
def test_what_concerns_every_cell_is_another_result(
    resume: Callable[..., Ledger], ledger: Ledger, part: str, redo: bool
) -> None:
    ledger.manifest.digests = [digest(part) if one.part == part else one for one in ledger.manifest.digests]
    ledger.store.save_manifest(ledger.manifest)
    assert refused(resume, ledger, redo=redo).endswith(
        f": {part}; restore it, or start a new result: all would have to be measured anew"
    )


def test_folders_of_the_users_are_hidden(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORCHBENCH_ENVIRONMENTS", "/home/somebody/environments")
    monkeypatch.setattr(tempfile, "tempdir", "/home/somebody/tmp")
    ledger.store.hide(ledger.places)
    assert ledger.store.shorten("/home/somebody/environments/airflow and /home/somebody/tmp/orchbench-1") == (
        "<environments>/airflow and <temporary>/orchbench-1"
    )
    monkeypatch.delenv("ORCHBENCH_ENVIRONMENTS")
    monkeypatch.delenv("TOX_WORK_DIR", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", "/tmp")
    assert ledger.places == {}, "these are nobody's own"


def test_a_full_disk_is_told_with_the_whole_command(ledger: Ledger, csv: Path) -> None:
    ledger.manifest.arguments["data"] = csv.name
    with pytest.raises(StorageError) as caught, ledger.told_how_to_go_on():
        raise StorageError("no room; make room")
    options = f"--data {csv} --test-data {csv.with_name('test.csv')}"
    assert str(caught.value) == f"no room; make room, then: tox -e bench -- --resume {ledger.store.folder} {options}"


@pytest.mark.parametrize("name", ["own.csv", "test.csv"])
def test_other_data_are_refused_by_their_name(resume: Callable[..., Ledger], ledger: Ledger, name: str) -> None:
    path = ledger.store.folder.parent / name
    path.write_text("a,y\n3,0\n")
    assert refused(resume, ledger, redo=True) == f"{path}: not the data that result was begun with; start a new result"


def test_another_host_is_refused(resume: Callable[..., Ledger], ledger: Ledger) -> None:
    ledger.manifest.host["cores"] = 96
    ledger.store.save_manifest(ledger.manifest)
    assert "begun on another host (host cores: 96 against " in refused(resume, ledger)


def test_a_result_without_digests_is_not_gone_on_with(resume: Callable[..., Ledger], ledger: Ledger) -> None:
    ledger.manifest.digests = []
    ledger.store.save_manifest(ledger.manifest)
    assert "did not record its code's state; start a new result" in refused(resume, ledger, redo=True)


def test_redo_goes_with_resume_alone() -> None:
    told = CliRunner().invoke(app, ["run", "--redo"])
    assert isinstance(told.exception, UsageError)
    assert "--redo goes with --resume" in str(told.exception)


# ---- while it is measured


@pytest.mark.parametrize(
    "name",
    ["own.csv", "test.csv", "project/impl_first/adapter.py", "project/impl_second/pipelines/training/training.py"],
)
def test_what_changes_meanwhile_ends_the_measurement_and_takes_back_the_last_session(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path, ran = ledger.store.folder.parent / name, []
    cells = [planned(number) for number in (1, 2, 3)]
    campaign = Campaign(ledger, cells, Clock(None), lambda *_: None)
    ledger.manifest.cells.clear()

    def session(one: Campaign, _: Any, left: list[Planned], __: float) -> bool:
        one.sessions += 1
        ran.append(one.sessions)
        ledger.store.append(sample(2.0, one.sessions, engine="first"))
        for cell in left:
            ledger.note(cell, "done", 1.0)
        if len(ran) == 2:
            path.write_text("another\n")
        return False

    monkeypatch.setattr(Campaign, "_session", session)
    campaign.sessions = 10
    monkeypatch.setattr(Ledger, "recall", lambda *_: 10)
    with pytest.raises(ChangedError) as caught:
        campaign.run()
    assert ran == [11, 12]
    assert [one.session for one in load(ledger.store.folder, Sample) if one.value == 2.0] == [11]
    assert [cell.block for cell in load_manifest(ledger.store.folder).cells] == [1]
    told = str(path) if name.endswith(".csv") else f"{path.parts[-2].removeprefix('impl_')}'s adapter"
    if "pipelines" in name:
        told = "second's pipelines"
    assert str(caught.value) == (
        f"{told}: changed while it was measured; all before is kept; restore it, then: "
        f"tox -e bench -- --resume {ledger.store.folder}"
    )


def planned(block: int) -> Planned:
    question = SimpleNamespace(key="samples", essential=True, base=False, needs=None)
    one = campaigns.Planned("first", Track.TUNED, block, "training", ())
    return Planned(one, cast("Any", question), 1.0)


def test_data_that_only_look_changed_change_nothing(ledger: Ledger, csv: Path) -> None:
    os.utime(csv)
    assert ledger.changed() == []
    moved = replace(ledger, sources=dict(ledger.sources))
    assert moved.changed() == []

"""The result folder: nothing measured is lost, and nothing torn or foreign is taken for a measurement."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.contract.errors import UsageError
from bench.contract.records import SCHEMA_VERSION, Arm, Cell, Evidence, Failure, Manifest, Record, Run, Sample, Verdict
from bench.observe.reading import FILES, load, load_manifest, load_summary
from bench.observe.store import LATEST, Store, create
from bench.session.workspace import PROJECT

SAMPLE = Sample(
    engine="double", pipeline="training", metric="runtime.makespan_s", unit="s", value=1.5, run_id="1", note="ä\nö"
)
RECORDS = (
    SAMPLE,
    Run(run_id="1", engine="double", pipeline="training", mode="served", submit_ns=3, outcome="completed"),
    Verdict(run_id="1", engine="double", checker="artifacts", verdict="unknown", reason="no inline run"),
    Evidence(engine="double", track="tuned", scenario="exception", title="t", source="s", text="a\nb", cause_line=2),
)


def manifest(**changes: object) -> Manifest:
    plain = {
        "created_utc": "2026-01-01T00:00:00+00:00", "budget": "quick", "budget_s": 480.0, "seed": 7,
        "arguments": {}, "data": {}, "host": {}, "versions": {},
    }  # fmt: skip
    return Manifest(**plain | changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_what_was_appended_is_loaded(store: Store, record: Sample) -> None:
    kind = type(record)
    assert load(store.folder, kind) == []
    for _ in range(3):
        store.append(record)
    assert load(store.folder, kind) == [record] * 3
    assert [path.name for path in store.folder.iterdir()] == [FILES[kind]]


@given(st.lists(st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=20))))
def test_every_value_comes_back(tmp_path_factory: pytest.TempPathFactory, values: list[float | str | None]) -> None:
    store = Store(tmp_path_factory.mktemp("result"))
    for value in values:
        store.append(msgspec.structs.replace(SAMPLE, value=value))
    assert [sample.value for sample in load(store.folder, Sample)] == values


def test_torn_last_line_is_passed_over(store: Store) -> None:
    store.append(SAMPLE)
    whole = (store.folder / "samples.jsonl").read_bytes()
    for length in range(1, len(whole) - 1):
        (store.folder / "samples.jsonl").write_bytes(whole + whole[:length])
        assert load(store.folder, Sample) == [SAMPLE]


def test_what_is_appended_after_a_torn_line_is_mended_first(store: Store) -> None:
    store.append(SAMPLE)
    with (store.folder / "samples.jsonl").open("ab") as stream:
        stream.write(b'{"engine":"dou')
    store.mend()
    store.append(SAMPLE)
    assert load(store.folder, Sample) == [SAMPLE, SAMPLE]


def test_mending_a_whole_result_changes_nothing(store: Store) -> None:
    store.mend()
    for record in RECORDS:
        store.append(record)
    before = {path: path.read_bytes() for path in store.folder.iterdir()}
    store.mend()
    assert {path: path.read_bytes() for path in store.folder.iterdir()} == before


@pytest.mark.parametrize("bad", [b"{]", b'{"engine":"double"}', b'{"engine":1,"metric":"m","unit":"s","value":1}'])
def test_bad_line_elsewhere_is_an_error_that_names_it(store: Store, bad: bytes) -> None:
    store.append(SAMPLE)
    with (store.folder / "samples.jsonl").open("ab") as stream:
        stream.write(bad + b"\n")
    store.append(SAMPLE)
    with pytest.raises(UsageError, match=r"samples\.jsonl: line 2: ") as caught:
        load(store.folder, Sample)
    assert "\n" not in str(caught.value)


def test_manifest_round_trip(store: Store) -> None:
    one = manifest(
        state="partial", titles={"double": "Double"}, order=["block 1: double tuned"],
        cells=[Cell(name="block 1: double tuned: first", pipeline="training", estimated_s=1, state="left_out",
                    reason="no time")],
        failures=[Failure(engine="double", track="tuned", phase="first", message="m", log_tail="a\nb")],
    )  # fmt: skip
    store.save_manifest(one)
    assert load_manifest(store.folder) == one
    assert not list(store.folder.glob(".tmp-*"))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "not a result folder"),
        ("{", "not a result folder"),
        ("{}", "not a result folder"),
        (json.dumps(msgspec.to_builtins(manifest(schema_version=99))), f"version 99, .* reads {SCHEMA_VERSION}"),
    ],
)
def test_foreign_manifest_is_refused_in_one_line(tmp_path: Path, content: str | None, reason: str) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(UsageError, match=reason) as caught:
        load_manifest(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}: ")
    assert "\n" not in str(caught.value)


def test_summary_round_trip(store: Store) -> None:
    assert load_summary(store.folder).records == []
    records = [
        Record(
            **msgspec.structs.asdict(Arm(engine="double")), pipeline="training", metric="m", unit="s", value=2.0, n=3
        )
    ]
    store.save_summary(records, [])
    assert load_summary(store.folder).records == records
    assert json.loads((store.folder / "summary.json").read_text())["schema_version"] == SCHEMA_VERSION


def test_created_folder_is_the_latest(tmp_path: Path) -> None:
    output = tmp_path / "results"
    store = create(output)
    assert (output / LATEST).resolve() == store.folder
    assert (output / LATEST).readlink().parts == (store.folder.name,)
    older = output / "2000-01-01T000000Z"
    older.mkdir()
    (output / LATEST).unlink()
    (output / LATEST).symlink_to(older.name)
    store.folder.rename(output / "moved")
    assert (output / LATEST).resolve() == older
    assert (output / LATEST).resolve() != create(output).folder.parent
    assert (output / LATEST).resolve() != older


def test_output_that_is_a_file_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"cannot make the result folder: .*; choose another --output") as caught:
        create(tmp_path / "file")
    assert "\n" not in str(caught.value)


def test_paths_of_this_machine_are_shortened_longest_first(store: Store, tmp_path: Path) -> None:
    text = f"{store.folder}/runs/1 and {tmp_path}/x and {PROJECT}/core/step.py and {store.folder}-not"
    assert store.shorten(text, workspace=tmp_path) == (
        "<result>/runs/1 and <workspace>/x and <project>/core/step.py and <result>-not"
    )
    assert store.shorten(f"{PROJECT}") == "<project>"
    assert store.shorten(contextlib.__file__) == "<python>/contextlib.py"
    assert store.shorten("nothing to shorten") == "nothing to shorten"


def test_a_short_place_is_not_seen_within_others(store: Store, tmp_path: Path) -> None:
    store.hide({"temporary": Path("/t")})
    assert store.shorten(f"/t/a, {tmp_path}/t/b, relative/t/c, file:/t/d", workspace=tmp_path) == (
        "<temporary>/a, <workspace>/t/b, relative/t/c, file:<temporary>/d"
    )

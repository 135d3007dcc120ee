"""Files of a result that a kill or a full disk has cut short anywhere: one clear line, or what is whole is used."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import breaking
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from bench.cli import app
from bench.contract.errors import HarnessError, UsageError
from bench.contract.records import Evidence, Run, Sample, Strike, Verdict
from bench.observe.reading import FILES, load
from bench.observe.store import Store

COMMANDS: dict[str, Callable[[Path], list[str]]] = {
    "report": lambda folder: ["report", str(folder)],
    "export": lambda folder: ["export", str(folder), "--table", "records", "-o", str(folder / "table.csv")],
    "compare": lambda folder: ["compare", str(folder), str(folder)],
    "resume": lambda folder: ["run", "--resume", str(folder)],
}
NEEDED = {"manifest.json": set(COMMANDS), "summary.json": {"export", "compare"}}
"""The commands that cannot do without a file. The report computes the summary anew."""
EXAMPLES = settings(max_examples=15, deadline=None)


@pytest.fixture(scope="module")
def folder(harness_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A result that was measured until its harness was killed, with at least one record of every kind."""
    made = breaking.copied(breaking.begun(harness_base), tmp_path_factory.mktemp("torn"))
    run = load(made, Run)[0]
    store = Store(made)
    for note in ("", "ü" * 20):
        store.append(msgspec.structs.replace(load(made, Sample)[0], note=note))
        store.append(msgspec.structs.replace(run, run_id=f"again{note}"))
        store.append(Verdict(run_id=run.run_id, engine=run.engine, checker="order", verdict="pass", reason=note))
        store.append(Evidence(engine="double", track="stock", scenario="exception", title="t", source="s", text=note))
        store.append(Strike(run_id=run.run_id, action="kill", target="api", moment="in train", note=note))
    breaking.reported(made)
    return made


@given(data=st.data())
@EXAMPLES
@pytest.mark.parametrize("name", NEEDED)
def test_file_that_is_cut_short_is_told_in_one_line(folder: Path, name: str, data: st.DataObject) -> None:
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: data.draw(st.integers(0, len(whole.rstrip()) - 1))])
    try:
        for command in NEEDED[name]:
            error = CliRunner().invoke(app, COMMANDS[command](folder)).exception
            assert isinstance(error, HarnessError)
            assert str(folder) in str(error)
            assert "\n" not in str(error)
        if "report" not in NEEDED[name]:
            assert CliRunner().invoke(app, COMMANDS["report"](folder)).exit_code == 0
            assert (folder / name).read_bytes() == whole
    finally:
        (folder / name).write_bytes(whole)


@given(data=st.data())
@EXAMPLES
@pytest.mark.parametrize("kind", FILES, ids=lambda kind: kind.__name__)
def test_last_line_that_is_cut_short_is_passed_over(
    folder: Path, kind: type[msgspec.Struct], data: st.DataObject
) -> None:
    path = folder / FILES[kind]
    whole, records = path.read_bytes(), load(folder, kind)
    cut = data.draw(st.integers(0, len(whole) - 1))
    path.write_bytes(whole[:cut])
    try:
        left = load(folder, kind)
        assert left == records[: len(left)]
        assert len(left) >= whole[:cut].count(b"\n")
        for command in ("report", "export", "compare"):
            told = CliRunner().invoke(app, COMMANDS[command](folder))
            if isinstance(told.exception, UsageError):  # so little is left
                assert re.search(
                    "no metric is in all that is compared$|: holds nothing, and cells", str(told.exception)
                )
                assert command != "export"
                assert not load(folder, Sample)
            else:
                assert told.exit_code == 0, told.exception
        Store(folder).mend()  # as --resume begins
        Store(folder).append(records[-1])  # type: ignore[arg-type]
        again = load(folder, kind)
        assert again == [*left, records[-1]]
    finally:
        path.write_bytes(whole)

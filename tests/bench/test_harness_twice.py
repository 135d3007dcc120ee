"""Two harnesses at once, in one checkout and one folder of results, that even start in the same second."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest
from breaking import assert_nothing_left, go_on, options, reached, serves, start, told
from test_harness_clock import library

from bench.cli.codes import EXIT_USAGE
from bench.contract.records import Run
from bench.observe.reading import load, load_manifest
from bench.observe.store import LATEST, create
from bench.session import environments
from bench.session.environments import making
from bench.session.supervisor import Supervisor

MOMENT = "2026-03-01 09:00:00"
"""The wall clock of both stands still, so that it is the same second however slow the machine is."""


def test_two_at_once_complete_and_leave_each_other_alone(harness_base: Path, tmp_path: Path) -> None:
    output, temporary = tmp_path / "results", tmp_path / "tmp"
    frozen = {"LD_PRELOAD": str(library()), "FAKETIME": MOMENT, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    places = [tmp_path / name / "run 2" for name in ("one", "other")]
    for place in places:
        place.parent.mkdir()
    both = [start(harness_base, temporary, *options(harness_base, output), place=place, **frozen) for place in places]
    below = [reached(harness, place) for harness, place in zip(both, places, strict=True)]
    lasting = [[one for one in processes if serves(one)] for processes in below]
    assert [len(processes) for processes in lasting] == [2, 2]
    assert len(list(temporary.glob("orchbench-*"))) == 2
    folders = sorted(path for path in output.iterdir() if path.name != LATEST)
    assert [folder.name for folder in folders] == ["2026-03-01T090000Z", "2026-03-01T090000Z-2"]
    assert (output / LATEST).resolve() in folders

    code, _, err = told(start(harness_base, temporary, *go_on(harness_base, folders[0])))
    assert code == EXIT_USAGE
    assert err == f"orchbench: {folders[0]}: is being measured by another orchbench; wait for its end\n"

    for harness, processes, place in zip(both, below, places, strict=True):
        place.unlink()
        code, _, err = told(harness)
        assert code == 0, err
        assert not [one for one in processes if one.is_running()]
        if harness is both[0]:  # its end is none of the other's business
            assert all(one.is_running() for one in lasting[1])
    assert_nothing_left([*below[0], *below[1]], temporary)
    for folder in folders:
        assert load_manifest(folder).state == "complete"
        runs = load(folder, Run)
        assert {run.outcome for run in runs} == {"completed"}
        assert len({run.run_id for run in runs}) == len(runs) == 4


def test_folders_that_are_made_in_the_same_second_differ(tmp_path: Path) -> None:
    stores = [create(tmp_path) for _ in range(3)]
    assert len({store.folder for store in stores}) == 3
    assert (tmp_path / LATEST).resolve() == stores[-1].folder


def test_environment_is_made_by_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORCHBENCH_ENVIRONMENTS", str(tmp_path / "environments"))
    place = tmp_path / "environments" / ".double.making"
    with making("double"), making("another engine"), place.open() as same, pytest.raises(BlockingIOError):
        fcntl.flock(same, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with place.open() as same:
        fcntl.flock(same, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_environment_in_use_is_not_made_anew(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORCHBENCH_ENVIRONMENTS", str(tmp_path / "environments"))
    lock = tmp_path / "double.txt"
    lock.write_text("# nothing is needed\n")
    made = [environments.ensure_version("double@1", ["double==1"], lock, supervisor)]
    (made[0] / "in use").touch()
    made.append(environments.ensure_version("double@1", ["double==1"], lock, supervisor))
    assert (made[1] / "in use").exists()
    lock.write_text("# another lock\n")
    made.append(environments.ensure_version("double@1", ["double==1"], lock, supervisor))
    assert not (made[2] / "in use").exists()
    assert set(made) == {tmp_path / "environments" / "double@1"}

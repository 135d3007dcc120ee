"""Artifacts: whole or not there, and never other than their digest says."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from core.instrument.artifacts import TEMPORARY_PREFIX, atomic, check, digest_of, refer, remove, write_json
from core.instrument.errors import ArtifactError


def write_folder(path: Path, **files: str) -> Path:
    with atomic(path) as temporary:
        temporary.mkdir()
        for name, text in files.items():
            (temporary / name).write_text(text)
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_an_error_leaves_nothing_and_keeps_what_was_there(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "out" / "artifact"
    with pytest.raises(RuntimeError), atomic(path) as temporary:
        broken(temporary, kind)
    assert names(path.parent) == []
    write_folder(path, a="old")
    with pytest.raises(RuntimeError), atomic(path) as temporary:
        broken(temporary, kind)
    assert names(path.parent) == ["artifact"]
    assert (path / "a").read_text() == "old"


def broken(temporary: Path, kind: str) -> None:
    if kind == "folder":
        temporary.mkdir()
        (temporary / "half").write_text("x")
    else:
        temporary.write_text("x")
    raise RuntimeError


def test_writing_nothing_is_an_error_that_keeps_what_was_there(tmp_path: Path) -> None:
    path = write_folder(tmp_path / "artifact", a="old")
    with pytest.raises(ArtifactError, match="artifact: its step wrote nothing"), atomic(path):
        pass
    assert (path / "a").read_text() == "old"


def test_nothing_is_visible_before_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "artifact"
    with atomic(path) as temporary:
        temporary.write_text("x")
        assert not path.exists()
        assert temporary.name.startswith(TEMPORARY_PREFIX)
    assert path.read_text() == "x"


def test_a_folder_replaces_a_folder_whole(tmp_path: Path) -> None:
    path = write_folder(tmp_path / "artifact", a="1", b="2")
    write_folder(path, a="3")
    assert names(path) == ["a"]
    assert names(tmp_path) == ["artifact"]


def test_two_writers_of_one_folder_both_succeed(tmp_path: Path) -> None:
    """An engine may retry a step that it wrongly took for dead."""
    path = tmp_path / "artifact"
    failures: list[BaseException] = []
    together = threading.Barrier(4)

    def write() -> None:
        together.wait()
        try:
            for _ in range(50):
                write_folder(path, a="same", b="same")
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert failures == []
    assert names(tmp_path) == ["artifact"]
    assert names(path) == ["a", "b"]


def test_digest_is_of_names_and_content_not_of_place_or_time(tmp_path: Path) -> None:
    one = write_folder(tmp_path / "one", a="1", b="2")
    other = write_folder(tmp_path / "other", b="2", a="1")
    assert digest_of(one) == digest_of(other)
    for files in ({"a": "1", "b": "3"}, {"a": "1", "c": "2"}, {"a": "12", "b": ""}, {"a": "1"}):
        assert digest_of(write_folder(tmp_path / "changed", **files)) != digest_of(one)


@pytest.mark.parametrize("spoil", ["change", "empty", "add", "remove"])
def test_check_finds_what_changed_since(tmp_path: Path, spoil: str) -> None:
    path = write_folder(tmp_path / "artifact", a="1", b="2")
    reference = refer(path, 5)
    assert check(reference) == path
    assert reference["rows"] == 5
    if spoil == "remove":
        (path / "a").unlink()
    else:
        (path / ("c" if spoil == "add" else "a")).write_text("" if spoil == "empty" else "9")
    with pytest.raises(ArtifactError, match=r"artifact: content changed since it was written .*run its step again"):
        check(reference)


def test_check_finds_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "artifact.json"
    write_json(path, {"path": tmp_path, "b": 1})
    reference = refer(path)
    remove(path)
    with pytest.raises(ArtifactError, match="artifact is missing"):
        check(reference)


def test_json_has_sorted_keys_and_paths_as_text(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": Path("/x"), "a": 1})
    assert (tmp_path / "a.json").read_text() == '{\n  "a": 1,\n  "b": "/x"\n}\n'

"""The journal: one line a record, however many write at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.instrument.journal import ATTEMPTS, JOURNAL, JournalWriter, now_ns, read

WRITER = """
import sys
from pathlib import Path
from core.instrument.journal import JournalWriter
sys.stdin.readline()
for number in range(25):
    with JournalWriter(Path(sys.argv[1]), "r1", "train") as journal:
        journal.write("start", filler="x" * 3000)
        journal.write("end", number=number)
"""


def test_writers_in_several_processes_never_interleave_nor_share_a_number(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    writers = [subprocess.Popen(command, stdin=subprocess.PIPE) for _ in range(4)]
    for writer in writers:
        writer.stdin.write(b"\n")  # all of them wait for it, so that they write together
        writer.stdin.flush()
    assert [writer.wait() for writer in writers] == [0] * 4
    for writer in writers:
        writer.stdin.close()
    records = read(tmp_path)
    assert len(records) == 4 * 25 * 2
    assert sorted(r["attempt"] for r in records if r["event"] == "start") == list(range(1, 101))
    assert {r["pid"] for r in records} == {writer.pid for writer in writers}


def test_attempts_are_numbered_by_step_in_threads_too(tmp_path: Path) -> None:
    numbers: list[int] = []
    threads = [
        threading.Thread(target=lambda: numbers.extend(JournalWriter(tmp_path, "r", "a").attempt for _ in range(20)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == list(range(1, 81))
    assert JournalWriter(tmp_path, "r", "b").attempt == 1


def test_a_record_says_when_who_and_what(tmp_path: Path) -> None:
    before = now_ns()
    JournalWriter(tmp_path, "r1", "train").write("effect", key="k")
    (record,) = read(tmp_path)
    assert before <= record["t_ns"] <= now_ns()
    assert record["utc"].endswith("+00:00")
    expected = {"event": "effect", "run": "r1", "step": "train", "attempt": 1, "pid": os.getpid(), "key": "k"}
    assert record | expected == record
    assert record["thread"] == threading.get_native_id()


def test_a_record_is_json_as_python_spells_it(tmp_path: Path) -> None:
    details = {"result": {"path": 'a "b" \\ é\n', "n": [1, None, 0.5]}}
    with JournalWriter(tmp_path, 'r"1', "train") as journal:
        journal.write("start")
        journal.write("end", **details)
    lines = (tmp_path / JOURNAL).read_text().splitlines()
    assert [json.dumps(json.loads(line)) for line in lines] == lines
    assert json.loads(lines[1]) | details | {"event": "end", "run": 'r"1'} == json.loads(lines[1])


TEXTS = st.text(st.sampled_from('a\\"{}[]:,\n é') | st.characters(codec="utf-8")) | st.just('{"t_ns": 1, "utc": "x"}')
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


@given(st.integers(0, 2**33 * 10**9))
def test_a_time_is_spelled_as_python_spells_it_to_the_microsecond(t_ns: int) -> None:
    before = datetime.fromtimestamp(t_ns // 10**9, UTC)
    with pytest.MonkeyPatch.context() as patched, TemporaryDirectory() as folder:
        journal = JournalWriter(Path(folder), "r1", "train")
        for moment_ns in (t_ns, t_ns + 10**9, t_ns + 10**9 + 1000):  # another second, and the same once more
            patched.setattr("time.time_ns", lambda now=moment_ns: now)
            journal.write("effect")
        first, *later = [datetime.fromisoformat(record["utc"]) for record in read(Path(folder))]
    assert first == before + timedelta(microseconds=t_ns % 10**9 // 1000)
    assert later == [first + timedelta(seconds=1), first + timedelta(seconds=1, microseconds=1)]


@given(VALUES)
def test_details_are_spelled_as_python_spells_them(value: Any) -> None:
    with TemporaryDirectory() as folder:
        with JournalWriter(Path(folder), "r1", "train") as journal:
            journal.write("effect", **{'a "name"': value, "naïve": value})
        line = (Path(folder) / JOURNAL).read_text()
    assert json.loads(line) | {'a "name"': value, "naïve": value} == json.loads(line)
    assert json.dumps(json.loads(line)) + "\n" == line


def test_no_journal_is_no_record_and_a_record_still_being_written_is_left_out(tmp_path: Path) -> None:
    assert read(tmp_path) == []
    JournalWriter(tmp_path, "r1", "train").write("start")
    with (tmp_path / JOURNAL).open("a") as stream:
        stream.write('{"event": "e')
    assert [r["event"] for r in read(tmp_path)] == ["start"]


@pytest.mark.parametrize("line", ['{"t_ns": 1]}', '{"t_ns": }', '{"t_ns": 1}}', 't_ns": 1}', "{}", "[1]", "\0\0"])
def test_what_is_neither_a_record_nor_the_beginning_of_one_is_no_silent_loss(tmp_path: Path, line: str) -> None:
    JournalWriter(tmp_path, "r1", "train").write("start")
    with (tmp_path / JOURNAL).open("a") as stream:
        stream.write(f"{line}\n")
    JournalWriter(tmp_path, "r1", "train").write("start")
    with pytest.raises(ValueError):  # noqa: PT011 - JSON's own, or this project's
        read(tmp_path)


WHOLE = 1.0
CUTS = st.just(WHOLE) | st.floats(0, WHOLE)


@given(written=st.lists(st.tuples(VALUES, CUTS), max_size=8))
@example(written=[(None, 0.999), (None, 0.0), (None, 0.05)])  # one without its line break, before a short beginning
@example(written=[(None, 0.999), (None, 0.05), (None, 0.01), (None, WHOLE)])
def test_whatever_is_cut_off_no_other_record_is_lost(written: list[tuple[Any, float]]) -> None:
    with TemporaryDirectory() as folder:
        expected = []
        for value, share in written:
            _, size, cut = write_and_cut(Path(folder), JOURNAL, value, share)
            expected += [value] if cut >= size - 1 else []  # a record that lacks but its line break is whole
        records = read(Path(folder))
    assert [record["value"] for record in records] == expected


@given(written=st.lists(st.tuples(st.sampled_from(["day", "day_2026-01-03", "train", "t"]), CUTS), max_size=8))
def test_whatever_claim_is_cut_off_the_others_are_numbered_one_by_one(written: list[tuple[str, float]]) -> None:
    with TemporaryDirectory() as folder:
        given: Counter[str] = Counter()
        for step, share in written:
            attempt, size, cut = write_and_cut(Path(folder), ATTEMPTS, None, share, step)
            assert attempt == given[step] + 1
            given[step] += cut == size


def write_and_cut(run_dir: Path, file: str, value: Any, share: float, step: str = "train") -> tuple[int, int, int]:
    """Write a record, and leave that share of what was appended to the file.

    Returns the attempt's number, and how many bytes were written and left.
    """
    path = run_dir / file
    before = path.stat().st_size if path.exists() else 0
    with JournalWriter(run_dir, "r1", step) as journal:
        journal.write("effect", value=value)
    size = path.stat().st_size - before
    cut = int(size * share)
    os.truncate(path, before + cut)
    return journal.attempt, size, cut


KILLED = """
import sys
from pathlib import Path
from core.instrument.journal import JournalWriter
journal = JournalWriter(Path(sys.argv[1]), "r1", sys.argv[2])
journal.write("start")
print(flush=True)
for _ in range(100):
    journal.write("effect", filler="x" * 40000)
sys.stdin.read()
"""


def test_writers_that_are_killed_while_they_write_take_no_record_of_others_with_them(tmp_path: Path) -> None:
    steady = JournalWriter(tmp_path, "r1", "steady")
    for number in range(6):
        command = [sys.executable, "-c", KILLED, str(tmp_path), f"killed{number}"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
            writer.stdout.readline()
            steady.write("effect", number=number)
            writer.kill()
        steady.write("end", number=number)
    records = read(tmp_path)
    assert [r["number"] for r in records if r["step"] == "steady"] == sorted([*range(6), *range(6)])
    assert {r["step"] for r in records} == {"steady", *(f"killed{number}" for number in range(6))}


def test_a_disk_that_takes_but_a_part_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = JournalWriter(tmp_path, "r1", "train")
    journal.write("start")
    whole = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, content: whole(descriptor, content[:20]))
    with pytest.raises(OSError, match="written in part only"):
        journal.write("effect")
    monkeypatch.undo()
    journal.write("error")
    assert [record["event"] for record in read(tmp_path)] == ["start", "error"]

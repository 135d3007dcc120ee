"""The journal: one line a record, however many write at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from core.journal import JOURNAL, Journal, now_ns, read

WRITER = """
import sys
from pathlib import Path
from core.journal import Journal
sys.stdin.readline()
for number in range(25):
    journal = Journal(Path(sys.argv[1]), "r1", "train")
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
        threading.Thread(target=lambda: numbers.extend(Journal(tmp_path, "r", "a").attempt for _ in range(20)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == list(range(1, 81))
    assert Journal(tmp_path, "r", "b").attempt == 1


def test_a_record_says_when_who_and_what(tmp_path: Path) -> None:
    before = now_ns()
    Journal(tmp_path, "r1", "train").write("effect", key="k")
    (record,) = read(tmp_path)
    assert before <= record["t_ns"] <= now_ns()
    assert record["utc"].endswith("+00:00")
    expected = {"event": "effect", "run": "r1", "step": "train", "attempt": 1, "pid": os.getpid(), "key": "k"}
    assert record | expected == record
    assert record["thread"] == threading.get_native_id()


def test_no_journal_is_no_record_and_a_record_still_being_written_is_left_out(tmp_path: Path) -> None:
    assert read(tmp_path) == []
    Journal(tmp_path, "r1", "train").write("start")
    with (tmp_path / JOURNAL).open("a") as stream:
        stream.write('{"event": "e')
    assert [r["event"] for r in read(tmp_path)] == ["start"]


def test_a_broken_record_in_the_middle_is_no_silent_loss(tmp_path: Path) -> None:
    (tmp_path / JOURNAL).write_text('{"event": "start"}\n{"eve\n{"event": "end"}\n')
    with pytest.raises(json.JSONDecodeError):
        read(tmp_path)

"""What is said on a terminal: nothing that it obeys, and with --quiet next to nothing."""

from __future__ import annotations

import pytest

from bench import cli
from bench.cli.progress import Progress, printable

OBEYED = "\x1b[2J\x1b]0;another title\x07\x1bc\x9b31m\b\r\x7f"


def test_what_a_terminal_obeys_is_left_out() -> None:
    assert printable(f"a{OBEYED}b\n\tc é…") == "ab\n\tc é…"


def test_progress_and_errors_hold_nothing_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress()
    progress(f"one{OBEYED}", 60.0)
    progress.note(f"two{OBEYED}")
    with pytest.raises(SystemExit):
        cli._fail(f"three{OBEYED}", 2)
    told = capsys.readouterr().err
    assert told.splitlines() == ["one (1.0 minutes left)", "two", "orchbench: three"]


def test_quiet_says_neither_what_runs_nor_notes(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(quiet=True)
    progress("what runs", 60.0)
    progress.note("data: a remark")
    assert capsys.readouterr() == ("", "")

"""Measures what runs in a fresh interpreter: the time of a call without the start, the peak memory with all of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

from pytest_benchmark.fixture import BenchmarkFixture

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1"}


def watched(*command: str) -> subprocess.Popen[str]:
    """Start the interpreter with these arguments; its last line of output is its cost."""
    argv = (sys.executable, str(HERE / "watched.py"), sys.executable, *command)
    return subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT, env=ENVIRONMENT
    )


def cost_of(process: subprocess.Popen[str]) -> dict[str, float]:
    """Wait for the end; return `seconds` from start to end, `cpu_s` and `peak_bytes`."""
    output, _ = process.communicate()
    assert process.returncode == 0, f"{process.args!r} ended with {process.returncode}"
    return cast("dict[str, float]", json.loads(output.splitlines()[-1]))


def measure(benchmark: BenchmarkFixture, rounds: int, module: str, function: str, *arguments: Any) -> None:
    """Time one call in each of `rounds` fresh interpreters, without their start, and note each one's peak memory."""
    peaks: list[float] = []
    benchmark.extra_info["peak_bytes"] = peaks

    def start() -> tuple[tuple[subprocess.Popen[str]], dict[str, Any]]:
        process = watched(str(HERE / "one_call.py"), module, function, json.dumps(arguments))
        _expect(process, "ready")
        return (process,), {}

    def finish(process: subprocess.Popen[str]) -> None:
        peaks.append(cost_of(process)["peak_bytes"])

    benchmark.pedantic(_call, setup=start, teardown=finish, rounds=rounds)


def _call(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    process.stdin.write("go\n")
    process.stdin.flush()
    _expect(process, "done")


def _expect(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout
    line = process.stdout.readline().strip()
    assert line == word, f"{process.args!r} said {line!r} instead of {word!r}"

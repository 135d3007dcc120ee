"""Rendering the report of the result that is kept as an example."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.benchmarks import fresh

KEPT = fresh.PROJECT / "reports" / "kept"


@pytest.mark.benchmark(group="report")
def test_report(benchmark: BenchmarkFixture, rounds: int, tmp_path: Path) -> None:
    newest = max(KEPT.glob("*/manifest.json")).parent
    result = shutil.copytree(newest, tmp_path / newest.name, ignore=shutil.ignore_patterns("report.html"))
    fresh.measure(benchmark, rounds, "reports.pages.render", "write_report", str(result))
    assert (result / "report.html").read_text(encoding="utf-8").endswith("</html>")

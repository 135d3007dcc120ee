"""The micro-benchmarks, run for real on very few rows, and the samples that are made of them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from bench.analyse.summary import summarise
from bench.contract.errors import EngineError
from bench.contract.records import Arm, Sample
from bench.observe.journal import Journal
from bench.observe.reading import load
from bench.observe.store import Store
from bench.questions import micro
from bench.run.conductor import Conductor
from bench.run.source import Source
from bench.session.supervisor import Supervisor
from bench.session.workspace import PROJECT

WATCHED = str(PROJECT / "bench" / "benchmarks" / "watched.py")
INSTRUMENT = f"{micro.BENCHMARKS}/test_instrument_benchmark.py"
ROWS = 1000
PIPELINE_ROWS = 1500
STEPS = ("extract", "validate", "features", "train", "evaluate")


@pytest.fixture
def conductor(store: Store, source: Source) -> Conductor:
    return Conductor(store, source, Arm(engine="inline", mode="local"), "inline", Journal())


def test_benchmarks_become_samples(conductor: Conductor, supervisor: Supervisor) -> None:
    micro.run(conductor, supervisor, (ROWS,), pairs=2, pipeline_rows=PIPELINE_ROWS)
    samples = load(conductor.store.folder, Sample)
    sizes = {s.metric: s.params for s in samples}
    of_steps = {f"micro.{step}.{what}": {"rows": ROWS} for step in STEPS for what in ("rows_per_s", "peak_bytes")}
    of_pipeline = {f"micro.pipeline.{what}_ratio": {"rows": PIPELINE_ROWS} for what in ("time", "memory")}
    assert sizes == of_steps | of_pipeline | {"micro.report_s": {}}
    assert len(samples) == len(sizes) + len(of_pipeline)  # one round, two pairs
    assert all(s.value > 0 for s in samples)

    units = {s.metric.rsplit(".")[-1]: s.unit for s in samples}
    assert units == {
        "rows_per_s": "rows/s", "peak_bytes": "bytes", "time_ratio": "ratio", "memory_ratio": "ratio", "report_s": "s",
    }  # fmt: skip
    assert [s.session for s in samples if s.metric == "micro.pipeline.time_ratio"] == [1, 2]
    ratio = next(r for r in summarise(samples) if r.metric == "micro.pipeline.time_ratio")
    assert ratio.n == 2
    assert ratio.ci_low < ratio.value < ratio.ci_high

    record = json.loads((conductor.store.folder / "micro.json").read_text())
    extract = next(b for b in record["benchmarks"] if b["params"] == {"rows": ROWS, "step": "extract"})
    told = [s.value for s in samples if s.metric == "micro.extract.rows_per_s"]
    assert told == [ROWS / seconds for seconds in extract["stats"]["data"]]


@pytest.mark.parametrize("held_bytes", [0, 200_000_000])
def test_peak_is_that_of_the_command_and_not_of_who_started_it(held_bytes: int) -> None:
    large = b"x" * 600_000_000
    code = f"held = b'x' * {held_bytes}"
    command = (sys.executable, WATCHED, sys.executable, "-c", code)
    cost = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert held_bytes < cost["peak_bytes"] < held_bytes + 100_000_000 < len(large)


def test_the_benchmark_of_the_instrument_finds_its_attempts_in_the_journal() -> None:
    options = ("-q", "--benchmark-disable", "-p", "no:cacheprovider")
    subprocess.run([sys.executable, "-m", "pytest", INSTRUMENT, *options], cwd=PROJECT, check=True)


def test_benchmark_that_fails_is_told(conductor: Conductor, supervisor: Supervisor) -> None:
    with pytest.raises(EngineError, match="micro: ended with exit code"):
        micro.run(conductor, supervisor, (0,))

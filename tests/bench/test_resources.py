"""What an engine takes of its host, in total and by role; how its memory and its database grow."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import accumulate, count
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from doubles import BringUp, Double, misbehaving
from hypothesis import assume, given
from hypothesis import strategies as st
from test_postgres import query
from waiting import wait_for

from bench.contract.processes import Command
from bench.contract.records import Sample
from bench.contract.words import Track
from bench.observe.reading import load
from bench.questions import resources
from bench.questions import soak as soaking
from bench.questions.metadata import file_bytes, metadata_bytes
from bench.questions.soak import FEWEST_RUNS, Slope, memory_slope, soak
from bench.run.conductor import Conductor
from bench.run.observation import Observation
from bench.session import usage
from bench.session.bring_up import Session
from bench.session.usage import Share, Usage
from core.declaration import Part, pipeline
from core.instrument.config import Fault

pytestmark = pytest.mark.skipif(not usage.AVAILABLE, reason="usage is read from Linux's /proc")

MEGABYTE = 1_000_000
UNITS = {
    "idle": {
        "cpu_s_per_min": "s", "pss_mean_bytes": "bytes", "pss_peak_bytes": "bytes", "processes": "count",
        "threads": "count", "handed_bytes_per_min": "bytes",
    },
    "run": {
        "cpu_s": "s", "pss_mean_bytes": "bytes", "pss_peak_bytes": "bytes", "processes_peak": "count",
        "threads_peak": "count", "handed_bytes": "bytes",
    },
}  # fmt: skip


def stored(conductor: Conductor, kind: str, role: str = "") -> dict[str, Sample]:
    """The samples of one role, or in total."""
    prefix = f"resources.{kind}."
    found = [s for s in load(conductor.store.folder, Sample) if s.metric.startswith(prefix)]
    found = [s for s in found if s.params.get("role", "") == role]
    assert {s.metric.removeprefix(prefix): s.unit for s in found} == UNITS[kind]
    return {s.metric.removeprefix(prefix): s for s in found}


def roles(conductor: Conductor) -> set[str]:
    return {s.params["role"] for s in load(conductor.store.folder, Sample) if "role" in s.params}


def values(samples: dict[str, Sample]) -> dict[str, float]:
    assert all(isinstance(sample.value, int | float) for sample in samples.values())
    return {name: float(sample.value) for name, sample in samples.items() if isinstance(sample.value, int | float)}


def test_idle_engine_in_total_and_by_role(bring_up: BringUp) -> None:
    session, conductor = bring_up()
    session.supervisor.start("helper", Command(("sleep", "3600")))
    resources.idle(conductor, session, seconds=0.5)
    assert roles(conductor) == {"server", "command"}  # what has ended is no role of an idle engine's
    total, server = stored(conductor, "idle"), values(stored(conductor, "idle", "server"))
    known = {name: float(s.value) for name, s in total.items() if isinstance(s.value, int | float)}
    helper = values(stored(conductor, "idle", "command"))
    assert (known["processes"], server["processes"], helper["processes"]) == (2, 1, 1)
    assert known["threads"] >= 2
    assert known["pss_peak_bytes"] >= known["pss_mean_bytes"] > MEGABYTE
    assert known["pss_mean_bytes"] == pytest.approx(server["pss_mean_bytes"] + helper["pss_mean_bytes"])
    assert 0 <= known["cpu_s_per_min"] < 60


def test_database_is_a_role(bring_up: BringUp) -> None:
    session, conductor = bring_up(Double, Track.TUNED)
    resources.idle(conductor, session, seconds=0.5)
    database = values(stored(conductor, "idle", "database"))
    assert database["processes"] > 3
    assert database["pss_mean_bytes"] > MEGABYTE
    assert roles(conductor) == {"server", "database"}


def test_engine_during_a_run(bring_up: BringUp) -> None:
    session, conductor = bring_up()
    waits_s = 4 * resources.RUN_EVERY_S  # so that the run is looked at
    slow = Fault(pipeline("training").part(Part.HEAVY), "slow", attempts=0, seconds=waits_s)
    seen = resources.during(conductor, session, lambda: conductor.served(session, "resources", faults=(slow,)))
    assert seen.right
    total, server = stored(conductor, "run"), values(stored(conductor, "run", "server"))
    assert {s.run_id for s in total.values()} == {seen.run.run_id}
    assert server["cpu_s"] >= (seen.journal.work_s() - waits_s) / 4  # steps wait for the disk as well
    assert server["processes_peak"] == 2  # the run has a process of its own below the server's
    assert server["pss_peak_bytes"] > server["pss_mean_bytes"] > MEGABYTE


def test_what_came_before_a_run_is_not_its_own(bring_up: BringUp, tmp_path: Path) -> None:
    session, conductor = bring_up()
    burn = "import time\nwhile time.process_time() < 3: pass"

    def late() -> Observation:
        session.supervisor.run("before", Command((sys.executable, "-c", burn)))
        return conductor.served(session, "resources")

    resources.during(conductor, session, late)
    total, server = (float(stored(conductor, "run", role)["cpu_s"].value or 0) for role in ("", "server"))
    assert session.supervisor.usage().shares["before"].cpu_s >= 3
    # a total may be less by a rounding, and more by what was burnt since the last look before the submission
    assert server - 1e-6 <= total < server + 2.0


def test_run_that_went_wrong_has_no_figures(bring_up: BringUp) -> None:
    session, conductor = bring_up(misbehaving("does nothing"))
    resources.during(conductor, session, lambda: conductor.served(session, "resources"))
    (sample,) = (s for s in load(conductor.store.folder, Sample) if s.metric.startswith("resources."))
    assert sample.value is None
    assert sample.note.startswith("wrong: ")


def test_error_in_a_run_ends_the_looking(bring_up: BringUp) -> None:
    session, conductor = bring_up()

    def fail() -> Observation:
        raise LookupError("in the run")

    with pytest.raises(LookupError, match="in the run"):
        resources.during(conductor, session, fail)
    assert session.supervisor.usage().total.processes == 1


def test_elsewhere_it_is_said_that_linux_is_needed(bring_up: BringUp, monkeypatch: pytest.MonkeyPatch) -> None:
    session, conductor = bring_up()
    for module in (resources, soaking):
        monkeypatch.setattr(module, "AVAILABLE", False)
    resources.idle(conductor, session)
    seen = resources.during(conductor, session, lambda: conductor.served(session, "resources"))
    assert soak(conductor, session, lambda: seen, FEWEST_RUNS) is None
    found = [s for s in load(conductor.store.folder, Sample) if s.metric.startswith("resources.")]
    assert [(s.value, s.note) for s in found] == [(None, usage.NOTE)] * 3


LOOKS = [
    Usage(0, 0.0, {"server": Share(1.0, 10, 2, 3, 70)}),
    Usage(60 * 10**9, 0.0, {"server": Share(3, 30, 4, 9, 90)}),
]


def series(session: Session, change: Callable[[Share], Share]) -> dict[str, list[Share]]:
    return resources._series(session, [replace(u, shares={"server": change(u.shares["server"])}) for u in LOOKS])


def kept_by_role(conductor: Conductor, found: dict[str, list[Share]]) -> None:
    figures = {role: resources.run_figures(shares) for role, shares in found.items()}
    resources._store(conductor, None, "resources.run", found, figures)


SPAN_S = 0.012


def looked(per_look_s: Iterable[float]) -> tuple[list[Usage], bool, int]:
    """The looks at an engine that uses so many CPU seconds from look to look, a second apart; how many there were."""
    spent, many = accumulate(per_look_s), count()

    def look() -> Usage:
        return Usage(next(many) * 10**9, 0.0, {"server": Share(cpu_s=next(spent))})

    looks, rested = resources.at_rest(look, SPAN_S)
    return looks, rested, next(many)


def test_engine_is_looked_at_once_it_has_come_to_rest() -> None:
    looks, rested, many = looked([0.0] + [1.0] * 8 + [0.1] * 100)
    assert rested
    assert resources.LOOKS + 1 < many <= 2 * resources.LOOKS + 1
    assert len(looks) == resources.LOOKS + 1
    assert looks[-1].total.cpu_s - looks[0].total.cpu_s == pytest.approx(0.1 * resources.LOOKS, rel=0.25)
    assert looked([0.1] * 100)[1:] == (True, resources.LOOKS + 1)


def test_engine_that_does_nothing_is_at_rest_at_once() -> None:
    assert looked([0.0] * 100)[1:] == (True, resources.LOOKS + 1)


def test_engine_that_never_rests_is_given_up_and_said_so(bring_up: BringUp, monkeypatch: pytest.MonkeyPatch) -> None:
    looks, rested, many = looked([2.0**n for n in range(100)])
    assert not rested
    assert many == resources.REST_LIMIT * resources.LOOKS + 1
    session, conductor = bring_up()
    monkeypatch.setattr(resources, "at_rest", lambda *_: (looks, rested))
    resources.idle(conductor, session, seconds=60)
    assert {s.note.split(";")[0] for s in stored(conductor, "idle").values() if "handed" not in s.metric} == {
        "not at rest within 120 s: the last 60 s of them"
    }


def test_process_that_goes_away_is_not_in_the_mean(bring_up: BringUp) -> None:
    session, conductor = bring_up()
    helper = session.supervisor.start("helper", Command((sys.executable, "-c", "import time; time.sleep(0.6)")))
    resources.idle(conductor, session, seconds=1.2)
    assert helper.ended.wait(30)
    resources.idle(conductor, session, seconds=0.5)
    total = [s for s in load(conductor.store.folder, Sample) if s.metric == "resources.idle.pss_mean_bytes"]
    both, alone = (float(s.value or 0) for s in total if not s.params)
    assert both == pytest.approx(alone, rel=0.1)


def test_figures_of_known_looks(bring_up: BringUp) -> None:
    session, conductor = bring_up()
    found = series(session, lambda share: share)
    assert found == {"": [u.shares["server"] for u in LOOKS], "server": [u.shares["server"] for u in LOOKS]}
    kept_by_role(conductor, found)
    expected = {"cpu_s": 2, "handed_bytes": 20, "processes_peak": 4, "threads_peak": 9, "pss_mean_bytes": 80,
                "pss_peak_bytes": 90}  # fmt: skip
    assert values(stored(conductor, "run")) == values(stored(conductor, "run", "server")) == expected
    idle = {name: value for name, (_, value) in resources.idle_figures(found[""], found[""][:1], 0.5).items()}
    assert idle == {"cpu_s_per_min": 4, "handed_bytes_per_min": 40, "processes": 3, "threads": 6,
                    "pss_mean_bytes": 70, "pss_peak_bytes": 90}  # fmt: skip


def test_resident_memory_and_missing_counts_are_told(bring_up: BringUp) -> None:
    session, conductor = bring_up()
    found = series(session, lambda share: replace(share, written_bytes=0, rss_processes=2))
    kept_by_role(conductor, found)
    samples = stored(conductor, "run")
    assert samples["pss_mean_bytes"].note.startswith("2 of 2 processes with RSS")
    assert (samples["handed_bytes"].value, samples["handed_bytes"].note) == (None, resources.NO_WRITES)
    assert (samples["cpu_s"].value, samples["cpu_s"].note) == (2, "")


def test_size_of_sqlite_databases(bring_up: BringUp) -> None:
    session, _ = bring_up()
    before = metadata_bytes(session)
    folder = session.workspace.home / "history"
    folder.mkdir()
    code = (
        "import sqlite3, sys, time\n"
        "one = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "one.execute('PRAGMA journal_mode=WAL'); one.execute('CREATE TABLE t (x)')\n"
        "one.execute('INSERT INTO t VALUES (randomblob(300000))')\n"
        "open(sys.argv[1] + '.ready', 'x'); time.sleep(3600)"
    )
    session.supervisor.start("writer", Command((sys.executable, "-c", code, str(folder / "runs.db"))))
    wait_for((folder / "runs.db.ready").exists, "the row is written")
    assert metadata_bytes(session) - before >= 300_000  # still in the write-ahead log


def test_what_is_kept_in_files_counts_beside_the_database(tmp_path: Path) -> None:
    """Results, storage of runs and logs, each byte once: a database file is the database's, a link nobody's."""
    home = tmp_path / "home"
    (home / "storage" / "run").mkdir(parents=True)
    for name, size in (("result", 700), ("storage/run/value.pickle", 50), ("runs.db", 4000), ("runs.db-wal", 300)):
        (home / name).write_bytes(b"x" * size)
    (home / "link").symlink_to(home / "result")
    on_sqlite, on_postgres = (
        cast("Session", SimpleNamespace(workspace=SimpleNamespace(home=home, postgres=where)))
        for where in (None, tmp_path / "elsewhere")
    )
    assert (metadata_bytes(on_sqlite), file_bytes(on_sqlite)) == (4300, 750)
    assert file_bytes(on_postgres) == 5050


def test_size_of_a_postgres_database_is_what_it_says_itself(bring_up: BringUp) -> None:
    session, _ = bring_up(Double, Track.TUNED)
    postgres = session.workspace.postgres
    assert postgres
    fill = "CREATE TABLE t AS SELECT repeat(md5(n::text), 9) FROM generate_series(1, 9000) n"
    before = metadata_bytes(session)
    query(session.supervisor, postgres, "double", fill)
    found = metadata_bytes(session)
    assert found - before > 9000 * 9 * 32
    said = query(session.supervisor, postgres, "double", "SELECT pg_database_size('double')")[-1]
    assert found == pytest.approx(int(said), rel=0.01)  # it may keep house meanwhile


def test_soak_finds_growth(bring_up: BringUp) -> None:
    session, conductor = bring_up()
    seen = conductor.served(session)
    keep = "import os, sys, time; held = os.urandom(5_000_000); open(sys.argv[1], 'x'); time.sleep(3600)"
    count = iter(range(100))

    def grow() -> Observation:
        ready = session.scratch / f"ready-{next(count)}"
        session.supervisor.start("leak", Command((sys.executable, "-S", "-c", keep, str(ready))))
        wait_for(ready.exists, "it holds its memory")
        return seen

    slope = soak(conductor, session, grow, runs=FEWEST_RUNS)
    assert slope
    assert 5 * MEGABYTE < slope.low <= slope.value <= slope.high < 15 * MEGABYTE
    found = [s for s in load(conductor.store.folder, Sample) if s.metric.startswith("resources.soak")]
    assert [s.metric for s in found[:-1]] == ["resources.soak.pss_bytes"] * FEWEST_RUNS
    assert (found[-1].metric, found[-1].value) == ("resources.soak.pss_bytes_per_run", slope.value)
    assert "over 10 runs" in found[-1].note


def test_soak_of_a_few_runs_says_nothing(bring_up: BringUp) -> None:
    session, conductor = bring_up()
    assert soak(conductor, session, lambda: conductor.served(session), runs=3) is None
    (sample,) = (s for s in load(conductor.store.folder, Sample) if s.metric.startswith("resources."))
    assert (sample.value, sample.note) == (None, "not measured: 3 runs, at least 10 are needed")


@given(st.integers(0, 10**9), st.integers(-(10**6), 10**6), st.integers(10, 60))
def test_slope_of_a_line_is_its_own(start: int, per_run: int, runs: int) -> None:
    slope = memory_slope([start + per_run * n for n in range(runs)])
    assert (slope.value, slope.low, slope.high) == pytest.approx((per_run, per_run, per_run), abs=1e-3)


@given(st.lists(st.integers(0, 10**9), min_size=10, max_size=60), st.integers(-(10**6), 10**6))
def test_slope_moves_with_the_growth(sizes: list[int], more: int) -> None:
    assume(len(set(sizes)) > 5)
    plain = memory_slope(sizes)
    assert plain.low <= plain.value <= plain.high
    steeper = memory_slope([size + more * n for n, size in enumerate(sizes)])
    assert steeper.value == pytest.approx(plain.value + more, rel=1e-6, abs=1e-3)


def test_one_jump_is_no_growth() -> None:
    noise = np.random.default_rng(3).normal(0, 100, 40)
    sizes = 1000 * MEGABYTE + noise
    sizes[0] -= 500 * MEGABYTE  # before the caches were filled
    slope = memory_slope(sizes.tolist())
    assert slope.low < 0 < slope.high
    assert abs(slope.value) < 100


def test_interval_holds_the_truth_when_values_follow_one_another() -> None:
    random = np.random.default_rng(11)

    def correlated() -> Slope:
        noise = random.normal(size=90)
        for n in range(1, 90):
            noise[n] += 0.5 * noise[n - 1]
        return memory_slope((5 * np.arange(40) + noise[50:]).tolist())

    slopes = [correlated() for _ in range(300)]
    assert np.mean([slope.low <= 5 <= slope.high for slope in slopes]) > 0.88
    assert np.median([slope.value for slope in slopes]) == pytest.approx(5, abs=0.02)

"""Every fault does what it is named after, as often as it is told to."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from core.graphs import named

from core import registry, steps
from core.instrument import journal
from core.instrument.artifacts import check, refer
from core.instrument.config import Fault, FaultKind, RunConfig
from core.instrument.errors import ArtifactError, ConfigError, CoreError, DataError, PermanentError, TransientError
from core.instrument.faults import AFTER, BEFORE

EXTRACT = "import sys; from core import steps; steps.extract(sys.argv[1])"
IN_A_THREAD = """
import sys, threading
from core import steps
thread = threading.Thread(target=steps.extract, args=(sys.argv[1],))
thread.start()
thread.join()
"""
DEPLOY = """
import json, sys
from core import steps
steps.deploy(sys.argv[1], *json.loads(sys.argv[2]))
"""


def events(config: RunConfig) -> list[str]:
    return [r["event"] for r in journal.read(config.run_dir)]


def in_process(config: RunConfig, code: str = EXTRACT, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", code, str(config.path), *arguments], stderr=subprocess.PIPE)


@pytest.fixture
def faulty(make_config: Callable[..., RunConfig]) -> Callable[..., RunConfig]:
    def make(kind: str, step: str = "extract", **more: float | str) -> RunConfig:
        return make_config(faults=(Fault(step=step, kind=kind, **more),))

    return make


def test_transient_goes_away_after_its_attempts(faulty: Callable[..., RunConfig]) -> None:
    config = faulty("transient", attempts=2)
    for _ in range(2):
        with pytest.raises(TransientError, match="step extract: injected error, gone after 2 attempts"):
            steps.extract(str(config.path))
    assert steps.extract(str(config.path))["rows"] == 2000
    assert events(config) == ["start", "fault", "error"] * 2 + ["start", "end"]


def test_unretryable_has_the_type_by_which_engines_know_it(faulty: Callable[..., RunConfig]) -> None:
    config = faulty("unretryable", attempts=0)
    with pytest.raises(PermanentError, match="step extract: injected error; no retry mends it"):
        steps.extract(str(config.path))


def test_slow_ends_with_its_cause(faulty: Callable[..., RunConfig], tmp_path: Path) -> None:
    fixed = tmp_path / "fixed"
    config = faulty("slow", seconds=600.0, until=str(fixed))
    process = in_process(config)
    while "fault" not in events(config):
        assert process.poll() is None
    fixed.touch()
    assert process.wait(timeout=60) == 0


@pytest.mark.parametrize(("error", "permanent"), [(DataError, True), (ConfigError, True), (ArtifactError, False)])
def test_what_no_retry_mends(error: type[CoreError], permanent: bool) -> None:
    assert issubclass(error, PermanentError) is permanent


def test_zero_attempts_means_every_one_until_healed(faulty: Callable[..., RunConfig], tmp_path: Path) -> None:
    healed = tmp_path / "healed"
    config = faulty("defect", attempts=0, until=str(healed))
    for _ in range(4):
        with pytest.raises(KeyError):
            steps.extract(str(config.path))
    healed.touch()
    assert steps.extract(str(config.path))["rows"] == 2000


def test_a_fault_strikes_only_its_own_step(faulty: Callable[..., RunConfig]) -> None:
    config = faulty("transient", step="train", attempts=0)
    assert steps.extract(str(config.path))["rows"] == 2000
    assert events(config) == ["start", "end"]


@pytest.mark.parametrize("code", [EXTRACT, IN_A_THREAD])
@pytest.mark.parametrize(("kind", "status"), [("kill", -9), ("exit", 0), ("kill_after", -9), ("torn", -9)])
def test_the_process_goes_without_a_word(faulty: Callable[..., RunConfig], kind: str, status: int, code: str) -> None:
    config = faulty(kind)
    with in_process(config, code) as process:
        assert process.wait() == status
    assert events(config) == ["start", "fault"]
    with in_process(config, code) as process:
        assert process.wait() == 0
    assert events(config) == ["start", "fault", "start", "end"]


@pytest.mark.parametrize("kind", ["corrupt", "empty"])
def test_a_spoilt_artifact_is_found_by_the_next_step(faulty: Callable[..., RunConfig], kind: str) -> None:
    config = faulty(kind)
    raw = steps.extract(str(config.path))
    with pytest.raises(ArtifactError, match="content changed"):
        steps.validate(str(config.path), raw)
    if kind == "empty":
        assert (Path(raw["path"]) / "source.parquet").read_bytes() == b""
    again = steps.extract(str(config.path))
    assert check(again)
    assert again["digest"] == raw["digest"]


def test_corrupt_spoils_an_empty_file_too(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    AFTER["corrupt"](Fault("extract", "corrupt"), {"path": str(tmp_path)}, lambda: None)
    assert (tmp_path / "empty").read_bytes() != b""


def test_a_step_without_an_artifact_cannot_be_spoilt(faulty: Callable[..., RunConfig]) -> None:
    with pytest.raises(ConfigError, match="fault corrupt: step cleanup writes no artifact"):
        steps.cleanup(str(faulty("corrupt", step="cleanup").path))


def test_a_torn_artifact_is_half_there_and_the_next_attempt_makes_it_whole(faulty: Callable[..., RunConfig]) -> None:
    whole = (Path(steps.extract(str(faulty("slow").path))["path"]) / "source.parquet").read_bytes()
    config = faulty("torn")
    with in_process(config) as process:
        assert process.wait() == -signal.SIGKILL
    assert (config.run_dir / "raw" / "source.parquet").read_bytes() == whole[: len(whole) // 2]
    assert (check(steps.extract(str(config.path))) / "source.parquet").read_bytes() == whole


def test_killed_after_the_effect_a_step_has_it_twice_in_the_journal_and_once_in_the_world(
    faulty: Callable[..., RunConfig], tmp_path: Path
) -> None:
    config = faulty("kill_after", step="deploy")
    model, metrics = tmp_path / "model", tmp_path / "metrics.json"
    model.mkdir()
    metrics.write_text("{}")
    with in_process(config, DEPLOY, json.dumps([refer(model), refer(metrics)])) as process:
        assert process.wait() == -signal.SIGKILL
    assert events(config) == ["start", "effect", "fault"]
    assert registry.read(config.registry)["current"] == "v0001"
    steps.deploy(str(config.path), refer(model), refer(metrics))
    assert events(config) == ["start", "effect", "fault", "start", "effect", "end"]
    assert len(registry.read(config.registry)["versions"]) == 1


def test_late_data_are_late_whatever_the_attempt_until_they_are_there(
    faulty: Callable[..., RunConfig], tmp_path: Path
) -> None:
    there = tmp_path / "there"
    config = faulty("late", step="day_2026-01-03", until=str(there))
    for _ in range(3):
        with pytest.raises(ArtifactError, match="no data yet"):
            steps.day(str(config.path), "2026-01-03")
    assert steps.day(str(config.path), "2026-01-04")["rows"] > 0
    there.touch()
    assert steps.day(str(config.path), "2026-01-03")["rows"] > 0


def test_a_step_can_be_slow_after_all_is_done(faulty: Callable[..., RunConfig]) -> None:
    config = faulty("slow_after", seconds=0.01)
    raw = check(steps.extract(str(config.path)))
    assert events(config) == ["start", "fault", "end"]
    fault, end = (r["t_ns"] for r in journal.read(config.run_dir)[1:])
    assert (raw / "source.parquet").exists()
    assert (end - fault) / 1e9 >= 0.01


def test_late_data_that_never_come_are_a_mistake(faulty: Callable[..., RunConfig]) -> None:
    with pytest.raises(ConfigError, match="fault late: step extract: `until` is empty"):
        steps.extract(str(faulty("late").path))


def test_every_kind_strikes_once_in_a_step_and_is_known_by_its_name() -> None:
    assert sorted([*BEFORE, *AFTER]) == sorted(FaultKind)


def test_an_unknown_kind_is_named_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"unknown fault 'flood'; known: .*" + ".*".join(FaultKind)):
        Fault("extract", "flood")


@pytest.mark.parametrize("step", ["trian", "", "work", "work_1", "day", "day_tomorrow", "work_0001 "])
def test_a_step_that_no_pipeline_has_is_named(step: str) -> None:
    with pytest.raises(ConfigError, match=f"fault kill: no pipeline has a step {step!r}"):
        Fault(step, "kill")


def test_a_saved_fault_that_would_never_strike_starts_nothing(faulty: Callable[..., RunConfig]) -> None:
    config = faulty("kill")
    config.path.write_text(config.path.read_text().replace('"step": "extract"', '"step": "extrakt"'))
    with pytest.raises(ConfigError, match=r"config\.json: faults\[0\]: fault kill: no pipeline has a step 'extrakt'"):
        steps.extract(str(config.path))
    assert events(config) == []


@pytest.mark.parametrize(("pipeline", "n"), [("training", 0), ("fan_out", 12), ("chain_5", 0), ("roll_back", 0)])
def test_each_step_of_each_pipeline_can_suffer(pipeline: str, n: int) -> None:
    assert all(Fault(step.name, "kill") for step in named(pipeline, n).steps)

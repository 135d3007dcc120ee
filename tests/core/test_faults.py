"""Every fault does what it is named after, as often as it is told to."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from core import journal, steps
from core.artifacts import check
from core.config import Fault, RunConfig
from core.errors import ArtifactError, ConfigError, TransientError
from core.faults import AFTER, BEFORE

EXTRACT = "import sys; from core import steps; steps.extract(sys.argv[1])"


def events(config: RunConfig) -> list[str]:
    return [r["event"] for r in journal.read(config.run_dir)]


def in_process(config: RunConfig) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", EXTRACT, str(config.path)], stderr=subprocess.PIPE)


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


@pytest.mark.parametrize(("kind", "status"), [("kill", -signal.SIGKILL), ("exit", 0)])
def test_the_process_goes_without_a_word(faulty: Callable[..., RunConfig], kind: str, status: int) -> None:
    config = faulty(kind)
    with in_process(config) as process:
        assert process.wait() == status
    assert events(config) == ["start", "fault"]
    with in_process(config) as process:
        assert process.wait() == 0
    assert events(config) == ["start", "fault", "start", "end"]


def test_hang_stays_until_killed(faulty: Callable[..., RunConfig]) -> None:
    config = faulty("hang")
    with in_process(config) as process:
        while "fault" not in events(config):
            assert process.poll() is None
            time.sleep(0.01)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.3)
        process.kill()
    assert events(config) == ["start", "fault"]


@pytest.mark.parametrize("kind", ["slow", "hang"])
def test_slow_lasts_at_least_its_seconds_and_then_works(faulty: Callable[..., RunConfig], kind: str) -> None:
    config = faulty(kind, seconds=0.2)
    assert steps.extract(str(config.path))["rows"] == 2000
    fault, end = (next(r for r in journal.read(config.run_dir) if r["event"] == e) for e in ("fault", "end"))
    assert end["t_ns"] - fault["t_ns"] >= 0.2e9


@pytest.mark.parametrize("kind", sorted(AFTER))
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
    AFTER["corrupt"](Fault("extract", "corrupt"), {"path": str(tmp_path)})
    assert (tmp_path / "empty").read_bytes() != b""


def test_a_step_without_an_artifact_cannot_be_spoilt(faulty: Callable[..., RunConfig]) -> None:
    with pytest.raises(ConfigError, match="fault corrupt: step cleanup writes no artifact"):
        steps.cleanup(str(faulty("corrupt", step="cleanup").path))


def test_an_unknown_kind_is_named_with_the_known_ones(faulty: Callable[..., RunConfig]) -> None:
    with pytest.raises(ConfigError, match=r"unknown fault 'flood'; known: .*" + ".*".join(BEFORE | AFTER)):
        steps.extract(str(faulty("flood").path))

"""A run's configuration: what is saved is what is read, and mistakes are named."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import pytest
from core.graphs import TRAINING
from hypothesis import given
from hypothesis import strategies as st

from core.instrument.config import Fault, FaultKind, Hyperparameters, RunConfig, Validation, load_config
from core.instrument.errors import ConfigError

NAMES = st.text(string.ascii_letters + string.digits + " -_.üß", min_size=1, max_size=12)
FRACTIONS = st.floats(0.01, 0.99)
STEPS = st.sampled_from([*(step.name for step in TRAINING.steps), "work_0001", "day_2026-01-03"])
CONFIGS = st.builds(
    RunConfig,
    run_id=NAMES,
    run_dir=st.just(Path("/tmp/run")),
    data=NAMES.map(Path),
    target=NAMES,
    registry=NAMES.map(Path),
    test_data=st.none() | NAMES.map(Path),
    test_fraction=FRACTIONS,
    seed=st.integers(0, 2**31),
    threshold=st.floats(0, 1),
    na_values=st.lists(NAMES, max_size=3).map(tuple),
    webhook=st.just("") | NAMES,
    validation=st.builds(Validation, columns=st.lists(NAMES, max_size=3).map(tuple), max_null_fraction=FRACTIONS),
    hyperparameters=st.builds(Hyperparameters, n_estimators=st.integers(1, 900), learning_rate=FRACTIONS),
    faults=st.lists(st.builds(Fault, step=STEPS, kind=st.sampled_from(FaultKind), path=NAMES), max_size=2).map(tuple),
)


@given(config=CONFIGS)
def test_what_is_saved_is_what_is_read(config: RunConfig, tmp_path_factory: pytest.TempPathFactory) -> None:
    moved = RunConfig(
        **{n: getattr(config, n) for n in RunConfig.__dataclass_fields__} | {"run_dir": folder(tmp_path_factory)}
    )
    assert load_config(moved.save()) == moved
    assert moved.path.parent == moved.run_dir


def folder(factory: pytest.TempPathFactory) -> Path:
    return factory.getbasetemp() / "round-trip"


def written(config: RunConfig, **changes: Any) -> str:
    """The saved configuration with some of its fields changed, or removed where the value is `...`."""
    raw = json.loads(config.path.read_text()) | changes
    config.path.write_text(json.dumps({name: value for name, value in raw.items() if value is not ...}, default=str))
    return str(config.path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"colour": "red"}, "unknown field 'colour'; known: run_id"),
        ({"hyperparameters": {"depth": 3}}, "hyperparameters: unknown field 'depth'; known: n_estimators"),
        ({"target": ...}, "missing .*'target'"),
        ({"target": 3}, "target: expected str, got 3"),
        ({"seed": "7"}, "seed: expected int, got '7'"),
        ({"seed": True}, "seed: expected int, got True"),
        ({"threshold": "high"}, "threshold: expected float, got 'high'"),
        ({"data": 1}, "data: expected Path, got 1"),
        ({"validation": []}, "validation: expected an object with the fields of Validation"),
        ({"na_values": ["?", 0]}, r"na_values\[1\]: expected str, got 0"),
        ({"faults": [{"step": "train"}]}, r"faults\[0\]: .*missing .*'kind'"),
        ({"threads": 0}, "threads must be at least 1"),
        ({"test_fraction": 1.0}, "test_fraction must lie between 0 and 1"),
        ({"identifier_fraction": 0}, "identifier_fraction must lie between 0 and 1"),
        ({"chunk_rows": 0}, "chunk_rows must be at least 1"),
        ({"target": ""}, "target must not be empty"),
        ({"run_id": ""}, "run_id must not be empty"),
    ],
)
def test_mistakes_name_the_field(config: RunConfig, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(written(config, **changes))


def test_whole_numbers_serve_as_fractions_and_null_as_absent(config: RunConfig) -> None:
    loaded = load_config(written(config, threshold=1, test_data=None))
    assert loaded.threshold == 1.0
    assert isinstance(loaded.threshold, float)
    assert loaded.test_data is None


def test_missing_file_and_other_text_name_the_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.json: cannot read .*No such file"):
        load_config(tmp_path / "none.json")
    path = tmp_path / "config.json"
    path.write_text("{")
    with pytest.raises(ConfigError, match=r"config\.json: not JSON"):
        load_config(path)
    path.write_text("[]")
    with pytest.raises(ConfigError, match="expected an object with the fields of RunConfig"):
        load_config(path)

"""A run's configuration: what is saved is what is read, and mistakes are named."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.instrument.config import USUAL_BYTES, Fault, FaultKind, RunConfig, checked, load_config
from core.instrument.errors import ConfigError
from core.pipelines.training.settings import Training

NAMES = st.text(string.ascii_letters + string.digits + " -_.üß", min_size=1, max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
FAULTS = st.builds(
    Fault,
    step=NAMES,
    kind=st.sampled_from(FaultKind).map(str),
    attempts=st.integers(0, 9),
    until=NAMES,
    seconds=st.floats(0, 900),
    path=NAMES,
)


@given(pipeline=NAMES, run_id=NAMES, effects=NAMES.map(Path), faults=st.lists(FAULTS, max_size=2).map(tuple), data=JSON)
def test_what_is_saved_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    *,
    pipeline: str,
    run_id: str,
    effects: Path,
    faults: tuple[Fault, ...],
    data: Any,
) -> None:
    run_dir = tmp_path_factory.getbasetemp() / "round-trip"
    config = RunConfig(
        pipeline=pipeline, run_id=run_id, run_dir=run_dir, effects_dir=effects, settings={"data": data}, faults=faults
    )
    assert load_config(config.save()) == config
    assert config.path.parent == config.run_dir


def written(config: RunConfig, **changes: Any) -> str:
    """The saved configuration with some of its fields changed, or removed where the value is `...`."""
    raw = json.loads(config.path.read_text()) | changes
    config.path.write_text(json.dumps({name: value for name, value in raw.items() if value is not ...}, default=str))
    return str(config.path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"colour": "red"}, "unknown field `colour`"),
        ({"pipeline": ...}, "missing required field `pipeline`"),
        ({"effects_dir": ...}, "missing required field `effects_dir`"),
        ({"pipeline": 3}, "Expected `str`, got `int` - at `$.pipeline`"),
        ({"run_dir": 1}, "expected Path, got 1 - at `$.run_dir`"),
        ({"settings": []}, "Expected `object`, got `array` - at `$.settings`"),
        ({"faults": [{"step": "extract"}]}, "missing required field `kind` - at `$.faults[0]`"),
        ({"faults": [{"step": "extract", "kind": "kill", "attempts": "7"}]}, "got `str` - at `$.faults[0].attempts`"),
        ({"faults": [{"step": "extract", "kind": "flood"}]}, "unknown fault 'flood'; known: transient, "),
        ({"faults": [{"step": "extract", "kind": "kill", "often": 1}]}, "unknown field `often` - at `$.faults[0]`"),
        ({"run_id": ""}, "run_id must not be empty"),
    ],
)
def test_mistakes_name_the_file_and_the_field(config: RunConfig, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=rf"^{re.escape(str(config.path))}: .*{re.escape(message)}"):
        load_config(written(config, **changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"colour": "red"}, "unknown field `colour`"),
        ({"hyperparameters": {"depth": 3}}, "unknown field `depth` - at `$.hyperparameters`"),
        ({"target": ...}, "missing required field `target`"),
        ({"target": 3}, "Expected `str`, got `int` - at `$.target`"),
        ({"seed": "7"}, "Expected `int`, got `str` - at `$.seed`"),
        ({"seed": True}, "Expected `int`, got `bool` - at `$.seed`"),
        ({"threshold": "high"}, "Expected `float`, got `str` - at `$.threshold`"),
        ({"data": 1}, "expected Path, got 1 - at `$.data`"),
        ({"validation": []}, "Expected `object`, got `array` - at `$.validation`"),
        ({"na_values": ["?", 0]}, "Expected `str`, got `int` - at `$.na_values[1]`"),
        ({"threads": 0}, "Expected `int` >= 1 - at `$.threads`"),
        ({"test_fraction": 1.0}, "Expected `float` < 1.0 - at `$.test_fraction`"),
        ({"identifier_fraction": 0}, "Expected `float` > 0.0 - at `$.identifier_fraction`"),
        ({"chunk_rows": 0}, "Expected `int` >= 1 - at `$.chunk_rows`"),
        ({"target": ""}, "Expected `str` of length >= 1 - at `$.target`"),
    ],
)
def test_mistakes_in_settings_name_the_field(config: RunConfig, changes: dict[str, Any], message: str) -> None:
    settings = {name: value for name, value in (config.settings | changes).items() if value is not ...}
    with pytest.raises(ConfigError, match=re.escape(message)):
        checked(Training, settings)


def test_whole_numbers_serve_as_fractions_and_null_as_absent(config: RunConfig) -> None:
    settings = checked(Training, config.settings | {"threshold": 1, "test_data": None})
    assert settings.threshold == 1.0
    assert isinstance(settings.threshold, float)
    assert settings.test_data is None


def test_paths_in_settings_are_saved_as_text_and_read_as_paths(make_config: Callable[..., RunConfig]) -> None:
    config = make_config(test_data=Path("/somewhere/test.csv"))
    assert load_config(config.path).settings["test_data"] == "/somewhere/test.csv"
    assert checked(Training, load_config(config.path).settings).test_data == Path("/somewhere/test.csv")


def test_missing_file_and_other_text_name_the_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.json: cannot read .*No such file"):
        load_config(tmp_path / "none.json")
    path = tmp_path / "config.json"
    path.write_text("{")
    with pytest.raises(ConfigError, match=r"config\.json: not JSON"):
        load_config(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"config\.json: not JSON"):
        load_config(path)
    path.write_text("[]")
    with pytest.raises(ConfigError, match=r"config\.json: Expected `object`, got `array`"):
        load_config(path)


@pytest.mark.parametrize("size_bytes", [USUAL_BYTES - 1, USUAL_BYTES, USUAL_BYTES + 1, 3 * USUAL_BYTES])
def test_a_configuration_is_read_whole_whatever_its_size(config: RunConfig, size_bytes: int) -> None:
    written(config, pipeline="")
    lacking = size_bytes - config.path.stat().st_size
    written(config, pipeline="p" * lacking)
    assert config.path.stat().st_size == size_bytes
    assert load_config(config.path).pipeline == "p" * lacking

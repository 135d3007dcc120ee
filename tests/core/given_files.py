"""Small files as people bring them, and what is made of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from core.declaration import Data
from core.instrument.artifacts import check
from core.instrument.config import RunConfig
from core.instrument.errors import CoreError
from core.pipelines.training import source, steps


def lines(row: Callable[[int], str], head: str = "a,b,y", more: str = "") -> str:
    """Sixty rows, each by its number."""
    return "".join(f"{line}\n" for line in (head, *map(row, range(60)))) + more


def brought(folder: Path, content: str | bytes, test: str | None = None, **options: object) -> Data:
    path = folder / "data.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    if test is not None:
        (folder / "test.csv").write_text(test)
        options["test_data"] = str(folder / "test.csv")
    return source.SOURCE.given({"data": str(path), "target": "y", **options}, 7)


def refused(folder: Path, content: str | bytes) -> str:
    """In one line that begins with the file."""
    with pytest.raises(CoreError) as told:
        brought(folder, content)
    message = str(told.value)
    assert message.startswith(f"{folder / 'data.csv'}: ")
    assert "\n" not in message
    return message


def config_of(data: Data, folder: Path) -> RunConfig:
    config = RunConfig(
        pipeline="training", run_id="r", run_dir=folder / "run", effects_dir=folder / "e", settings={**data.settings}
    )
    config.save()
    return config


def table_of(data: Data, folder: Path) -> pd.DataFrame:
    return pd.read_parquet(check(steps.extract(str(config_of(data, folder).path))) / "source.parquet")


def features_of(data: Data, folder: Path) -> Path:
    path = str(config_of(data, folder).path)
    return check(steps.features(path, steps.validate(path, steps.extract(path))))


PLAIN = lines(lambda n: f"{n},{n % 7}.5,{n % 2}")

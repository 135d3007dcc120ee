"""What the runs are fed: the built-in transactions or a user's file, checked before anything starts."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bench.contract.errors import UsageError
from core.datasets import TARGET, Transactions, Widened, read_chunks, write_transactions
from core.instrument.artifacts import digest_of
from core.instrument.config import RunConfig, Validation
from core.instrument.errors import CoreError

PREVIEW_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Source:
    """The source data of every run of a result."""

    path: Path
    target: str
    columns: tuple[str, ...]
    seed: int
    test_path: Path | None = None
    generated: bool = False

    def config(self, run_id: str, run_dir: Path, registry: Path, **changes: Any) -> RunConfig:
        """The configuration of one run on this data; `changes` replace fields of it."""
        config = RunConfig(
            run_id=run_id, run_dir=run_dir, data=self.path, target=self.target, registry=registry,
            test_data=self.test_path, seed=self.seed, validation=Validation(columns=self.columns),
        )  # fmt: skip
        return dataclasses.replace(config, **changes)

    def describe(self) -> dict[str, Any]:
        """What the manifest says of the data; no path of this machine."""
        with self.path.open("rb") as stream:
            rows = sum(1 for _ in stream) - 1
        return {
            "name": "generated card transactions" if self.generated else self.path.name,
            "generated": self.generated,
            "rows": rows,
            "columns": list(self.columns),
            "target": self.target,
            "test_name": self.test_path.name if self.test_path else "",
            "digest": digest_of(self.path),
        }


def generated(path: Path, seed: int) -> Source:
    """Write the built-in transactions to `path`, if they are not there yet."""
    if not path.exists():
        write_transactions(Transactions(seed=seed), path)
    return Source(path, TARGET, _columns(path), seed, generated=True)


def users(data: Path, target: str | None, test_data: Path | None, seed: int) -> Source:
    """A user's own file(s); UsageError in one line if they cannot serve."""
    if target is None:
        raise UsageError(f"{data}: which column is to be predicted? Give --target COLUMN")
    columns = _columns(data)
    for path in (data, test_data) if test_data else (data,):
        if target not in _columns(path):
            raise UsageError(f"{path}: no column {target!r}; its columns are {', '.join(_columns(path))}")
    if test_data and (missing := [name for name in columns if name not in _columns(test_data)]):
        raise UsageError(f"{test_data}: lacks columns of {data.name}: {', '.join(missing)}")
    return Source(data.resolve(), target, columns, seed, test_data.resolve() if test_data else None)


def _columns(path: Path) -> tuple[str, ...]:
    try:
        first = _preview(path)
    except CoreError as error:
        raise UsageError(" ".join(str(error).split())) from error  # a parser's message may have two lines
    if first is None or first.empty:
        raise UsageError(f"{path}: the file has a header but no rows; give a file with data")
    return tuple(str(name) for name in first.columns)


def _preview(path: Path) -> pd.DataFrame | None:
    types: dict[str, str] = {}
    while True:
        try:
            return next(read_chunks(path, PREVIEW_ROWS, (), types), None)
        except Widened as wider:
            types = wider.types

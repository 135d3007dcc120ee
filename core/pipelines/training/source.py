"""The training pipeline's data: the built-in transactions or a user's file, checked before anything starts."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd

from core.declaration import Data
from core.instrument.artifacts import digest_of
from core.instrument.config import checked
from core.instrument.errors import ConfigError, DataError
from core.pipelines.csvfiles import Widened, content, options, read_chunks
from core.pipelines.dialect import PLAIN, Dialect, told
from core.pipelines.doubts import doubts
from core.pipelines.recognising import PLAUSIBLE, header, recognise
from core.pipelines.training.examined import Examined, examined
from core.pipelines.training.generator import ROWS, TARGET, Transactions, write_transactions
from core.pipelines.training.settings import Training, Validation
from core.pipelines.wording import listed, short

PREVIEW_ROWS = 10_000
NA_VALUES = ("?",)
MARKS = ("separator", "decimal", "encoding")
GIVEN = {"min_rows": 10, "max_null_fraction": 1.0, "max_duplicate_fraction": 1.0}
"""Rules for a user's file: what is only unusual is remarked on. The generator's own contract is stricter."""
RULES = {name: type(getattr(Validation(), name)) for name in Validation.__struct_fields__ if name != "columns"}
RENAMED_ROWS = 1000
"""As many rows of a source are kept when one of its columns is renamed: enough to be looked at."""


class TableSource:
    """A CSV file with a column to predict. See `core.declaration.Source`."""

    def generated(self, folder: Path, seed: int, rows: int | None = None) -> Data:
        """Card transactions that the seed draws."""
        path = folder / "transactions.csv"
        if not path.exists():
            write_transactions(Transactions(rows=ROWS if rows is None else rows, seed=seed), path)
        return prepared(path, TARGET, seed, name="generated card transactions")

    def given(self, options: Mapping[str, Any], seed: int) -> Data:
        """A user's own file or files; ConfigError or DataError in one line if no model can be trained on them."""
        data, target, test_data = Path(options["data"]), (options.get("target") or "").strip(), options.get("test_data")
        if not target:
            raise ConfigError(f"{data}: which column is to be predicted? Give --target COLUMN")
        paths = [data, *([Path(test_data)] if test_data else [])]
        dialects = [_dialect(path, options) for path in paths]
        words = tuple(options.get("na") or NA_VALUES)
        columns = [_with_target(path, dialect, target, words) for path, dialect in zip(paths, dialects, strict=True)]
        if missing := [name for name in columns[0] if name not in columns[-1]]:
            raise ConfigError(f"{paths[-1]}: lacks columns of {data.name}: {listed(missing)}")
        files = tuple(path.resolve() for path in paths)
        settings = {
            "data": str(files[0]), "target": target, "test_data": str(files[1]) if test_data else None, "seed": seed,
            "na_values": list(words), "leave_out": True,
            "validation": {**GIVEN, **_rules(options.get("rule") or ()), "columns": columns[0]},
            **dict(zip(("dialect", "test_dialect"), map(msgspec.to_builtins, dialects), strict=False)),
        }  # fmt: skip
        seen = _read_through(settings, files)
        remarks = [*_written(paths, dialects, options), *seen.remarks]
        about = {"rows": seen.rows, "remarks": remarks, "test_name": paths[1].name if test_data else ""}
        return _data(settings, about, files)

    def empty(self, data: Data, folder: Path) -> Mapping[str, Any]:
        """A header alone."""
        path = folder / "empty.csv"
        pd.DataFrame(columns=data.about["columns"]).to_csv(path, index=False)
        return {"data": str(path), "dialect": {}}

    def renamed(self, data: Data, folder: Path) -> Mapping[str, Any]:
        """The first column that is not the target has another name."""
        path = folder / "renamed.csv"
        column = next(name for name in data.about["columns"] if name != data.about["target"])
        dialect = msgspec.convert(data.settings.get("dialect", {}), Dialect)
        with content(Path(data.settings["data"]), dialect) as source:
            table = pd.read_csv(source, nrows=RENAMED_ROWS, dtype=str, **{**options(dialect, ()), "na_values": []})
        table.columns = [str(name).strip() for name in table.columns]
        table.rename(columns={column: f"{column}_v2"}).to_csv(path, index=False)
        return {"data": str(path), "dialect": {"decimal": dialect.decimal}}


SOURCE = TableSource()


def prepared(path: Path, target: str, seed: int, *, name: str = "") -> Data:
    """A file whose rows are known to be fit; named after itself unless it was generated under a `name`."""
    columns = columns_of(path)
    with path.open("rb") as stream:
        rows = sum(1 for _ in stream) - 1
    settings = {
        "data": str(path), "target": target, "test_data": None, "seed": seed, "validation": {"columns": list(columns)},
    }  # fmt: skip
    return _data(
        settings, {"name": name, "generated": bool(name), "rows": rows, "remarks": [], "test_name": ""}, (path,)
    )


def _data(settings: dict[str, Any], about: dict[str, Any], files: tuple[Path, ...]) -> Data:
    source, columns = files[0], settings["validation"]["columns"]
    known = {"columns": columns, "target": settings["target"], "digest": digest_of(source)}
    return Data(settings, {"generated": False, **about, **known, "name": about.get("name") or source.name}, files)


def _dialect(path: Path, given: Mapping[str, Any]) -> Dialect:
    """Of a file that can be read again and again, and whose name can be written down."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise ConfigError(f"{str(path).encode(errors='replace').decode()}: its name is not UTF-8; rename it") from None
    return recognise(path, **{mark: given.get(mark) or "" for mark in MARKS})


def _written(paths: Sequence[Path], dialects: Sequence[Dialect], options: Mapping[str, Any]) -> Iterator[str]:
    """How they are, as far as that is unusual or may be meant otherwise."""
    known = [mark for mark in MARKS if options.get(mark)]
    for path, dialect in zip(paths, dialects, strict=True):
        if how := told(dialect):
            yield f"{path.name}: {how}"
        yield from (f"{path.name}: {doubt}" for doubt in doubts(path, dialect, known))


def _with_target(path: Path, dialect: Dialect, target: str, missing: tuple[str, ...]) -> list[str]:
    """The columns of a file, among which the target has to be."""
    names = list(columns_of(path, dialect, missing))
    if target not in names:
        alike = next((name for name in names if name.casefold() == target.casefold()), "")
        hint = f"; did you mean {alike!r}?" if alike else ""
        if header(path, dialect, missing)[1] >= PLAUSIBLE:
            hint = "; its first line looks like data: put a line with names above it"
        raise ConfigError(f"{path}: no column {target!r}; its columns are {listed(names)}{hint}")
    return names


def _read_through(settings: Mapping[str, Any], files: tuple[Path, ...]) -> Examined:
    """DataError if no model can be trained on what it holds, or somebody writes to it."""
    before, training = [_state(path) for path in files], checked(Training, settings)
    try:
        seen = examined(training)
    except OSError as error:
        folder = tempfile.gettempdir()
        raise DataError(
            f"{files[0]}: no copy of it can be written to {folder} ({short(error)}); let TMPDIR name another folder"
        ) from error
    for path, state in zip(files, before, strict=True):
        if _state(path) != state:
            raise DataError(f"{path}: was changed while it was read; give a copy that nobody writes to")
    return seen


def _rules(wanted: Sequence[str]) -> dict[str, float]:
    """`NAME=VALUE` of each rule that is to be another; ConfigError if there is none of that name, or no number."""
    rules = {}
    for wish in wanted:
        name, _, value = wish.partition("=")
        if name not in RULES:
            raise ConfigError(f"--rule {wish}: there is no such rule; there are {', '.join(RULES)}")
        try:
            rules[name] = RULES[name](value)
        except ValueError:
            raise ConfigError(f"--rule {wish}: is not NAME=NUMBER") from None
        if not math.isfinite(rules[name]):
            raise ConfigError(f"--rule {wish}: is not NAME=NUMBER")
        try:
            checked(Validation, {name: rules[name]})
        except ConfigError as error:
            raise ConfigError(f"--rule {wish}: {error}") from None
    return rules


def _state(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def columns_of(path: Path, dialect: Dialect = PLAIN, missing: tuple[str, ...] = NA_VALUES) -> tuple[str, ...]:
    """Names of a CSV file's columns; DataError in one line if it cannot be read or has no rows."""
    header(path, dialect, missing)
    first = _preview(path, dialect)
    if first is None or first.empty:
        raise DataError(f"{path}: the file has a header but no rows; give a file with data")
    return tuple(str(name) for name in first.columns)


def _preview(path: Path, dialect: Dialect) -> pd.DataFrame | None:
    types: dict[str, str] = {}
    while True:
        try:
            return next(read_chunks(path, PREVIEW_ROWS, (), types, dialect), None)
        except Widened as wider:
            types = wider.types

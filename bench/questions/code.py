"""How much code does a user of an engine write? One pipeline, what it shares with others, and its configuration."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from bench.contract import registry
from bench.contract.project import PROJECT
from bench.contract.records import NO_PIPELINE, Sample
from bench.contract.words import Track
from bench.observe.store import Store
from bench.plan.arms import VERSION
from bench.plan.cell import Cell
from bench.plan.priced import Needs
from bench.questions.bound import Bound
from bench.questions.counting import COUNTERS, PYTHON, counted_lines, counter_of
from bench.questions.metric import Headline, Metric
from bench.questions.record import Question

CONFIG_SUFFIXES = frozenset({".yaml", ".yml", ".toml", ".json", ".ini", ".cfg"})
COMMENT_PREFIXES = ("#", ";", "//")
UNITS = {
    "sloc": "lines",
    "lloc": "lines",
    "comments": "lines",
    "cc_mean": "ratio",
    "cc_max": "count",
    "maintainability": "ratio",
    "halstead_effort": "effort",
    "symbols": "count",
    "config_lines": "lines",
    "glue_sloc": "lines",
}
AUTHORED = tuple(name for name in UNITS if name != "glue_sloc")
FEW = 1.05
"""A few lines decide nothing."""


def measure(bound: Bound, _: Cell) -> None:
    """Count the code of every engine of the result for every measured pipeline, and keep it beside the numbers."""
    manifest, store = bound.ledger.manifest, bound.conductor.store
    for engine in (name for name in manifest.titles if VERSION not in name):
        kind = registry.adapter(engine)
        version = manifest.versions.get(engine, {}).get(kind.install.package, "")
        for pipeline in bound.ledger.sources:
            for sample in count(PROJECT, engine, pipeline, version, kind.language.name):
                store.append(sample)
        store.append(glue(PROJECT, engine, version))
        keep(store, engine, list(bound.ledger.sources))


def count(root: Path, engine: str, pipeline: str, version: str = "", language: str = PYTHON) -> list[Sample]:
    """Return the authoring.* samples of a pipeline in `root/impl_<engine>`.

    They are valueless with the reason if there is no code for that pipeline alone or it cannot be read.
    """
    values: dict[str, float | None] = dict.fromkeys(AUTHORED)
    note = symbols = ""
    try:
        found, symbols = _authored(root / f"impl_{engine}", pipeline, language)
        values.update(found)
    except (OSError, LookupError, SyntaxError, subprocess.CalledProcessError) as error:
        note = f"failed: {error}"
    if not _folder(root / f"impl_{engine}", pipeline).is_dir():
        note = f"not measured: no code for {pipeline} alone; it is conducted as any declared graph is"
    return [
        Sample(
            engine=engine, version=version, pipeline=pipeline, metric=f"authoring.{name}", unit=UNITS[name],
            value=value, note=symbols if name == "symbols" and symbols else note,
        )
        for name, value in values.items()
    ]  # fmt: skip


def glue(root: Path, engine: str, version: str = "") -> Sample:
    """Return the size of the adapter and of what it is split into; without an adapter there is nothing to count."""
    folder = root / f"impl_{engine}"
    adapter = folder / "adapter.py"
    files = [adapter, *sorted(path for path in folder.glob("*.py") if path not in (adapter, folder / "__init__.py"))]
    value, note = None, ""
    try:
        value = float(COUNTERS[PYTHON].sloc(files))
    except (OSError, SyntaxError, subprocess.CalledProcessError) as error:
        note = f"failed: {error}"
    return Sample(
        engine=engine, version=version, pipeline=NO_PIPELINE, metric="authoring.glue_sloc", unit=UNITS["glue_sloc"],
        value=value, note=note,
    )  # fmt: skip


def written(folder: Path, pipeline: str) -> list[Path]:
    """What a user of an engine's folder writes for a pipeline: its files, and what lies beside them for it.

    Beside them are the configuration, which every pipeline has to have, and the modules that its files import.
    """
    own = sorted(path for path in _folder(folder, pipeline).rglob("*") if _is_text(path))
    beside = sorted(path for path in (folder / "pipelines").iterdir() if _is_text(path)) if own else []
    wanted: set[Path] = set()
    found = own
    while found:
        modules = {name for path in found if (counter := counter_of(path)) for name in counter.modules(path)}
        found = [path for path in beside if path.stem in modules and path not in wanted]
        wanted.update(found)
    return own + [path for path in beside if path in wanted or path.suffix in CONFIG_SUFFIXES]


def keep(store: Store, engine: str, pipelines: Sequence[str]) -> None:
    """Copy an engine's code for some pipelines, and its notes, into the result, with the numbers of counted lines."""
    origin, folder = PROJECT / f"impl_{engine}", store.folder / "code" / engine
    folder.mkdir(parents=True, exist_ok=True)
    counted = {}
    for path in dict.fromkeys(path for pipeline in pipelines for path in written(origin, pipeline)):
        name = path.relative_to(origin / "pipelines")
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / name)
        if counter_of(path):
            counted[name.as_posix()] = counted_lines(path)
    (folder / "counted.json").write_text(json.dumps(counted))
    if (notes := origin / "NOTES.md").exists():
        shutil.copy(notes, folder / "NOTES.md")


def _folder(folder: Path, pipeline: str) -> Path:
    return folder / "pipelines" / pipeline


def _is_text(path: Path) -> bool:
    return path.is_file() and (path.suffix in CONFIG_SUFFIXES or counter_of(path) is not None)


def _authored(folder: Path, pipeline: str, language: str) -> tuple[dict[str, float], str]:
    """What is counted, and the names that are taken from the engine."""
    if language not in COUNTERS:
        raise LookupError(f"nothing counts {language}")
    counter, files = COUNTERS[language], written(folder, pipeline)
    sources = [path for path in files if path.suffix in counter.suffixes]
    if not sources:
        raise FileNotFoundError(f"{_folder(folder, pipeline)}: no {language} files")
    own = {"core", folder.name}
    configs = (path for path in files if path.suffix in CONFIG_SUFFIXES)
    found = counter.count(sources, own) | {"config_lines": float(sum(map(_config_lines, configs)))}
    return found, ", ".join(sorted(counter.symbols(sources, own)))


def _config_lines(path: Path) -> int:
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return sum(1 for line in lines if line and not line.startswith(COMMENT_PREFIXES))


METRICS = (
    Metric("authoring.sloc", "Source lines", kind="exact", unit="lines", tolerance=FEW, help="no blanks, no comments"),
    Metric("authoring.lloc", "Logical lines", kind="exact", unit="lines", help="statements", tolerance=FEW),
    Metric("authoring.comments", "Comment lines", better="none", kind="info", unit="lines"),
    Metric("authoring.cc_mean", "Complexity, mean", kind="exact", unit="count", help="cyclomatic, per block"),
    Metric("authoring.cc_max", "Complexity, highest", kind="exact", unit="count"),
    Metric("authoring.maintainability", "Maintainability", "none", "info", "score", help="0 to 100, radon; not ranked"),
    Metric("authoring.halstead_effort", "Halstead effort", "none", "info", "score", help="radon; not ranked"),
    Metric("authoring.symbols", "Engine names used", kind="exact", unit="count", help="imported from the engine"),
    Metric("authoring.config_lines", "Configuration lines", kind="exact", unit="lines"),
    Metric(
        "authoring.glue_sloc", "Harness glue", "none", "info", "lines", help="the adapter; a user writes none of it"
    ),
)
QUESTIONS = (
    Question(
        key="code", group="code", title="How much code?", order=10, place=1, needs=Needs.NOTHING,
        cost_s=dict.fromkeys(Track, 1.0), budgets={"quick": 1, "standard": 1, "full": 1},
        measure=measure, metrics=METRICS,
        headlines=(
            Headline("authoring.sloc", "Source lines of the pipeline"),
            Headline("authoring.symbols", "Engine names to know"),
            Headline("authoring.cc_max", "Highest complexity"),
        ),
    ),
)  # fmt: skip

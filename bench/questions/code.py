"""How much code does a user of an engine write? All of its pipelines, and the configuration beside them."""

from __future__ import annotations

import json
import shutil
import subprocess
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
    """Count the code of every engine of the result, and keep it beside the numbers."""
    manifest = bound.ledger.manifest
    for engine in (name for name in manifest.titles if VERSION not in name):
        kind = registry.adapter(engine)
        version = manifest.versions.get(engine, {}).get(kind.install.package, "")
        for sample in count(PROJECT, engine, version, language_of(engine)):
            bound.conductor.store.append(sample)
        keep(bound.conductor.store, engine)


def language_of(engine: str) -> str:
    """Name of the language in which the engine's pipelines are written."""
    return registry.adapter(engine).language.name


def count(root: Path, engine: str, version: str = "", language: str = PYTHON) -> list[Sample]:
    """Return the authoring.* samples of `root/impl_<engine>`, valueless with the reason if it cannot be read."""
    folder = root / f"impl_{engine}"
    samples = []
    for part, names in ((_authored, AUTHORED), (_glue, ("glue_sloc",))):
        values: dict[str, float | None] = dict.fromkeys(names)
        note = symbols = ""
        try:
            found, symbols = part(folder, language)
            values.update(found)
        except (OSError, LookupError, SyntaxError, subprocess.CalledProcessError) as error:
            note = f"failed: {error.args[0] if isinstance(error, LookupError) else error}"
        samples += [
            Sample(
                engine=engine, version=version, pipeline=NO_PIPELINE, metric=f"authoring.{name}",
                unit=UNITS[name], value=values[name], note=symbols if name == "symbols" and symbols else note,
            )
            for name in names
        ]  # fmt: skip
    return samples


def keep(store: Store, engine: str) -> None:
    """Copy an engine's pipelines and notes into the result, with the numbers of the counted lines."""
    folder = store.folder / "code" / engine
    origin = PROJECT / f"impl_{engine}"
    shutil.copytree(origin / "pipelines", folder, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    sources = sorted(path for path in folder.rglob("*") if path.is_file() and counter_of(path))
    counted = {path.relative_to(folder).as_posix(): counted_lines(path) for path in sources}
    (folder / "counted.json").write_text(json.dumps(counted))
    notes = origin / "NOTES.md"
    if notes.exists():
        shutil.copy(notes, folder / "NOTES.md")


def _authored(folder: Path, language: str) -> tuple[dict[str, float], str]:
    """What is counted, and the names that are taken from the engine."""
    if language not in COUNTERS:
        raise LookupError(f"nothing counts {language}")
    counter, pipelines = COUNTERS[language], folder / "pipelines"
    sources = sorted(path for path in pipelines.rglob("*") if path.suffix in counter.suffixes)
    if not sources:
        raise FileNotFoundError(f"{pipelines}: no {language} files")
    own = {"core", folder.name}
    configs = (path for path in pipelines.rglob("*") if path.is_file() and path.suffix in CONFIG_SUFFIXES)
    found = counter.count(sources, own) | {"config_lines": float(sum(map(_config_lines, configs)))}
    return found, ", ".join(sorted(counter.symbols(sources, own)))


def _glue(folder: Path, _: str) -> tuple[dict[str, float], str]:
    """The adapter and what it is split into; without an adapter there is nothing to count."""
    adapter = folder / "adapter.py"
    files = [adapter, *sorted(path for path in folder.glob("*.py") if path not in (adapter, folder / "__init__.py"))]
    return {"glue_sloc": float(COUNTERS[PYTHON].sloc(files))}, ""


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

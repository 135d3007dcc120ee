"""Imports run one way, and in no circle: contracts for import-linter, made from the folders that are there.

Run in the checkout: `python tests/check_layers.py`. A new engine or package is met by its folder alone.
"""

from __future__ import annotations

import configparser
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import grimp
from importlinter.cli import lint_imports

from bench.contract import registry
from bench.contract.installing import PythonLock
from bench.contract.project import PROJECT

OF_BENCH = (
    "__main__", "cli", "analyse | campaign", "questions", "benchmarks", "run", "judge", "observe", "session", "plan",
    "contract",
)  # fmt: skip
"""From the top: each may import what stands below it. The reports stand between `cli` and `analyse`."""
ALL = ("bench.cli", "reports", *(f"bench.{one}".replace("| ", "| bench.") for one in OF_BENCH[2:]), "core")
DEPLOYED = ("pipelines", "binding", "variants")
"""Folders of an engine that the engine imports, and nothing here."""

Contract = dict[str, str | Iterable[str]]


def engines() -> dict[str, str]:
    """Folder of each engine -> the Python package that it is; empty if it is none."""
    found = {name: registry.adapter(name).install for name in registry.engines()}
    return {
        f"impl_{name}": one.import_name.partition(".")[0] if isinstance(one, PythonLock) else ""
        for name, one in found.items()
    }


def adapter_modules(folder: str) -> list[str]:
    return [f"{folder}.{path.stem}" for path in (PROJECT / folder).glob("*.py") if path.stem != "__init__"]


def deployed(folder: str) -> list[str]:
    return [f"{folder}.{one}" for one in DEPLOYED if (PROJECT / folder / one / "__init__.py").exists()]


def of_the_harness() -> Iterator[Contract]:
    yield {"name": "bench has these layers, and no other part", "type": "layers", "containers": ["bench"],
           "layers": OF_BENCH, "exhaustive": "true"}  # fmt: skip
    yield {"name": "imports run one way", "type": "layers", "layers": ALL}
    yield {"name": "only the command line starts a campaign", "type": "protected",
           "protected_modules": ["bench.campaign"], "allowed_importers": ["bench.cli"]}  # fmt: skip
    yield {"name": "the instrument knows no pipeline", "type": "forbidden", "source_modules": ["core.instrument"],
           "forbidden_modules": ["core.declaration", "core.pipelines"]}  # fmt: skip
    yield {"name": "a declaration knows no pipeline", "type": "forbidden", "source_modules": ["core.declaration"],
           "forbidden_modules": ["core.pipelines"]}  # fmt: skip


def of_engines(folders: dict[str, str], known: set[str]) -> Iterator[Contract]:
    parts = {f"bench.{path.stem}" for path in (PROJECT / "bench").iterdir() if f"bench.{path.stem}" in known}
    yield {"name": "engines know nothing of each other", "type": "independence", "modules": folders}
    yield {"name": "core and harness know no engine's folder", "type": "forbidden",
           "source_modules": ["core", "bench", "reports"], "forbidden_modules": folders}  # fmt: skip
    yield {"name": "of the harness, an engine's folder sees bench.contract only", "type": "forbidden",
           "source_modules": folders, "forbidden_modules": [*sorted(parts - {"bench.contract"}), "reports"],
           "allow_indirect_imports": "true"}  # fmt: skip
    yield {"name": "of core, an adapter sees core.declaration only", "type": "forbidden",
           "source_modules": [one for folder in folders for one in adapter_modules(folder)],
           "forbidden_modules": ["core.instrument", "core.pipelines"], "allow_indirect_imports": "true"}  # fmt: skip
    yield {"name": "pipelines are imported by their engine, not by this project", "type": "protected",
           "protected_modules": [one for folder in folders for one in deployed(folder)],
           "allowed_importers": ""}  # fmt: skip
    for folder, package in folders.items():
        if package in known:
            yield {"name": f"nothing but its own pipelines imports {package}", "type": "protected",
                   "protected_modules": [package], "allowed_importers": deployed(folder)}  # fmt: skip


def written(roots: list[str], contracts: Iterable[Contract]) -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser["importlinter"] = {"root_packages": "\n".join(roots), "include_external_packages": "true"}
    for number, contract in enumerate(contracts, 1):
        parser[f"importlinter:contract:{number}"] = {
            key: value if isinstance(value, str) else "\n".join(value) for key, value in contract.items()
        }
    return parser


def circles(graph: grimp.ImportGraph) -> set[str]:
    """Modules of which each imports another that leads back to it."""
    left = {one: graph.find_modules_directly_imported_by(one) for one in graph.modules}
    while ends := {one for one, imported in left.items() if not imported & left.keys()}:
        left = {one: imported for one, imported in left.items() if one not in ends}
    return set(left)


def main() -> int:
    folders = engines()
    roots = ["core", "bench", "reports", *folders]
    graph = grimp.build_graph(*roots, include_external_packages=True, cache_dir=None)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "contracts.ini"
        with file.open("w") as stream:
            written(roots, [*of_the_harness(), *of_engines(folders, graph.modules)]).write(stream)
        failed = lint_imports(config_filename=str(file), no_cache=True)
    circular = circles(graph)
    sys.stderr.writelines(f"in a circle of imports: {one}\n" for one in sorted(circular))
    return int(bool(failed or circular))


if __name__ == "__main__":
    sys.exit(main())

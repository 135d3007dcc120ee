"""The house stays one that can be read: small files, short functions, no import circle."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator, Mapping
from pathlib import Path

import names
import numpy as np

PROJECT = Path(__file__).parents[2]
PACKAGES = ("core", "bench", "reports", "impl_")
MEDIAN_LINES, NINETIETH_LINES = 130, 260
FUNCTION_LINES, LONGER_FUNCTIONS = 30, 12
"""So many functions at most are longer: those that are one list, or one loop that would be harder to read in two."""


def modules() -> dict[str, Path]:
    found = [path for path in names.sources(PROJECT) if path.suffix == ".py" and str(path).startswith(PACKAGES)]
    return {".".join(path.with_suffix("").parts).removesuffix(".__init__"): path for path in found}


def lines(path: Path) -> int:
    return len((PROJECT / path).read_text().splitlines())


def written() -> list[Path]:
    """Without the files that only say what a folder is."""
    return [path for path in modules().values() if lines(path) > 1]


def test_files_are_small() -> None:
    sizes = [lines(path) for path in written()]
    assert statistics.median(sizes) < MEDIAN_LINES
    assert np.percentile(sizes, 90) < NINETIETH_LINES


def long_functions() -> Iterator[tuple[int, str]]:
    for path in written():
        for node in ast.walk(ast.parse((PROJECT / path).read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                size = (node.end_lineno or 0) - node.lineno + 1
                if size > FUNCTION_LINES:
                    yield size, f"{path}:{node.lineno} {node.name}"


def test_functions_are_short() -> None:
    found = sorted(long_functions(), reverse=True)
    assert len(found) <= LONGER_FUNCTIONS, found


def imports(known: Mapping[str, Path]) -> dict[str, set[str]]:
    """Module -> those of ours that it imports, anywhere in it; a package that is only passed through is none."""
    graph: dict[str, set[str]] = {}
    for name, path in known.items():
        wanted: set[str] = set()
        for node in ast.walk(ast.parse((PROJECT / path).read_text())):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                for one in node.names:
                    full = f"{node.module}.{one.name}"
                    wanted.add(full if full in known else node.module)
            elif isinstance(node, ast.Import):
                wanted |= {one.name for one in node.names}
        graph[name] = (wanted & known.keys()) - {name}
    return graph


def reachable(graph: Mapping[str, set[str]], start: str) -> set[str]:
    met: set[str] = set()
    left = list(graph[start])
    while left:
        one = left.pop()
        if one not in met:
            met.add(one)
            left += graph[one]
    return met


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = imports(modules())
    assert sorted(name for name in graph if name in reachable(graph, name)) == []

"""Counts Python: radon over files that are formatted alike first."""

from __future__ import annotations

import ast
import io
import shutil
import subprocess
import sys
import tempfile
import tokenize
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from radon.complexity import add_inner_blocks, cc_visit
from radon.metrics import h_visit, mi_visit
from radon.raw import analyze
from radon.visitors import Function


@dataclass(frozen=True, slots=True)
class _File:
    """What radon says of one formatted file."""

    sloc: int
    lloc: int
    comments: int
    complexities: tuple[int, ...]
    maintainability: float
    effort: float
    symbols: frozenset[str]


class Python:
    """The counter of Python."""

    suffixes = (".py",)

    def lines(self, path: Path) -> list[int]:
        """Numbers, from 1, of the lines that count as code: neither blank, comment nor docstring."""
        return _code_lines(path.read_text(encoding="utf-8"))

    def sloc(self, paths: Sequence[Path]) -> int:
        """How many such lines some files have, formatted alike."""
        return sum(len(_code_lines(text)) for text in _formatted(paths))

    def modules(self, path: Path) -> set[str]:
        """Names of the modules that a file takes in, up to their first dot."""
        found: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                found.add((node.module or "").split(".")[0])
            elif isinstance(node, ast.Import):
                found.update(alias.name.split(".")[0] for alias in node.names)
        return found

    def symbols(self, paths: Sequence[Path], own: Collection[str]) -> set[str]:
        """Distinct names that the files take from elsewhere than `own` modules, as module.name."""
        modules = {path.stem for path in paths} | set(own)
        return {name for path in paths for name in _symbols(path.read_text(encoding="utf-8"), modules)}

    def count(self, paths: Sequence[Path], own: Collection[str]) -> dict[str, float]:
        """Size and complexity of the files together."""
        modules = {path.stem for path in paths} | set(own)
        files = [_analyse(text, modules) for text in _formatted(paths)]
        complexities = [c for file in files for c in file.complexities]
        sloc = sum(file.sloc for file in files)
        return {
            "sloc": sloc,
            "lloc": sum(file.lloc for file in files),
            "comments": sum(file.comments for file in files),
            "cc_mean": sum(complexities) / len(complexities) if complexities else 0,
            "cc_max": max(complexities, default=0),
            "maintainability": sum(f.maintainability * f.sloc for f in files) / sloc if sloc else 100.0,
            "halstead_effort": sum(file.effort for file in files),
            "symbols": len(frozenset[str]().union(*(file.symbols for file in files))),
        }


def _analyse(text: str, own: set[str]) -> _File:
    raw = analyze(text)
    functions = [block for block in add_inner_blocks(cc_visit(text)) if isinstance(block, Function)]
    return _File(
        sloc=len(_code_lines(text)),
        lloc=raw.lloc,
        comments=raw.comments,
        complexities=tuple(block.complexity for block in functions),
        maintainability=mi_visit(text, multi=True),
        effort=h_visit(text).total.effort,
        symbols=frozenset(_symbols(text, own)),
    )


def _formatted(paths: Sequence[Path]) -> list[str]:
    """The files' texts after the formatter with one fixed setting, so that style is no difference."""
    with tempfile.TemporaryDirectory() as temporary:
        copies = [Path(temporary) / f"{number}.py" for number in range(len(paths))]
        for path, copy in zip(paths, copies, strict=True):
            shutil.copyfile(path, copy)
        ruff = Path(sys.executable).with_name("ruff")
        settings = ["--isolated", "--line-length", "120", "--target-version", "py311", "--no-cache", "--quiet"]
        subprocess.run([ruff, "format", *settings, *copies], check=True, capture_output=True, text=True)
        return [copy.read_text(encoding="utf-8") for copy in copies]


def _code_lines(text: str) -> list[int]:
    ignored = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in ignored:
            # a line inside a multi-line string counts unless it is blank
            first, last = token.start[0], token.end[0]
            lines.update(n for n in range(first, last + 1) if text.splitlines()[n - 1].strip())
    return sorted(lines - _docstring_lines(ast.parse(text)))


def _docstring_lines(tree: ast.Module) -> set[int]:
    """Lines of strings that stand as statements of their own: docstrings, of attributes too."""
    strings = (
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    )
    return {line for string in strings for line in range(string.lineno, (string.end_lineno or string.lineno) + 1)}


def _symbols(text: str, own: set[str]) -> set[str]:
    """Names imported from modules that are neither `own` nor in the standard library, or used from one."""
    foreign = set(sys.stdlib_module_names) | own | {"__future__"}
    tree = ast.parse(text)
    found: set[str] = set()
    aliases: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            if node.module.split(".")[0] not in foreign:
                found.update(f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            modules = [(alias.name, alias.asname) for alias in node.names]
            aliases.update({short or name: name for name, short in modules if name.split(".")[0] not in foreign})
    return found | {name for node in ast.walk(tree) if (name := _used(_dotted(node), aliases))}


def _used(dotted: str, aliases: dict[str, str]) -> str:
    """`engine.op` for `en.op` after `import engine as en`; empty for all else."""
    for alias, module in aliases.items():
        rest = dotted.removeprefix(f"{alias}.")
        if rest != dotted:
            return f"{module}.{rest.split('.')[0]}"
    return ""


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""

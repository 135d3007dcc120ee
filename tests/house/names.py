"""Finds names in sources: as whole words of identifiers, of texts that are no docstrings, and of file names."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
COMMENTS = {".j2": re.compile(r"{#.*?#}", re.DOTALL), ".css": re.compile(r"/\*.*?\*/", re.DOTALL),
            ".js": re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL), "": re.compile(r"(?m)#[^\n]*")}  # fmt: skip
"""What is prose in sources that are not Python, by suffix."""


class Met(NamedTuple):
    """Where a name stands."""

    path: str
    line: int
    text: str


def words(text: str) -> tuple[str, ...]:
    """Whole words, split at all that is no letter or digit, and at capitals; in small letters."""
    return tuple(word.lower() for word in WORD.findall(text))


def holds(found: tuple[str, ...], name: tuple[str, ...]) -> bool:
    """Whether the words of a name stand side by side among those of a text."""
    return any(found[at : at + len(name)] == name for at in range(len(found) - len(name) + 1))


def sources(root: Path) -> list[Path]:
    """Everything of the product that is no prose and no test, as far as it is kept in the repository."""
    listed = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True).stdout.split()
    kinds = (".py", ".j2", ".css", ".js", ".ini", ".toml")
    named = [path for path in map(Path, listed) if path.suffix in kinds or path.name in ("orchbench", "run")]
    return [path for path in named if path.parts[0] not in ("tests", "examples") and "kept" not in path.parts]


def texts(path: Path, root: Path) -> Iterator[tuple[int, str]]:
    """Each text of a source in which a name would be one, with its line; the path itself is in line 0."""
    yield 0, str(path.with_suffix(""))
    content = (root / path).read_text(encoding="utf-8")
    if path.suffix == ".py":
        yield from _of_python(content)
        return
    prose = COMMENTS.get(path.suffix, COMMENTS[""])
    yield from enumerate(prose.sub(lambda met: "\n" * met[0].count("\n"), content).splitlines(), 1)


def _of_python(content: str) -> Iterator[tuple[int, str]]:
    tree = ast.parse(content)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.lineno, node.value
    for token in tokenize.generate_tokens(io.StringIO(content).readline):
        if token.type == tokenize.NAME:
            yield token.start[0], token.string
    for node in ast.walk(tree):  # names within an f-string are no tokens of their own
        if isinstance(node, ast.FormattedValue):
            yield from ((node.lineno, name) for one in ast.walk(node) for name in _named(one))


def _named(node: ast.AST) -> Iterator[str]:
    yield from (getattr(node, field) for field in ("id", "attr", "arg") if isinstance(getattr(node, field, 0), str))


@cache
def _split(path: Path, root: Path) -> tuple[tuple[int, str, tuple[str, ...]], ...]:
    """Each text of a source with its line and its words: read once for all names."""
    return tuple((line, text, words(text)) for line, text in texts(path, root))


def met(name: str, root: Path, own: tuple[str, ...], excepted: frozenset[str] = frozenset()) -> list[Met]:
    """Where a name stands outside of the folders that are its own, and of the files that are excepted."""
    sought = words(name)
    return [
        Met(str(path), line, text)
        for path in sources(root)
        if not str(path).startswith(own) and str(path) not in excepted
        for line, text, found in _split(path, root)
        if holds(found, sought)
    ]

"""Finds questions: a file of this folder, or a folder with a question.py, that has QUESTIONS; nothing is registered."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path

from bench.contract.errors import UsageError
from bench.questions.record import Question

FOLDER = Path(__file__).parent


@cache
def questions() -> tuple[Question, ...]:
    """All questions, in the order in which they are asked in a session."""
    files = [path.stem for path in FOLDER.glob("*.py") if path.name != "__init__.py"]
    folders = [f"{path.parent.name}.question" for path in FOLDER.glob("*/question.py")]
    modules = [import_module(f"bench.questions.{name}") for name in sorted((*files, *folders))]
    found = [one for module in modules for one in getattr(module, "QUESTIONS", ())]
    return tuple(sorted(found, key=lambda one: one.order))


def groups() -> tuple[str, ...]:
    """What `--only` can name, in the order in which it is told."""
    told = sorted(questions(), key=lambda one: one.place)
    return tuple(dict.fromkeys(one.group for one in told if one.group))


def checked(only: list[str]) -> list[str]:
    """The groups as they were given; UsageError naming the known ones if there is no such group."""
    for name in only:
        if name not in groups():
            raise UsageError(f"--only {name}: there is no such question; there are {', '.join(groups())}")
    return only

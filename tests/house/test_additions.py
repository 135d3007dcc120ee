"""A question is a file and a scenario is a record: those of CONTRIBUTING's recipe are found where they are put."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from checkout import PROJECT, Checkout, copied

EXAMPLE = re.compile(r"such as\s`(\S+)`:\n\n```python\n(.*?)```", re.DOTALL)
EXAMPLES = dict(EXAMPLE.findall((PROJECT / "CONTRIBUTING.md").read_text()))
QUESTION, SCENARIO = "logs", "bad_artifact"

PLAN = """
import json
from bench.contract import registry
from bench.plan.arms import arms
from bench.plan.budgets import BUDGETS
from bench.plan.pipelines import default
from bench.plan.planner import plan
from bench.questions.discovery import questions

def cells(budget, only):
    wanted = arms(budget, registry.engines()[:1], budget.tracks, default())
    return plan(budget, questions(), wanted, only, seed=7)

print(json.dumps({
    "by itself": [one.planned.block for one in cells(BUDGETS["full"], []) if one.question.key == QUESTION],
    "asked for": [one.question.key for one in cells(BUDGETS["quick"], [QUESTION])],
    "conducted": [name for one in cells(BUDGETS["full"], ["recovery"]) for name in one.topics],
}))
"""
MEANING = """
import json
from bench.plan.scenarios import GROUPS
from bench.questions.catalogue import METRICS, subject
from bench.questions.discovery import questions

print(json.dumps({
    "metric": METRICS["logs.run_bytes"].title,
    "rows": [row.title for one in questions() if one.key == QUESTION for row in one.headlines],
    "scenario": subject(SCENARIO),
    "group": next(title for title, held in GROUPS.items() if SCENARIO in [one.key for one in held]),
}))
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A copy of its own, with the two files and no engine."""
    copy = copied(tmp_path_factory.mktemp("additions") / "checkout")
    for name, content in EXAMPLES.items():
        assert not (copy.root / name).exists()
        (copy.root / name).write_text(content)
    return copy


def told(house: Checkout, script: str) -> dict[str, list[str]]:
    """What a script prints that runs in the copy."""
    names = f"QUESTION, SCENARIO = {QUESTION!r}, {SCENARIO!r}"
    found: dict[str, list[str]] = json.loads(house.run("-c", names + script))
    return found


def test_the_recipe_has_one_of_each() -> None:
    assert {str(Path(name).parent) for name in EXAMPLES} == {"bench/questions", "bench/plan/scenarios"}


def test_the_command_line_names_them(house: Checkout) -> None:
    listed = house.run("-m", "bench", "list")
    (groups,) = re.findall(r"^only +(.*)$", listed, re.MULTILINE)
    assert QUESTION in groups.split(", ")
    assert SCENARIO in re.findall(r"^fault +(\S+) ", listed, re.MULTILINE)


def test_they_stand_in_the_plan(house: Checkout) -> None:
    found = told(house, PLAN)
    assert len(set(found["by itself"])) == 3, "in as many blocks as it says"
    assert QUESTION in found["asked for"]
    assert SCENARIO in found["conducted"]


def test_what_they_mean_is_read_from_their_records(house: Checkout) -> None:
    assert told(house, MEANING) == {
        "metric": "Log of a run",
        "rows": ["Log of a run"],
        "scenario": "No effect of a corrupt artifact",
        "group": "What must be refused",
    }


def test_nothing_else_was_touched(house: Checkout) -> None:
    assert house.changes() == [f"?? {name}" for name in sorted(EXAMPLES)]

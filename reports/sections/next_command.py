"""What would decide a use case that a result leaves open: the command, and its minutes by its budget."""

from __future__ import annotations

import math

from bench.analyse.tell_apart import ONE_RUN, ONE_SESSION
from bench.contract.records import Manifest
from bench.contract.words import Track
from bench.plan import budgets, planner
from bench.plan.arms import arms
from bench.plan.budgets import Budget
from bench.plan.costs import Estimates
from bench.plan.priced import ONLY_BLOCKS
from bench.questions.discovery import questions
from reports.sections.usecases import UseCase
from reports.words.numbers import plural

LADDER = ("standard", "full")
"""Budgets, each with more sessions than the one before."""
FACTS = "code"
WOULD = "Would decide it"
EXACT = "These are facts: to measure again changes nothing."
CATALOGUE = "This catalogue has no more families of faults: they do not tell the engines apart."
MOST = "No command has more of it: this result's own spread is what leaves it open."


def would_decide(case: UseCase, status: str, few: str, manifest: Manifest) -> str:
    """One sentence: a command that has sessions or runs enough, and is more than what made this result.

    `few`: of what there is too little, as `bench.analyse.tell_apart` says it.
    """
    group, measured = case.section, status != "insufficient"
    if group == FACTS and measured:
        return EXACT
    passed = _passed(group, manifest) if measured else 0
    paired = case.criteria[0].paired
    if paired or (case.criteria[0].required and few != ONE_SESSION):
        # a result of an earlier version had one run of what now has several
        enough = passed and few != ONE_RUN
        return (CATALOGUE if paired else MOST) if enough else _would(group, LADDER[0], manifest)
    able = (name for name in LADDER[passed:] if group == FACTS or _sessions(group, name) > 1)
    name = next(able, "")
    if not name:
        return MOST
    return _would(group, name, manifest, WOULD if few or not measured else "With more sessions of it")


def _passed(group: str, manifest: Manifest) -> int:
    """How many steps of the ladder the result has behind it."""
    only = tuple(manifest.arguments.get("only") or ())
    if manifest.budget == LADDER[1]:
        return 2 if not only or group in only else 0
    return int(manifest.budget == LADDER[0] and only == (group,))


def _sessions(group: str, name: str) -> int:
    """How many sessions of an arm the budget has for that group, if nothing else is asked for."""
    asked = [one.budgets.get(name, 0) or ONLY_BLOCKS for one in questions() if one.group == group]
    return min(max(asked, default=0), _budget(group, name).blocks)


def _budget(group: str, name: str) -> Budget:
    return budgets.chosen({"budget": name, "only": [group]})


def _would(group: str, name: str, manifest: Manifest, lead: str = WOULD) -> str:
    return f"{lead}: {_command(group, name, manifest)}."


def _command(group: str, name: str, manifest: Manifest) -> str:
    """For the terminal, with how long it takes at most; without a deadline as the plan guesses."""
    budget = _budget(group, name)
    words = ["./orchbench run", *(["--budget", name] if name != LADDER[0] else []), "--only", group]
    if budget.limit_s is None:
        words += ["--track", Track.TUNED]
    guessed_s = _guessed_s(group, budget, manifest)
    minutes = math.ceil(min(guessed_s, budget.limit_s or guessed_s) / 60)
    return f"`{' '.join(words)}`, about {plural(minutes, 'minute')}"


def _guessed_s(group: str, budget: Budget, manifest: Manifest) -> float:
    """Before anything is measured, of this result's engines."""
    names = list(manifest.arguments.get("engine") or [one.name for one in manifest.engines])
    every = arms(budget, names, budget.tracks if budget.limit_s else (Track.TUNED,), manifest.plain[:1])
    return Estimates().sessions_s(planner.plan(budget, questions(), every, (group,), seed=manifest.seed))

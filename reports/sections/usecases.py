"""Use cases and their rules, as data."""

from __future__ import annotations

from dataclasses import dataclass

from bench.analyse.families import METRICS


@dataclass(frozen=True, slots=True)
class Criterion:
    """One question of a rule: a metric, or the sum of several that `topics` and `leaves` span."""

    title: str
    metrics: tuple[str, ...]
    mode: str = ""
    required: bool = False
    """An outcome that must be a good one: who is told apart from the best is out; all are if none ever came right."""
    paired: bool = False
    """Over the families of faults that two engines share, by the paired test; no metric is ranked by itself."""


@dataclass(frozen=True, slots=True)
class UseCase:
    """Criteria in order: the first that tells the engines apart decides."""

    key: str
    title: str
    wanted: str
    section: str
    criteria: tuple[Criterion, ...]


BUGS = ("exception", "renamed_column", "import_error")


def _over_bugs(*leaves: str) -> tuple[str, ...]:
    return tuple(f"debugging.{bug}.{leaf}" for bug in BUGS for leaf in leaves)


def _served(title: str, name: str) -> Criterion:
    return Criterion(title, (name,), mode="served")


USE_CASES = (
    UseCase("least-code", "Least code to write", "The fewest lines that a user writes and reads.", "code", (
        Criterion("source lines", ("authoring.sloc",)),
        Criterion("engine names used", ("authoring.symbols",)),
    )),
    UseCase("first-run", "Quickest from nothing to a first run", "An empty folder, then a successful run.", "setup", (
        Criterion("total setup time", ("setup.total_s",)),
    )),
    UseCase("small-install", "Small install", "Images and laptops with little room.", "setup", (
        Criterion("disk used by the environment", ("setup.disk_bytes",)),
        Criterion("installed packages", ("setup.packages",)),
    )),
    UseCase("least-wait", "Shortest wait for a served run", "Runs on a server, one after another.", "runtime", (
        _served("completion time", "runtime.completion_s"),
        _served("overhead", "runtime.overhead_s"),
    )),
    UseCase("low-latency", "Lowest latency between steps", "Many short steps on a server.", "runtime", (
        _served("latency between steps", "runtime.transition_s"),
        _served("sum of the latencies of a run", "runtime.transitions_total_s"),
    )),
    UseCase("local", "Light local development", "Run the pipeline on a laptop without a server.", "runtime", (
        Criterion("completion time from process start", ("runtime.completion_s",), mode="local"),
        Criterion("import time", ("setup.import_s",)),
    )),
    UseCase("killed", "Survives a killed step by itself", "Machines that run out of memory or go away.", "recovery", (
        Criterion("the run completes by itself", ("recovery.step_killed.outcome",), required=True),
        Criterion("effects done twice", ("recovery.step_killed.duplicates",)),
        Criterion("recovery time", ("recovery.step_killed.recovery_s",)),
    )),
    UseCase("night", "Left alone at 3 AM", "Steps, workers, servers and databases that fail or go away.", "recovery", (
        Criterion("families of this catalogue's faults after which a run completes correctly by itself",
                  tuple(METRICS), paired=True),
    )),
    UseCase("resume", "Repair without repeating finished work", "Long pipelines that fail near the end.", "recovery", (
        Criterion("the run completes after the fix", ("recovery.resume_after_fix.outcome",), required=True),
        Criterion("lost work", ("recovery.resume_after_fix.wasted_s",)),
        Criterion("recovery time", ("recovery.resume_after_fix.recovery_s",)),
    )),
    UseCase("debugging", "Fastest to show why it broke", "Whoever is on call at night.", "debugging", (
        Criterion("exception, file and line named, over all bugs",
                  _over_bugs("names_exception", "names_file", "names_line")),
        Criterion("time until visible, over all bugs", _over_bugs("visible_s")),
        Criterion("lines to read down to the cause, over all bugs", _over_bugs("lines_to_cause")),
    )),
)  # fmt: skip

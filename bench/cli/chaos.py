"""`chaos`: break the engines on purpose, in chosen ways or at drawn points, and report what came out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.measuring import Quiet, Seed, conduct
from bench.cli.preparing import begin, default_engines
from bench.cli.progress import Progress
from bench.contract.project import PROJECT
from bench.contract.targets import Target
from bench.contract.words import Track
from bench.plan import pipelines
from bench.plan.budgets import CHAOS, chaos_budget


def chaos(
    *,
    engine: Annotated[list[str] | None, typer.Option(help="Only this engine; repeatable.")] = None,
    track: Annotated[list[Track] | None, typer.Option(help="Only this track; repeatable. [default: tuned]")] = None,
    pipeline: Annotated[list[str] | None, typer.Option(help="Only this pipeline; repeatable.")] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            help="A scenario of 'orchbench list', or kill, crash, pause, restart at drawn points; repeatable."
        ),
    ] = None,
    role: Annotated[list[Target] | None, typer.Option(help="Only points that strike this; repeatable.")] = None,
    at: Annotated[
        list[str] | None,
        typer.Option(
            help="Only these points: a step, or early, heavy, effect, last; before:heavy, in:heavy, submit; repeatable."
        ),
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="How many points are drawn for each engine.")] = 5,
    seed: Seed = 7,
    output: Annotated[Path, typer.Option("-o", "--output", help="Where results are kept.")] = PROJECT / "results",
    quiet: Quiet = False,
) -> None:
    """Break running engines on purpose, and judge what became of the runs. An interrupted one: run --resume."""
    wish = {"fault": fault or [], "role": [str(one) for one in role or []], "at": at or [], "count": count}
    measured = list(dict.fromkeys(pipeline or pipelines.default()))
    pipelines.require(measured)
    chaos_budget(wish, measured)  # wrong words are told before anything starts
    arguments = {
        "engine": list(dict.fromkeys(engine or default_engines())),
        "track": [str(t) for t in dict.fromkeys(track or [Track.TUNED])],
        "with": [], "pipeline": measured, "again": None, "budget": CHAOS, "only": [], "seed": seed,
        "target": None, "data": None, "test_data": None,
        "chaos": wish,
    }  # fmt: skip
    progress = Progress(quiet=quiet)
    conduct(begin(arguments, output, progress), progress)

"""`run`: measure the engines and write the report."""

from __future__ import annotations

import re
import signal
import sys
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from bench.campaign import Job
from bench.cli.codes import EXIT_ENGINE, EXIT_INTERRUPTED
from bench.cli.progress import Progress
from bench.cli.results import objections, summarise
from bench.contract import registry
from bench.contract.errors import EngineError, StorageError, UsageError
from bench.contract.installing import versions
from bench.contract.project import PROJECT
from bench.contract.records import SCHEMA_VERSION, Failure, Manifest, Sample
from bench.contract.words import Track
from bench.observe import declared, host, reading, store
from bench.observe.describing import promise
from bench.observe.store import storing
from bench.plan.budgets import BUDGETS, Budget, Group, chosen
from bench.plan.planner import AGAIN, AGAIN_ENGINE, INLINE, VERSION, Clock, plan
from bench.plan.workloads import published
from bench.run.source import Source, generated, given
from bench.session import environments
from bench.session.supervisor import Supervisor
from bench.session.workspace import clean_environment, core_digest, make_scratch
from core.declaration import Pipeline, pipeline, pipelines
from reports.pages.render import write_report

MAIN_PACKAGES = ("pandas", "pyarrow", "numpy", "scikit-learn", "xgboost-cpu")


class BudgetName(StrEnum):
    """How much is measured: quick 8 minutes, standard 45, full without a deadline."""

    QUICK = "quick"
    STANDARD = "standard"
    FULL = "full"


def run(
    *,
    engine: Annotated[list[str] | None, typer.Option(help="Only this engine; repeatable.")] = None,
    track: Annotated[list[Track] | None, typer.Option(help="Only this track; repeatable.")] = None,
    budget: Annotated[BudgetName, typer.Option(help="How much is measured.")] = BudgetName.STANDARD,
    only: Annotated[list[Group] | None, typer.Option(help="Only this question; repeatable.")] = None,
    with_: Annotated[
        list[str] | None, typer.Option("--with", help="Another version of an engine, as airflow==3.3.1; repeatable.")
    ] = None,
    data_file: Annotated[Path | None, typer.Option("--data", help="Your own CSV file.")] = None,
    target: Annotated[str | None, typer.Option(help="The column to predict; with --data.")] = None,
    test_data: Annotated[Path | None, typer.Option(help="Held-out rows; without it the data are split.")] = None,
    seed: Annotated[int, typer.Option(help="Draws data, order and offsets.")] = 7,
    output: Annotated[Path, typer.Option("-o", "--output", help="Where results are kept.")] = PROJECT / "results",
    resume: Annotated[Path | None, typer.Option(help="Finish this interrupted result.")] = None,
) -> None:
    """Measure the engines and write the comparison report."""
    if resume:
        job, progress = _resumed(resume)
    else:
        arguments = {
            "engine": list(dict.fromkeys(engine or registry.engines())),
            "track": [str(t) for t in dict.fromkeys(track or BUDGETS[budget].tracks)],
            "with": list(dict.fromkeys(with_ or [])),
            "budget": str(budget), "only": [str(o) for o in only or []], "seed": seed, "target": target,
            "data": str(data_file.absolute()) if data_file else None,
            "test_data": str(test_data.absolute()) if test_data else None,
        }  # fmt: skip
        job, progress = begin(arguments, output)
    conduct(job, progress)


def begin(arguments: dict[str, Any], output: Path) -> tuple[Job, Progress]:
    """Check everything that a user gave, before anything starts or is written."""
    for name in arguments["engine"]:
        registry.adapter(name)
    for wish in arguments["with"]:
        _other_version(wish, arguments["engine"])
    if arguments["data"] is None and (arguments["target"] or arguments["test_data"]):
        raise UsageError("--target and --test-data need --data FILE.csv")
    source = _users_source(arguments)
    opened = store.create(output)
    budget = chosen(arguments)
    with storing(opened.folder):
        source = source or generated(_pipeline(arguments), opened.folder / "data", arguments["seed"])
    manifest = Manifest(
        created_utc=datetime.now(UTC).isoformat(), budget=budget.name, budget_s=budget.limit_s,
        seed=arguments["seed"], arguments=arguments, data=source.describe(), host=host.describe(),
        core=core_digest(), versions={}, pipelines=declared.pipelines(_pipeline(arguments).name),
        published=published.told(), published_source=published.SOURCE_TOLD,
    )  # fmt: skip
    return _prepared(opened, manifest, source)


def _other_version(wish: str, engines: list[str]) -> str:
    """The arm's name for another version: airflow==3.3.1, with or without further requirements, is airflow@3.3.1."""
    engine, _, version = wish.partition(",")[0].partition("==")
    if not re.fullmatch(r"[0-9][\w.!+-]*", version):
        raise UsageError(f"--with {wish}: not an engine with a version; write it as airflow==3.3.1")
    registry.adapter(engine)
    if engine not in engines:
        raise UsageError(f"--with {wish}: compares with the locked version of {engine}; add --engine {engine}")
    return f"{engine}{VERSION}{version}"


def _resumed(folder: Path) -> tuple[Job, Progress]:
    folder = folder.resolve()
    opened = store.Store(folder)
    manifest = reading.load_manifest(folder)
    if manifest.schema_version != SCHEMA_VERSION:
        raise UsageError(f"{folder}: begun by an earlier version, which wrote otherwise; start a new result")
    opened.hold()
    source = _users_source(manifest.arguments)
    source = source or generated(_pipeline(manifest.arguments), folder / "data", manifest.seed)
    if source.describe().get("digest") != manifest.data.get("digest"):
        where = ", ".join(map(str, source.data.files))
        raise UsageError(f"{where}: not the data that {folder.name} was begun with; start a new result")
    return _prepared(opened, manifest, source)


def _pipeline(arguments: dict[str, Any]) -> Pipeline:
    """The pipeline that is measured: the one that is asked for, or the first that says so of itself."""
    asked = arguments.get("pipeline")
    return pipeline(asked) if asked else next(one for one in pipelines() if one.default)


def _users_source(arguments: dict[str, Any]) -> Source | None:
    if arguments["data"] is None:
        return None
    return given(_pipeline(arguments), arguments, arguments["seed"])


def _prepared(opened: store.Store, manifest: Manifest, source: Source) -> tuple[Job, Progress]:
    """Make the environments that are needed; an engine without one becomes a failure, the others go on."""
    progress = Progress()
    manifest.state = "running"
    opened.save_manifest(manifest)  # what is interrupted from here on can be resumed
    engines = manifest.arguments["engine"]
    constraints: dict[str, list[str]] = {name: [] for name in engines}
    for wish in manifest.arguments.get("with", []):
        constraints[_other_version(wish, engines)] = wish.split(",")[1:]
    ready, lost = _environments(opened, manifest, constraints, progress)
    manifest.versions[INLINE] = _main_versions(INLINE, Path(sys.prefix))
    budget = chosen(manifest.arguments)
    blocks = plan(
        budget, ready, [Track(t) for t in manifest.arguments["track"]],
        [Group(g) for g in manifest.arguments["only"]], manifest.seed,
    )  # fmt: skip
    job = Job(opened, manifest, source, budget, blocks, Clock(budget.limit_s), progress)
    job.not_installed = lost
    manifest.variants = _variants(budget, ready)
    kinds = [registry.adapter(name) for name in engines]
    manifest.engines = declared.engines(kinds, manifest.engines)
    promise(manifest, kinds)
    opened.save_manifest(manifest)
    return job, progress


def _variants(budget: Budget, names: list[str]) -> list[dict[str, str]]:
    """What the manifest says of the arms that are an engine once more, in another way."""
    found = [(name, "version", "another version") for name in names if VERSION in name]
    if budget.again and AGAIN_ENGINE in names:
        found.append((AGAIN_ENGINE + AGAIN, "again", "the same once more: the noise floor"))
    if budget.variants:
        found += [
            (f"{n}-{v.name}", "isolation", v.text)
            for n in names
            for v in registry.adapter(n.partition(VERSION)[0]).variants
        ]
    rows = []
    for name, kind, text in found:
        engine = next(one for one in names if name.startswith(one))
        rows.append({"name": name, "engine": engine.partition(VERSION)[0], "kind": kind, "text": text})
    return rows


def _environments(
    opened: store.Store, manifest: Manifest, constraints: dict[str, list[str]], progress: Progress
) -> tuple[list[str], list[Failure]]:
    """Make what is missing; return the arms that are ready, and a failure for each of the others.

    `constraints` has for each arm what limits the versions of its requirements.
    """
    scratch = make_scratch()
    ready, lost = [], []
    plain = clean_environment(scratch / "home", Path("/usr/bin"))
    with Supervisor(scratch, plain, opened.folder / "logs") as supervisor:
        for name, more in constraints.items():
            progress(f"environment of {name}", float("inf"))
            engine, _, version = name.partition(VERSION)
            kind = registry.adapter(engine)
            manifest.titles[name] = " ".join(filter(None, (kind.title, version)))
            lock = environments.lock_in(opened.folder, name)
            try:
                made = (
                    environments.ensure_version(name, [f"{kind.install.package}=={version}", *more], lock, supervisor)
                    if version
                    else environments.ensure(name, supervisor)
                )
                manifest.versions[name] = _main_versions(engine, made)
                ready.append(name)
            except EngineError as error:
                lost.append(_not_installed(opened, manifest, name, error))
    return ready, lost


def _main_versions(name: str, environment: Path) -> dict[str, str]:
    wanted = (*MAIN_PACKAGES, *((registry.adapter(name).install.package,) if name != INLINE else ()))
    return {package: version for package, version in versions(environment).items() if package in wanted}


def _not_installed(opened: store.Store, manifest: Manifest, name: str, error: EngineError) -> Failure:
    message, log = opened.shorten(str(error)), opened.shorten(error.log_tail)
    sample = Sample(
        engine=name, pipeline=_pipeline(manifest.arguments).name, metric="setup.total_s", unit="s", value=None,
        mode="served", note=f"failed: {message}",
    )  # fmt: skip
    opened.append(sample)
    return Failure(engine=name, track="", phase="environment", message=message, log_tail=log)


def conduct(job: Job, progress: Progress) -> None:
    """Measure, then summarise whatever was measured, also after Ctrl-C. StorageError if there is no room for it."""
    folder = job.store.folder
    interrupt_once()
    try:
        with storing(folder):
            interrupted = not _to_its_end(job, progress)
            failed = summarise(folder)
            typer.echo(f"report: {write_report(folder)}")
    except StorageError:
        _keep_what_is_there(job)
        raise
    if interrupted:
        typer.echo(f"interrupted; finish it with: tox -e bench -- --resume {folder}")
        raise typer.Exit(EXIT_INTERRUPTED)
    for failure in job.manifest.failures:
        typer.echo(f"{failure.engine} {failure.track}: failed in {failure.phase}: {failure.message}", err=True)
    if job.manifest.failures:
        raise typer.Exit(EXIT_ENGINE)
    objections(failed)


def interrupt_once() -> None:
    """Let the first Ctrl-C or SIGTERM end the measurement in good order, undisturbed by any that follow.

    Those have no effect: what comes after the first, the end of the engines and the report, has limits of its own.
    """

    def first(*_: object) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)  # not SIG_IGN, which processes would inherit
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, first)


def _to_its_end(job: Job, progress: Progress) -> bool:
    """Measure; returns whether nobody interrupted it."""
    try:
        with progress:
            job.run()
    except KeyboardInterrupt:
        job.finish("interrupted")
        return False
    return True


def _keep_what_is_there(job: Job) -> None:
    """Say in the result that it is not finished, and write its report, as far as there is room for that."""
    job.manifest.failures = list(job.not_installed)  # what else has failed may have failed for want of room
    with suppress(StorageError), storing(job.store.folder):
        job.finish("interrupted")
        summarise(job.store.folder)
        write_report(job.store.folder)

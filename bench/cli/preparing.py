"""What comes before a measurement: arguments are checked, environments made, and the queue is planned."""

from __future__ import annotations

import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.campaign import Campaign
from bench.cli.progress import Progress
from bench.contract import registry
from bench.contract.engine import Database
from bench.contract.errors import EngineError, UsageError
from bench.contract.installing import versions
from bench.contract.records import Failure, Manifest, Sample
from bench.contract.words import Track
from bench.observe import declared, host, store
from bench.observe.describing import promise
from bench.observe.provenance import of_locks
from bench.observe.store import storing
from bench.observe.watching import INTERVALS
from bench.plan import pipelines, repeats
from bench.plan.arms import AGAIN, INLINE, STORED, VERSION, arms, cheapest
from bench.plan.budgets import Budget, chosen
from bench.plan.costs import Clock
from bench.plan.planner import plan
from bench.plan.workloads import published
from bench.questions.discovery import questions
from bench.questions.ledger import Ledger
from bench.run.source import Source, generated, given
from bench.session import environments, places, postgres
from bench.session.supervisor import Supervisor
from bench.session.workspace import clean_environment, core_digest, make_scratch
from core.declaration import pipeline

OF_DATA = ("target", "test_data", "separator", "decimal", "encoding", "na", "rule")
"""Options that say something of the user's own data."""
MAIN_PACKAGES = ("pandas", "pyarrow", "numpy", "scikit-learn", "xgboost-cpu")


def default_engines() -> list[str]:
    """Those that are measured where nobody asks for certain ones."""
    return [name for name in registry.engines() if registry.adapter(name).default]


def begin(arguments: dict[str, Any], output: Path, progress: Progress) -> Campaign:
    """Check everything that a user gave, before anything starts or is written."""
    _require(arguments)
    settle(arguments, progress)
    sources = given_sources(arguments)
    for remark in first(sources).data.about.get("remarks", ()) if sources else ():
        progress.note(f"data: {remark}")
    opened = store.create(output)
    if not (output / store.LATEST).is_symlink():
        progress.note(f"{output / store.LATEST}: is a folder and no link, so it stays; the result: {opened.folder}")
    budget = chosen(arguments)
    with storing(opened.folder):
        sources = sources or generated_sources(arguments, opened.folder)
    manifest = Manifest(
        created_utc=datetime.now(UTC).isoformat(), budget=budget.name, budget_s=budget.limit_s,
        seed=arguments["seed"], arguments=_without_places(arguments), data=first(sources).describe(),
        host=host.describe(), core=core_digest(), versions={}, pipelines=declared.pipelines(_pipelines(arguments)[0]),
        published=published.told(), published_source=published.SOURCE_TOLD, asked=dict(INTERVALS),
    )  # fmt: skip
    ledger = Ledger(opened, manifest, budget, sources)
    opened.hide(ledger.places)
    manifest.digests = ledger.state()
    with ledger.told_how_to_go_on():
        return prepared(ledger, progress)


def _require(arguments: dict[str, Any]) -> None:
    """UsageError for the first of the arguments that cannot be meant."""
    for name in arguments["engine"]:
        registry.adapter(name)
    for wish in arguments["with"]:
        _other_version(wish, arguments["engine"])
    pipelines.require(arguments["pipeline"])
    if arguments["again"] not in (None, *arguments["engine"]):
        raise UsageError(f"--again {arguments['again']}: is not measured once; add --engine {arguments['again']}")
    if arguments["data"] is None and (lost := [name for name in OF_DATA if arguments.get(name)]):
        raise UsageError(f"--{lost[0].replace('_', '-')}: needs --data FILE.csv")


def settle(arguments: dict[str, Any], progress: Progress) -> None:
    """Choose where sessions live; UsageError if they or the environments can nowhere, EngineError if PostgreSQL cannot
    run for the user."""
    environments.need_folder()
    kinds = [registry.adapter(name) for name in arguments["engine"]]
    server = any(
        kind.databases.get(Track(track)) is Database.POSTGRES for kind in kinds for track in arguments["track"]
    )
    if said := places.choose(shared=server and os.geteuid() == 0):
        progress.note(f"note: {said}")
    if server:
        postgres.as_somebody()


def _without_places(arguments: dict[str, Any]) -> dict[str, Any]:
    """What the manifest keeps: of a user's files their names, as a result may be shown to others."""
    files = {name: arguments.get(name) for name in ("data", "test_data")}
    return arguments | {name: Path(path).name if path else None for name, path in files.items()}


def _other_version(wish: str, engines: list[str]) -> str:
    """The arm's name for another version: airflow==3.3.1, with or without further requirements, is airflow@3.3.1."""
    engine, _, version = wish.partition(",")[0].partition("==")
    if not re.fullmatch(r"[0-9][\w.!+-]*", version):
        raise UsageError(f"--with {wish}: not an engine with a version; write it as {engines[0]}==1.2.3")
    registry.adapter(engine)
    if engine not in engines:
        raise UsageError(f"--with {wish}: compares with the locked version of {engine}; add --engine {engine}")
    return f"{engine}{VERSION}{version}"


def _pipelines(arguments: dict[str, Any]) -> tuple[str, ...]:
    return tuple(arguments.get("pipeline") or pipelines.default())


def given_sources(arguments: dict[str, Any]) -> dict[str, Source]:
    """By pipeline the user's own data; nothing if there are none."""
    if arguments["data"] is None:
        return {}
    return {name: given(pipeline(name), arguments, arguments["seed"]) for name in _pipelines(arguments)}


def generated_sources(arguments: dict[str, Any], folder: Path) -> dict[str, Source]:
    """By pipeline the built-in data."""
    seed = arguments["seed"]
    return {name: generated(pipeline(name), folder / "data", seed) for name in _pipelines(arguments)}


def first(sources: dict[str, Source]) -> Source:
    """What the manifest tells of."""
    return next(iter(sources.values()))


def prepared(ledger: Ledger, progress: Progress) -> Campaign:
    """Make the environments that are needed; an engine without one becomes a failure, the others go on."""
    opened, manifest = ledger.store, ledger.manifest
    manifest.state = "running"
    opened.save_manifest(manifest)  # what is interrupted from here on can be resumed
    engines = manifest.arguments["engine"]
    constraints: dict[str, list[str]] = {name: [] for name in engines}
    for wish in manifest.arguments.get("with", []):
        constraints[_other_version(wish, engines)] = wish.split(",")[1:]
    ready, lost = _environments(opened, manifest, constraints, progress)
    manifest.digests += [one for one in of_locks(opened.folder) if one not in manifest.digests]
    manifest.versions[INLINE] = _main_versions(INLINE, Path(sys.prefix))
    budget = ledger.budget
    twice = _twice(manifest.arguments, ready)
    tracks = [Track(t) for t in manifest.arguments["track"]]
    wanted = arms(budget, ready, tracks, _pipelines(manifest.arguments), twice)
    kinds = {name: registry.adapter(name) for name in engines}
    manifest.repeats = manifest.repeats or repeats.planned(budget, wanted, {n: one.earlier for n, one in kinds.items()})
    queue = plan(
        budget, questions(), wanted, manifest.arguments["only"], seed=manifest.seed,
        targets={name: kind.targets for name, kind in kinds.items()}, samples=repeats.of_engines(manifest.repeats),
        storages={name: kind.storages for name, kind in kinds.items()},
    )  # fmt: skip
    campaign = Campaign(ledger, queue, Clock(budget.limit_s), progress)
    campaign.not_installed = lost
    manifest.variants = _variants(budget, ready, twice)
    manifest.engines = declared.engines(list(kinds.values()))
    promise(manifest, list(kinds.values()))
    opened.save_manifest(manifest)
    return campaign


def _twice(arguments: dict[str, Any], names: list[str]) -> str:
    """The engine that is measured a second time: the one that was asked for, or else the cheapest."""
    locked = [name for name in names if VERSION not in name and _conducts(name, arguments)]
    run_s = {name: registry.adapter(name).run_s for name in locked}
    return arguments.get("again") or cheapest(run_s)


def _variants(budget: Budget, names: list[str], twice: str) -> list[dict[str, str]]:
    """What the manifest says of the arms that are an engine once more, in another way."""
    found = [(name, "version", "another version") for name in names if VERSION in name]
    if budget.again and twice in names:
        found.append((twice + AGAIN, "again", "the same once more: the noise floor"))
    if budget.variants:
        kinds = [(name, registry.adapter(name.partition(VERSION)[0])) for name in names]
        found += [(f"{name}-{one.name}", "isolation", one.text) for name, kind in kinds for one in kind.variants]
        found += [(name + STORED + one.name, "storage", one.text) for name, kind in kinds for one in kind.storages]
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
            engine, _, version = name.partition(VERSION)
            manifest.titles[name] = " ".join(filter(None, (registry.adapter(engine).title, version)))
            if not _conducts(engine, manifest.arguments):  # it is a row that says so, and needs nothing for that
                ready.append(name)
                continue
            progress(f"environment of {name}", float("inf"))
            try:
                made = _environment(opened, name, more, supervisor)
                manifest.versions[name] = _main_versions(engine, made)
                ready.append(name)
            except EngineError as error:
                lost.append(_not_installed(opened, manifest, name, error))
    return ready, lost


def _environment(opened: store.Store, name: str, more: list[str], supervisor: Supervisor) -> Path:
    """The environment of an engine, or of another version of it, which is locked beside the result."""
    engine, _, version = name.partition(VERSION)
    if not version:
        return environments.ensure(name, supervisor)
    requirements = [f"{registry.adapter(engine).install.package}=={version}", *more]
    return environments.ensure_version(name, requirements, environments.lock_in(opened.folder, name), supervisor)


def _conducts(engine: str, arguments: dict[str, Any]) -> bool:
    """Whether it has code for any of the pipelines."""
    return any(registry.code_for(engine, name) for name in _pipelines(arguments))


def _main_versions(name: str, environment: Path) -> dict[str, str]:
    wanted = (*MAIN_PACKAGES, *((registry.adapter(name).install.package,) if name != INLINE else ()))
    return {package: version for package, version in versions(environment).items() if package in wanted}


def _not_installed(opened: store.Store, manifest: Manifest, name: str, error: EngineError) -> Failure:
    message, log = opened.shorten(str(error)), opened.shorten(error.log_tail)
    sample = Sample(
        engine=name,
        pipeline=_pipelines(manifest.arguments)[0],
        metric="setup.total_s",
        unit="s",
        value=None,
        mode="served",
        note=f"failed: {message}",
    )
    opened.append(sample)
    return Failure(engine=name, track="", phase="environment", message=message, log_tail=log)

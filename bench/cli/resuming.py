"""`--resume`: an interrupted result is gone on with, in the state of code, data and host in which it was begun."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from bench.analyse.comparability import unlike_hosts
from bench.campaign import Campaign
from bench.cli.preparing import generated_sources, given_sources, prepared, settle
from bench.cli.progress import Progress
from bench.contract.errors import UsageError
from bench.contract.records import SCHEMA_VERSION, Digest, Manifest
from bench.observe import host, reading, store
from bench.observe.describing import forget
from bench.observe.provenance import OF_ENGINES, engine_of
from bench.plan.budgets import chosen
from bench.plan.cell import key
from bench.questions.ledger import Ledger


def resumed(
    folder: Path, progress: Progress, data: Path | None = None, test_data: Path | None = None, *, redo: bool = False
) -> Campaign:
    """Take up an interrupted result, on the data with which it was begun; UsageError if anything else has changed.

    A user's own `data` are given again. With `redo` engines whose own code or lock has changed are measured anew.
    """
    folder = folder.resolve()
    opened = store.Store(folder)
    manifest = reading.load_manifest(folder)
    if manifest.schema_version != SCHEMA_VERSION:
        raise UsageError(f"{folder}: begun by an earlier version, which wrote otherwise; start a new result")
    if not manifest.digests:
        raise UsageError(f"{folder}: begun by a version that did not record its code's state; start a new result")
    opened.hold()
    if moved := unlike_hosts(manifest.host, host.describe()):
        raise UsageError(f"{folder}: begun on another host ({'; '.join(moved)}); go on there, or start a new result")
    settle(manifest.arguments, progress)
    arguments = manifest.arguments | _again(manifest, folder, {"data": data, "test_data": test_data})
    sources = given_sources(arguments) or generated_sources(arguments, folder)
    ledger = Ledger(opened, manifest, chosen(manifest.arguments), sources)
    opened.hide(ledger.places)
    with ledger.told_how_to_go_on():
        if changed := ledger.changed():
            _accept(ledger, changed, redo=redo)
        return prepared(ledger, progress)


def _again(manifest: Manifest, folder: Path, given: dict[str, Path | None]) -> dict[str, str | None]:
    """Where a user's own data are: the manifest has the names of the files alone. UsageError if they are not told."""
    found: dict[str, str | None] = {}
    for name, path in given.items():
        kept, option = manifest.arguments.get(name), f"--{name.replace('_', '-')}"
        if path and not kept:
            raise UsageError(f"{option} {path}: {folder.name} was begun without; leave it out, or start a new result")
        if kept and not path:
            raise UsageError(f"{folder}: was begun with {Path(kept).name}; give it again, with {option} FILE")
        found[name] = str(path.absolute()) if path else None
    return found


def _accept(ledger: Ledger, changed: list[Digest], *, redo: bool) -> None:
    """Put aside what was measured of engines that have changed; UsageError if that is not wanted, or not enough."""
    folder = ledger.store.folder
    data = [one for one in changed if one.of in ledger.sources]
    if data:
        raise UsageError(f"{ledger.told(data)}: not the data that {folder.name} was begun with; start a new result")
    what = f"{folder}: not what it was when this was begun: {ledger.told(changed)}"
    if any(one.part not in OF_ENGINES for one in changed):
        raise UsageError(f"{what}; restore it, or start a new result: all would have to be measured anew")
    engines = dict.fromkeys(engine_of(one.of) for one in changed)
    if not redo:
        raise UsageError(f"{what}; restore it, or give --redo to measure {', '.join(engines)} anew")
    for engine in engines:
        forget(ledger.manifest, engine)
        why = ledger.told(one for one in changed if engine_of(one.of) == engine)
        now = datetime.now(UTC).isoformat()
        ledger.manifest.redone.append({"utc": now, "engine": engine, "changed": why})
    ledger.manifest.digests = ledger.state()
    cells = [key(cell) for cell in ledger.manifest.cells if engine_of(cell.engine) in engines]
    ledger.put_aside(lambda one: engine_of(one.engine) in engines, cells)

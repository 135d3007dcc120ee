"""Everything about how the result came about: environment, settings, audits, what is missing."""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bench.analyse.audits import BUSY_SHARE
from bench.contract.records import NO_PIPELINE, Audit, Cell, Manifest
from reports.read.loading import Result
from reports.read.lookup import Lookup
from reports.sections import between, noise
from reports.sections.tables import Table
from reports.words.flat import flat
from reports.words.numbers import listing, number, plural, with_unit
from reports.words.safetext import inline

SHORT = 12
"""Digits of a digest that are shown."""
LOADED = 0.5
BUSY_RUNS = 0.1
"""Share of the runs with a busy host from which on a reader is told first."""
SEVERITY = ("fail", "flag", "unknown", "pass")
HEADS = {
    "setup": "setup.total_s", "run times": "runtime.makespan_s", "recovery": "recovery.", "debugging": "debugging.",
}  # fmt: skip
"""What a reader looks for first -> how the metrics begin that tell it."""
Pairs = tuple[tuple[str, str], ...]
HEADLINES = {
    "cores": "cores", "cpu_quota_cores": "of them to be used", "cpus": "CPUs", "logical_cpus": "CPUs",
    "memory_bytes": "memory",
}  # fmt: skip
MOST_REMARKS = 3
"""So many stand on the first screen."""
RAW = ("manifest.json", "samples.jsonl", "runs.jsonl", "verdicts.jsonl", "evidence.jsonl", "summary.json")


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting of one engine: its value on each track, and whether they differ."""

    engine: str
    title: str
    name: str
    values: tuple[str, ...]
    differs: bool
    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class CheckerRow:
    checker: str
    engine: str
    title: str
    passed: int
    failed: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Background:
    host: Pairs
    data: Pairs
    arguments: Pairs
    states: Pairs
    """What was measured, and its state by digest."""
    versions: tuple[tuple[str, Pairs], ...]
    remarks: tuple[str, ...]
    """Of the data."""
    access: str
    """Who could ask the engines' APIs meanwhile."""
    setting_tracks: tuple[str, ...]
    settings: tuple[SettingRow, ...]
    local_notes: Pairs
    polling: tuple[tuple[str, str, str, str, str, str], ...]
    """Engine's name and title, track, what waits, how long, source."""
    audits: tuple[Audit, ...]
    checkers: tuple[CheckerRow, ...]
    objections: tuple[tuple[str, str, str, str, str], ...]
    noise_sentence: str
    noise: Pairs
    micro: Table | None
    noise_floor: str
    cells: tuple[Cell, ...]
    runs: int
    samples: int
    order: tuple[str, ...]
    raw: tuple[str, ...]
    rerun: str


def background(lookup: Lookup) -> Background:
    result, manifest = lookup.result, lookup.result.manifest
    tracks = tuple(dict.fromkeys(s.get("track", "") for s in manifest.settings))
    data, remarks = dict(manifest.data), manifest.data.get("remarks") or ()
    data.pop("remarks", None)
    return Background(
        host=flat(manifest.host), data=flat(data), remarks=tuple(remarks), arguments=flat(manifest.arguments),
        states=_states(manifest),
        versions=tuple((name, flat(found)) for name, found in manifest.versions.items()),
        access=_access(lookup),
        setting_tracks=tracks, settings=_settings(lookup, tracks),
        local_notes=tuple((lookup.title(engine), inline(note)) for engine, note in manifest.local_notes.items()),
        polling=_polling(lookup),
        audits=tuple(sorted(result.audits, key=lambda audit: SEVERITY.index(audit.verdict))),
        checkers=_checkers(lookup),
        objections=tuple(
            (v.verdict, v.checker, lookup.title(v.engine), v.run_id, v.reason)
            for v in result.verdicts
            if v.verdict != "pass"
        ),
        noise_sentence=between.least_shown(lookup),
        noise=noise.facts(lookup),
        micro=noise.micro_table(lookup),
        noise_floor=number(lookup.noise.ratio) if lookup.noise.ratio > 1 else "",
        cells=tuple(cell for cell in manifest.cells if cell.state != "done" or cell.reason),
        runs=len(result.runs), samples=len(result.samples),
        order=tuple(manifest.order),
        raw=tuple(name for name in RAW if (result.folder / name).exists()),
        rerun=_rerun(manifest),
    )  # fmt: skip


def _access(lookup: Lookup) -> str:
    told = [one for one in lookup.result.manifest.engines if one.credentials is not None]
    asking, open_ = ([one.title for one in told if one.credentials is wanted] for wanted in (True, False))
    said = []
    if asking:
        said.append(f"{listing(asking)} answered only who knew a password that was drawn for the session.")
    if open_:
        said.append(f"{listing(open_)} asked for none, so any user of the machine could reach its API meanwhile.")
    return " ".join(said)


def _states(manifest: Manifest) -> Pairs:
    digests = tuple((one.name, one.sha256[:SHORT]) for one in manifest.digests)
    redone = tuple(
        (f"{one['engine']}, measured anew", f"{_minute(one['utc'])}: {one['changed']}") for one in manifest.redone
    )
    return (*digests, *redone)


def facts(lookup: Lookup) -> tuple[tuple[str, str], ...]:
    """What was compared, in one glance."""
    manifest = lookup.result.manifest
    versions = [lookup.full_title(engine) for engine in lookup.engines]
    data = manifest.data
    rows = f"{number(data['rows'])} rows" if isinstance(data.get("rows"), int) else ""
    source = str(data.get("name") or data.get("path") or "generated")
    pipelines = dict.fromkeys([lookup.plain, *(r.pipeline for r in lookup.result.records if r.pipeline != NO_PIPELINE)])
    budget = manifest.budget + (f" ({number(manifest.budget_s / 60)} min)" if manifest.budget_s else "")
    host = [_headline(key, value) for key, value in flat(manifest.host)]
    remarks = list(data.get("remarks") or ())
    more = [f"{len(remarks) - MOST_REMARKS} more below"] if len(remarks) > MOST_REMARKS else []
    given = {
        "Engines": listing(versions) or "none",
        "Tracks": listing(lookup.tracks),
        "Pipeline": listing(lookup.pipeline_title(name) for name in pipelines if name),
        "Data": ", ".join(filter(None, (source, rows, f"target {data['target']}" if "target" in data else ""))),
        "Of the data": "; ".join([*remarks[:MOST_REMARKS], *more]),
        "Host": ", ".join(filter(None, dict.fromkeys(host))),
        "Measured": " to ".join(_minute(at) for at in (manifest.created_utc, manifest.finished_utc) if at),
        "Budget": budget,
        "Noise": between.least_shown(lookup),
    }
    return tuple((name, value) for name, value in given.items() if value)


def _minute(utc: str) -> str:
    """An instant to the minute; as it stands if it is none."""
    try:
        return f"{datetime.fromisoformat(utc):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return utc


def _headline(key: str, value: str) -> str:
    """What of the host stands on the first screen; empty for the rest."""
    if key in ("cpu", "cpu_model", "model", "os", "system", "platform"):
        return value
    return f"{value} {HEADLINES[key]}" if key in HEADLINES else ""


def missing(lookup: Lookup) -> tuple[str, ...]:
    """What a reader would miss, each in one sentence."""
    result, manifest = lookup.result, lookup.result.manifest
    said: list[str] = []
    absent = [lookup.title(engine) for engine in lookup.engines if engine not in lookup.measured]
    if absent:
        said.append(f"No measurement of {listing(absent)}.")
    said += [
        f"{lookup.title(f.engine)}{f' on {f.track}' if f.track else ''} failed in {f.phase}: {f.message}"
        for f in manifest.failures
    ]
    states = Counter(cell.state for cell in manifest.cells)
    for state, count in states.items():
        if state != "done":
            said.append(f"{plural(count, 'planned cell')} {state.replace('_', ' ')}.")
    if manifest.state in ("running", "interrupted"):
        said.append(f"The measurement is marked as {manifest.state}: it has not come to its end.")
    if manifest.coming:
        said.append(f"Still to come: {listing(manifest.coming)}.")
    if early := lookup.early:
        said.append(f"No time is ranked, for {early}.")
    known = [record.metric for record in result.records if record.value is not None]
    only = manifest.arguments.get("only") or [begin.partition(".")[0] for begin in HEADS.values()]
    wanted = {title: begin for title, begin in HEADS.items() if begin.partition(".")[0] in only}
    gone = [title for title, begin in wanted.items() if not any(name.startswith(begin) for name in known)]
    if gone:
        said.append(f"Nothing was measured of {listing(gone)}.")
    if not result.evidence and lookup.names("debugging."):
        said.append("No transcripts were kept.")
    return (*said, *_busy(result), *result.damage)


def _busy(result: Result) -> tuple[str, ...]:
    """A host with other work to do makes every time doubtful: during the runs, or if that is not known at the start."""
    load, cores = result.manifest.host.get("load_1m_at_start"), result.manifest.host.get("cores")
    if not isinstance(load, int | float) or not isinstance(cores, int):
        return ()
    loads = [s.value for s in result.samples if s.metric == "host.others_cores" and isinstance(s.value, int | float)]
    if loads:
        busy = sum(others > cores * BUSY_SHARE for others in loads)
        said = f"Others kept the host busy in {busy} of {plural(len(loads), 'run')}. Times are doubtful."
        return (said,) if busy > len(loads) * BUSY_RUNS else ()
    if load < cores * LOADED:
        return ()
    return (f"The host was busy at the start: load {number(load)} on {plural(cores, 'core')}. Times are doubtful.",)


def _settings(lookup: Lookup, tracks: tuple[str, ...]) -> tuple[SettingRow, ...]:
    grouped: dict[tuple[str, str], dict[str, dict[str, str]]] = {}
    for setting in lookup.result.manifest.settings:
        key = (setting.get("engine", ""), setting.get("name", ""))
        grouped.setdefault(key, {})[setting.get("track", "")] = setting
    rows = []
    for (engine, name), by_track in grouped.items():
        values = tuple(by_track[t].get("value", "") if t in by_track else "" for t in tracks)
        any_of = next(iter(by_track.values()))
        rows.append(
            SettingRow(engine, lookup.title(engine), name, values, len(set(values)) > 1,
                       any_of.get("source", ""), any_of.get("reason", ""))
        )  # fmt: skip
    return tuple(sorted(rows, key=lambda row: (row.title, not row.differs)))


def _checkers(lookup: Lookup) -> tuple[CheckerRow, ...]:
    counts = Counter((v.checker, v.engine, v.verdict) for v in lookup.result.verdicts)
    pairs = dict.fromkeys((v.checker, v.engine) for v in lookup.result.verdicts)
    return tuple(
        CheckerRow(checker, engine, lookup.title(engine),
                 *(counts[checker, engine, verdict] for verdict in ("pass", "fail", "unknown")))
        for checker, engine in pairs
    )  # fmt: skip


def _polling(lookup: Lookup) -> tuple[tuple[str, str, str, str, str, str], ...]:
    return tuple(
        (row["engine"], lookup.title(row["engine"]), row["track"], row["name"],
         with_unit(number(row["seconds"], whole=False), "s"), row["source"])
        for row in lookup.result.manifest.polling
    )  # fmt: skip


def failed_audits(lookup: Lookup) -> tuple[str, ...]:
    """The rules that this result breaks, with the reason."""
    return tuple(f"{audit.name}: {audit.reason}" for audit in lookup.result.audits if audit.verdict == "fail")


def _rerun(manifest: Manifest) -> str:
    """The command with the arguments of this result; empty ones are defaults."""
    given: dict[str, Any] = {"budget": manifest.budget, "seed": manifest.seed} | manifest.arguments
    words = ["tox", "-e", "bench", "--"]
    if wish := given.pop("chaos", None):
        given = {name: value for name, value in given.items() if name != "budget"} | wish
        words = ["./orchbench", "chaos"]
    for name, value in given.items():
        values = value if isinstance(value, list) else [value]
        for one in values:
            if one is not None and one is not False and one != "":
                words += [f"--{name.replace('_', '-')}", *([] if one is True else [str(one)])]
    return shlex.join(words)

"""How run time grows: with the number of tasks, with what they hand on, and with runs at the same time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from bench.contract.described import PublishedFigure
from bench.contract.records import Sample
from bench.questions.catalogue import metric as describe
from bench.questions.metric import Scale
from reports.draw import charts
from reports.draw.charts import Figure
from reports.draw.figures import Rows, palette
from reports.read.lookup import Lookup, Scope, family
from reports.sections.section import Section, made, present
from reports.sections.tables import Cell, Column, Plan, Row, Table, arm_table
from reports.words.numbers import listing, number, scaled, with_unit
from reports.words.prose import finding

MAKESPAN, COMPLETION, PER_TASK = "runtime.makespan_s", "runtime.completion_s", "resources.cpu_per_task_s"
NET = "resources.cpu_per_task_net_s"
FIT = ("scaling.fixed_s", "scaling.marginal_s", "scaling.quadratic_s")
LIMITS = {"scaling.fails_at_n": "fails at", "scaling.superlinear_at_n": "is worse than linear from"}
CONCURRENCY = (
    "throughput_per_min", "completion_p50_s", "completion_p95_s", "failures", "at_once_in_run", "at_once_over_all",
)  # fmt: skip
WHERE = {"served": "on a server", "local": "without a server"}
USUAL = "Marks stand among engines with their usual storage."
DRAWN = 24
"""Points of a fitted line; a curve needs more than two."""


def section(lookup: Lookup) -> Section | None:
    """The section; None if nothing of it was measured."""
    tables = [
        arm_table(lookup, f"table-scaling-{mode}", f"Time by number of tasks, {where}",
                  Plan((*FIT, *LIMITS), mode, lookup.shaped, "Pipeline", isolation=True))
        for mode, where in WHERE.items()
    ]  # fmt: skip
    sizes = Plan((MAKESPAN,), "served", _sized(lookup), "Pipeline", folded=True)
    tables.append(arm_table(lookup, "table-sizes", "Makespan by number of tasks, on a server", sizes))
    cpu = Plan((PER_TASK, NET), "served", _scopes(lookup, PER_TASK), "Pipeline", folded=True)
    tables.append(arm_table(lookup, "table-cpu-per-task", "CPU seconds for each task, by size", cpu))
    drawn = [_figure(lookup, mode, track) for mode in WHERE for track in lookup.tracks]
    parts = [_published(lookup), _payload(lookup), _concurrency(lookup)]
    return present(made("scaling", "How does it grow?", _sentence(lookup), figures=drawn, tables=tables, parts=parts))


def _sentence(lookup: Lookup) -> str:
    """What a task adds, and where growth ends; empty if sizes were not varied."""
    track = lookup.tracks[0] if lookup.tracks else "none"
    marginal = _marginal(lookup, track, "served")
    limits = [_limit(lookup, engine, track, name) for name in LIMITS for engine in lookup.engines]
    return " ".join([marginal, *filter(None, limits)]) if marginal else ""


def _marginal(lookup: Lookup, track: str, mode: str) -> str:
    """The finding about what a task adds to the first pipeline with a shape; empty if there is none."""
    for scope in lookup.shaped[:1]:
        readings = lookup.readings(FIT[1], track, mode, scope=scope)
        said = f"time for each task of a {scope.label}"
        why = next((r.note for r in readings if r.note), "")
        if why and not any(r.measured for r in readings):
            return f"{said[:1].upper()}{said[1:]}: {why}."
        return finding(lookup, describe(FIT[1]), said, readings) if readings or mode != "served" else ""
    return ""


def _limit(lookup: Lookup, engine: str, track: str, name: str) -> str:
    """`X fails at n=300 (in a row) and n=1000 (at once).`, or nothing."""
    found = {scope.label: lookup.reading(name, engine, track, "served", scope=scope) for scope in lookup.shaped}
    sizes = [f"n={number(r.value)} ({label})" for label, r in found.items() if r and isinstance(r.value, int | float)]
    return f"{lookup.title(engine)} {LIMITS[name]} {listing(sizes)}." if sizes else ""


def _scopes(lookup: Lookup, name: str, mode: str = "") -> list[Scope]:
    order = [scope.pipeline for scope in lookup.shaped]
    found = [Scope(c.pipeline, c.params, _label(lookup, c)) for c in lookup.scopes(name, mode)]
    return sorted(found, key=lambda c: (_index(order, c.pipeline), c.params.get("fib", 0), c.params.get("n", 0)))


def _sized(lookup: Lookup) -> list[Scope]:
    """The pipelines with a shape, in each size and no other way."""
    shaped = {scope.pipeline for scope in lookup.shaped}
    found = _scopes(lookup, MAKESPAN, "served")
    return [one for one in found if one.pipeline in shaped and one.params.keys() == {"n"}]


def _index(order: list[str], name: str) -> int:
    return order.index(name) if name in order else len(order)


def _label(lookup: Lookup, scope: Scope) -> str:
    """The pipeline with its size: `..., n=40, fib(10)`."""
    params = scope.params
    words = [lookup.pipeline_title(scope.pipeline), f"n={params['n']}" if "n" in params else ""]
    return ", ".join(filter(None, [*words, f"fib({params['fib']})" if "fib" in params else ""]))


# --- the chart


def _figure(lookup: Lookup, mode: str, track: str) -> Figure | None:
    """Every session's makespan over the number of tasks, with the fitted line."""
    rows = [row for scope in lookup.shaped for row in _rows(lookup, mode, track, scope)]
    if not any(row["kind"] == "point" for row in rows):
        return None
    title = f"{track.capitalize()} track, {WHERE[mode]}: {_marginal(lookup, track, mode)}"
    caption = "Point: the makespan of one session's run. Line: the fixed cost and the cost for each task, as fitted."
    chart = charts.growth(rows, palette(lookup))
    return charts.figure(f"figure-scaling-{mode}-{track}", title, chart, rows, caption)


def _rows(lookup: Lookup, mode: str, track: str, scope: Scope) -> Iterable[dict[str, Any]]:
    for engine in lookup.engines:
        about = {"engine": engine, "track": track, "arm": lookup.title(engine), "panel": scope.label}
        points = [s for s in lookup.result.samples if _of(s, engine, track, mode, scope)]
        yield from (about | _point(s) for s in points)
        sizes = sorted({float(s.params["n"]) for s in points})
        fit = [lookup.reading(name, engine, track, mode, scope=scope) for name in FIT]
        terms = [r.value if r and isinstance(r.value, int | float) else None for r in fit]
        if len(sizes) > 1 and terms[0] is not None and terms[1] is not None:
            yield from (about | one for one in _line(sizes[0], sizes[-1], [term or 0.0 for term in terms]))


def _of(s: Sample, engine: str, track: str, mode: str, scope: Scope) -> bool:
    same = (s.metric, s.pipeline, s.engine, s.track, s.mode) == (MAKESPAN, scope.pipeline, engine, track, mode)
    return same and s.params.keys() == {"n"} and not s.warm_up and isinstance(s.value, int | float)


def _point(s: Sample) -> dict[str, Any]:
    value = float(s.value or 0)
    shown = with_unit(scaled(value, Scale("s")), "s")
    return {"kind": "point", "n": s.params["n"], "value": round(value, 6), "shown": shown,
            "about": f"session {s.session}, block {s.block}", "run": s.run_id}  # fmt: skip


def _line(first: float, last: float, terms: list[float]) -> Rows:
    bends = len(terms) > 2 and terms[2] != 0
    count = DRAWN if bends else 2
    sizes = [first + (last - first) * i / (count - 1) for i in range(count)]
    return [
        {"kind": "fit", "n": round(n, 3), "value": round(sum(term * n**power for power, term in enumerate(terms)), 6)}
        for n in sizes
    ]


# --- what others published, payloads, runs side by side


def _published(lookup: Lookup) -> Section | None:
    """What was measured of others' workloads, beside their own figures."""
    figures, source = lookup.result.manifest.published, lookup.result.manifest.published_source
    scopes = {figure.label: Scope(figure.pipeline, figure.params, figure.label) for figure in figures}
    plan = Plan((MAKESPAN, COMPLETION), "served", list(scopes.values()), "Workload", ranked=False)
    if source is None:
        return None
    measured = arm_table(lookup, "table-published", f"Measured here, and what {source.name} has published", plan)
    if measured is None:
        return None
    help_ = "another machine, older versions; not measured here"
    theirs = Column(f"Published by {source.name}", help=help_, numeric=False)
    rows = [row for label in scopes for row in _beside([f for f in figures if f.label == label], label, measured)]
    remark = f"{source.remark} Their machine: {source.machine}. {measured.remark}".strip()
    columns = (*measured.columns, theirs)
    table = Table(measured.key, measured.caption, columns, tuple(rows), remark, source=source.address)
    return made("published", "Published figures to stand beside", "", tables=[table])


def _beside(figures: list[PublishedFigure], label: str, measured: Table) -> Iterable[Row]:
    """The rows of one workload: our arms with the figure of the same system, then the systems that only they have."""
    by_engine = {figure.engine: figure for figure in figures if figure.engine}
    ours = [row for row in measured.rows if row.cells[0].text == label]
    for row in ours:
        said = _theirs(by_engine.get(family(row.engine)))
        yield Row(row.engine, row.title, row.track, (*row.cells, Cell(said, numeric=False)))
    met = {family(row.engine) for row in ours}
    absent = (Cell(label, numeric=False), *(Cell("", note="") for _ in measured.columns[1:]))
    for figure in (one for one in figures if one.engine not in met):
        yield Row("", figure.system, "", (*absent, Cell(_theirs(figure), numeric=False)))


def _theirs(figure: PublishedFigure | None) -> str:
    if figure is None:
        return ""
    version = f", version {figure.version}" if figure.version else ""
    return with_unit(number(figure.seconds), "s") + version


def _payload(lookup: Lookup) -> Section | None:
    met = [c for c in lookup.scopes("payload.metadata_bytes") if "payload_bytes" in c.params]
    ways = {"engine": "through the engine", "reference": "by reference"}
    scopes = [
        Scope(c.pipeline, c.params, f"{_size(c.params['payload_bytes'])} {ways.get(way := c.params['channel'], way)}")
        for c in sorted(met, key=lambda c: (c.params["payload_bytes"], c.params["channel"]))
    ]
    kept = ("payload.kept_bytes", "payload.metadata_bytes", "payload.files_bytes")
    arms = [name for one in lookup.engines for name in (one, *(s for s in lookup.storages if lookup.base(s) == one))]
    plan = Plan((MAKESPAN, *kept), "served", scopes, "Each step hands on", engines=arms)
    steps = {c.params["n"] for c in met}
    what = lookup.pipeline_title(met[0].pipeline) if met else ""
    caption = f"A {what} of {number(min(steps, default=0))} steps that hand on a payload"
    table = _with_storages(lookup, arm_table(lookup, "table-payload", caption, plan))
    return present(made("payload", "What the steps hand on", "", tables=[table]))


def _with_storages(lookup: Lookup, table: Table | None) -> Table | None:
    """The table that says what is different in the rows of other storages, which have no marks."""
    if table is None or not lookup.storages:
        return table
    told = {row["name"]: row["text"] for row in lookup.result.manifest.variants}
    said = [f"{lookup.title(name)}: {told[name]}." for name in lookup.storages]
    return replace(table, remark=" ".join(filter(None, (table.remark, USUAL, *said))))


def _size(count: int) -> str:
    unit, size = next(((u, s) for u, s in (("MB", 10**6), ("kB", 10**3)) if count >= s), ("bytes", 1))
    return with_unit(number(count / size), unit)


def _concurrency(lookup: Lookup) -> Section | None:
    names = [f"concurrency.{leaf}" for leaf in CONCURRENCY]
    met = [c for c in lookup.scopes(names[0]) if "concurrent" in c.params]
    met.sort(key=lambda c: int(c.params["concurrent"]))
    scopes = [Scope(c.pipeline, c.params, number(c.params["concurrent"])) for c in met]
    caption = "Runs submitted at the same time; ranked where the same limits of steps held, within a run and over all"
    table = arm_table(lookup, "table-concurrency", caption, Plan(names, "served", scopes, "At once", isolation=True))
    return present(made("concurrency", "Runs side by side", _at_most(lookup, scopes), tables=[table]))


def _at_most(lookup: Lookup, scopes: list[Scope]) -> str:
    """The throughput at the most runs at once."""
    if not scopes:
        return ""
    name, track = "concurrency.throughput_per_min", lookup.tracks[0] if lookup.tracks else "none"
    readings = lookup.readings(name, track, "served", scope=scopes[-1])
    return finding(lookup, describe(name), f"throughput with {scopes[-1].label} runs at once", readings)

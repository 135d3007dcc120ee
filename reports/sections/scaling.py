"""How run time grows: with the number of tasks, with what they hand on, and with runs at the same time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bench.contract.records import Sample
from bench.plan.workloads import Workload, published
from bench.plan.workloads.published import FIGURES, MACHINE, REMARK, SOURCE, SYSTEMS, Published
from bench.questions.metric import Scale
from reports.draw import charts
from reports.draw.charts import Figure
from reports.draw.figures import Rows, palette
from reports.read.lookup import Case, Lookup, family
from reports.sections.section import Section, made, present
from reports.sections.tables import Cell, Column, Plan, Row, Table, arm_table
from reports.words.catalogue import metric as describe
from reports.words.numbers import listing, number, scaled, with_unit
from reports.words.prose import finding

MAKESPAN, COMPLETION, PER_TASK = "runtime.makespan_s", "runtime.completion_s", "resources.cpu_per_task_s"
FIT = ("scaling.fixed_s", "scaling.marginal_s", "scaling.quadratic_s")
LIMITS = {"scaling.fails_at_n": "fails at", "scaling.superlinear_at_n": "is worse than linear from"}
SHAPES = (Case("chain", {}, "chain"), Case("fan_out", {}, "fan-out"))
CONCURRENCY = ("throughput_per_min", "completion_p50_s", "completion_p95_s", "failures")
WHERE = {"served": "on a server", "local": "without a server"}
DRAWN = 24
"""Points of a fitted line; a curve needs more than two."""


def section(lookup: Lookup) -> Section | None:
    """The section; None if nothing of it was measured."""
    tables = [
        arm_table(lookup, f"table-scaling-{mode}", f"Time by number of tasks, {where}",
                  Plan((*FIT, *LIMITS), mode, SHAPES, "Pipeline", isolation=True))
        for mode, where in WHERE.items()
    ]  # fmt: skip
    cpu = Plan((PER_TASK,), "served", _cases(lookup, PER_TASK), "Pipeline", folded=True)
    tables.append(arm_table(lookup, "table-cpu-per-task", "CPU seconds for each task, by size", cpu))
    drawn = [_figure(lookup, mode, track) for mode in WHERE for track in lookup.tracks]
    parts = [_published(lookup), _payload(lookup), _concurrency(lookup)]
    return present(made("scaling", "How does it grow?", _sentence(lookup), figures=drawn, tables=tables, parts=parts))


def _sentence(lookup: Lookup) -> str:
    """What a task adds, and where growth ends; empty if sizes were not varied."""
    track = lookup.tracks[0] if lookup.tracks else "none"
    metric = describe(FIT[1])
    readings = lookup.readings(FIT[1], track, "served", case=SHAPES[0])
    if not readings:
        return ""
    limits = [_limit(lookup, engine, track, name) for name in LIMITS for engine in lookup.engines]
    return " ".join([finding(lookup, metric, "time for each task of a chain", readings), *filter(None, limits)])


def _limit(lookup: Lookup, engine: str, track: str, name: str) -> str:
    """`Airflow fails at n=300 (chain) and n=1000 (fan-out).`, or nothing."""
    found = {case.label: lookup.reading(name, engine, track, "served", case=case) for case in SHAPES}
    sizes = [f"n={number(r.value)} ({label})" for label, r in found.items() if r and isinstance(r.value, int | float)]
    return f"{lookup.title(engine)} {LIMITS[name]} {listing(sizes)}." if sizes else ""


def _cases(lookup: Lookup, name: str, mode: str = "") -> list[Case]:
    found = [Case(c.pipeline, c.params, _label(c)) for c in lookup.cases(name, mode)]
    return sorted(found, key=lambda case: (case.pipeline, case.params.get("fib", 0), case.params.get("n", 0)))


def _label(case: Case) -> str:
    """`chain, n=40, fib(10)`."""
    params = case.params
    words = [case.pipeline.replace("_", "-"), f"n={params['n']}" if "n" in params else ""]
    return ", ".join(filter(None, [*words, f"fib({params['fib']})" if "fib" in params else ""]))


# --- the chart


def _figure(lookup: Lookup, mode: str, track: str) -> Figure | None:
    """Every session's makespan over the number of tasks, with the fitted line."""
    rows = [row for case in SHAPES for row in _rows(lookup, mode, track, case)]
    if not any(row["kind"] == "point" for row in rows):
        return None
    readings = lookup.readings(FIT[1], track, mode, case=SHAPES[0])
    where = f"{track.capitalize()} track, {WHERE[mode]}: "
    title = where + finding(lookup, describe(FIT[1]), "time for each task of a chain", readings)
    caption = "Point: the makespan of one session's run. Line: the fixed cost and the cost for each task, as fitted."
    chart = charts.growth(rows, palette(lookup))
    return charts.figure(f"figure-scaling-{mode}-{track}", title, chart, rows, caption)


def _rows(lookup: Lookup, mode: str, track: str, case: Case) -> Iterable[dict[str, Any]]:
    for engine in lookup.engines:
        about = {"engine": engine, "track": track, "arm": lookup.title(engine), "panel": case.label}
        points = [s for s in lookup.result.samples if _of(s, engine, track, mode, case)]
        yield from (about | _point(s) for s in points)
        sizes = sorted({float(s.params["n"]) for s in points})
        fit = [lookup.reading(name, engine, track, mode, case=case) for name in FIT]
        terms = [r.value if r and isinstance(r.value, int | float) else None for r in fit]
        if len(sizes) > 1 and terms[0] is not None and terms[1] is not None:
            yield from (about | one for one in _line(sizes[0], sizes[-1], [term or 0.0 for term in terms]))


def _of(s: Sample, engine: str, track: str, mode: str, case: Case) -> bool:
    same = (s.metric, s.pipeline, s.engine, s.track, s.mode) == (MAKESPAN, case.pipeline, engine, track, mode)
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
    """What was measured of a vendor's workloads, beside the vendor's own figures."""
    cases = [
        Case(w.pipeline, w.params, f"{w.size} × fib({w.settings['fib']}) in sequence") for w in published.WORKLOADS
    ]
    measured = arm_table(lookup, "table-published", "Measured here, and what Windmill has published",
                         Plan((MAKESPAN, COMPLETION), "served", cases, "Workload", ranked=False))  # fmt: skip
    if measured is None:
        return None
    theirs = Column("Published by Windmill", help="another machine, older versions; not measured here", numeric=False)
    rows = [row for w, case in zip(published.WORKLOADS, cases, strict=True) for row in _beside(w, case, measured)]
    remark = f"{REMARK} Their machine: {MACHINE}. {measured.remark}".strip()
    table = Table(measured.key, measured.caption, (*measured.columns, theirs), tuple(rows), remark, source=SOURCE)
    return made("published", "Published figures to stand beside", "", tables=[table])


def _beside(workload: Workload, case: Case, measured: Table) -> Iterable[Row]:
    """The rows of one workload: our arms with the figure of the same system, then the systems that only they have."""
    figures = {f.system: f for f in FIGURES if f.workload == workload}
    names = {key: title for key, (title, _) in SYSTEMS.items()}
    ours = [row for row in measured.rows if row.cells[0].text == case.label]
    for row in ours:
        figure = figures.get(names.get(family(row.engine), ""))
        yield Row(row.engine, row.title, row.track, (*row.cells, Cell(_theirs(figure), numeric=False)))
    met = {names.get(family(row.engine)) for row in ours}
    absent = (Cell(case.label, numeric=False), *(Cell("", note="") for _ in measured.columns[1:]))
    for figure in (f for name, f in figures.items() if name not in met):
        yield Row("", figure.system, "", (*absent, Cell(_theirs(figure), numeric=False)))


def _theirs(figure: Published | None) -> str:
    if figure is None:
        return ""
    version = f", version {figure.version}" if figure.version else ""
    return with_unit(number(figure.seconds), "s") + version


def _payload(lookup: Lookup) -> Section | None:
    met = [c for c in lookup.cases("payload.metadata_bytes") if "payload_bytes" in c.params]
    ways = {"engine": "through the engine", "reference": "by reference"}
    cases = [
        Case(c.pipeline, c.params, f"{_size(c.params['payload_bytes'])} {ways.get(way := c.params['channel'], way)}")
        for c in sorted(met, key=lambda c: (c.params["payload_bytes"], c.params["channel"]))
    ]
    plan = Plan((MAKESPAN, "payload.metadata_bytes"), "served", cases, "Each step hands on")
    steps = {c.params["n"] for c in met}
    caption = f"A chain of {number(min(steps, default=0))} steps that hand on a payload"
    table = arm_table(lookup, "table-payload", caption, plan)
    return present(made("payload", "What the steps hand on", "", tables=[table]))


def _size(count: int) -> str:
    unit, size = next(((u, s) for u, s in (("MB", 10**6), ("kB", 10**3)) if count >= s), ("bytes", 1))
    return with_unit(number(count / size), unit)


def _concurrency(lookup: Lookup) -> Section | None:
    names = [f"concurrency.{leaf}" for leaf in CONCURRENCY]
    met = [c for c in lookup.cases(names[-1]) if "concurrent" in c.params]
    met.sort(key=lambda c: int(c.params["concurrent"]))
    cases = [Case(c.pipeline, c.params, number(c.params["concurrent"])) for c in met]
    caption = "Runs submitted at the same time. Settings say whether a limit of steps holds over all of them"
    table = arm_table(lookup, "table-concurrency", caption, Plan(names, "served", cases, "At once", isolation=True))
    return present(made("concurrency", "Runs side by side", _at_most(lookup, cases), tables=[table]))


def _at_most(lookup: Lookup, cases: list[Case]) -> str:
    """The throughput at the most runs at once."""
    if not cases:
        return ""
    name, track = "concurrency.throughput_per_min", lookup.tracks[0] if lookup.tracks else "none"
    readings = lookup.readings(name, track, "served", case=cases[-1])
    return finding(lookup, describe(name), f"throughput with {cases[-1].label} runs at once", readings)

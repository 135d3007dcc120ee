"""What an engine takes of its host: nothing running, during a run, and over many runs."""

from __future__ import annotations

from dataclasses import replace

from bench.contract.processes import Function
from bench.questions.catalogue import metric as describe
from bench.questions.metric import Scale
from bench.questions.soak import FEWEST_RUNS, memory_slope
from reports.draw import charts
from reports.draw.charts import Figure
from reports.draw.figures import Rows, arm_title
from reports.read.lookup import Lookup, Scope, family
from reports.sections.section import Section, made, present
from reports.sections.tables import Plan, Row, Table, arm_table
from reports.words.catalogue import scale_of
from reports.words.numbers import interval, scaled, with_unit
from reports.words.prose import finding

IDLE = ("cpu_s_per_min", "pss_mean_bytes", "pss_peak_bytes", "processes", "threads", "handed_bytes_per_min",
        "written_bytes_per_min")  # fmt: skip
RUN = ("cpu_s", "pss_mean_bytes", "pss_peak_bytes", "processes_peak", "threads_peak", "handed_bytes", "written_bytes")
GROWTH = ("resources.metadata_bytes_per_1000_tasks", "resources.soak.pss_bytes_per_run")
EACH, SLOPE = "resources.soak.pss_bytes", GROWTH[1]
MEMORY = "resources.idle.pss_mean_bytes"
DATABASE, OTHER = "database", str(Function.OTHER)
FUNCTIONS = (*(str(one) for one in Function if one is not Function.OTHER), DATABASE)
"""What roles of several engines have in common, in the chart's order. The database is the harness's own."""
MB = Scale("MB", 1e-6)


def section(lookup: Lookup) -> Section | None:
    """The section; None if nothing of it was measured."""
    idle, run = ([f"resources.{when}.{leaf}" for leaf in leaves] for when, leaves in (("idle", IDLE), ("run", RUN)))
    what = lookup.pipeline_title(lookup.plain)
    tables = [
        arm_table(lookup, "table-idle", "Nothing running: all processes of the engine together", Plan(idle)),
        arm_table(lookup, "table-run", f"During a run of the {what} on a server", Plan(run)),
        _growth(lookup),
        _by_role(lookup, "table-idle-roles", "Nothing running, by role", idle),
        _by_role(lookup, "table-run-roles", "During a run, by role", run),
    ]
    return present(made("resources", "What does it take?", _sentence(lookup), figures=[_figure(lookup)], tables=tables))


def _sentence(lookup: Lookup) -> str:
    track = lookup.tracks[0] if lookup.tracks else "none"
    asked = (("resources.idle.pss_mean_bytes", "memory use while nothing runs"),
             ("resources.idle.cpu_s_per_min", "CPU use for each idle minute"))  # fmt: skip
    found = [(name, what, lookup.readings(name, track)) for name, what in asked]
    return " ".join(finding(lookup, describe(name), what, readings) for name, what, readings in found if readings)


def _roles(lookup: Lookup, name: str) -> list[Scope]:
    found = (scope for scope in lookup.scopes(name) if "role" in scope.params)
    return [Scope(scope.pipeline, scope.params, str(scope.params["role"])) for scope in found]


def _by_role(lookup: Lookup, key: str, caption: str, names: list[str]) -> Table | None:
    plan = Plan(names, scopes=_roles(lookup, names[0]), head="Role", by_arm=True, ranked=False, folded=True)
    return arm_table(lookup, key, caption, plan)


def _growth(lookup: Lookup) -> Table | None:
    """What stays behind after many runs."""
    scope = next(iter(lookup.scopes(SLOPE) + lookup.scopes(GROWTH[0])), None)
    if scope is None:
        return None
    table = arm_table(lookup, "table-growth", "What stays behind after many small runs", Plan(GROWTH, scopes=[scope]))
    if table is None or len(table.columns) < len(GROWTH):
        return table
    return replace(table, rows=tuple(_with_interval(lookup, row, scope) for row in table.rows))


def _with_interval(lookup: Lookup, row: Row, scope: Scope) -> Row:
    """The slope's interval comes from the runs of its one session, in their order."""
    own = (EACH, row.engine, row.track, scope.key)
    found = (s for s in lookup.result.samples if (s.metric, s.engine, s.track, Scope(s.pipeline, s.params).key) == own)
    values = [float(s.value) for s in found if isinstance(s.value, int | float)]
    *others, last = row.cells
    if len(values) < FEWEST_RUNS or last.n > 1 or not last.sort:
        return row
    slope = memory_slope(values)
    ends = interval(slope.low, slope.high, scale_of(describe(SLOPE), values))
    return replace(row, cells=(*others, replace(last, interval=ends, note=f"over {len(values)} runs")))


def _figure(lookup: Lookup) -> Figure | None:
    """Memory with nothing running, the largest roles by name."""
    rows = [row for track in lookup.tracks for engine in lookup.engines for row in _parts(lookup, engine, track)]
    if not rows:
        return None
    readings = lookup.readings(MEMORY, rows[0]["track"])
    title = finding(lookup, describe(MEMORY), "memory use while nothing runs", readings)
    caption = "Proportional set size, the mean over some seconds: what processes share counts once. Roles alike in kind"
    caption += " share a shade; the table by role has each."
    return charts.figure("figure-idle", title, charts.stacked(rows, "MB"), rows, caption)


def _parts(lookup: Lookup, engine: str, track: str) -> Rows:
    """One row for each kind of role, with the roles' memory added up."""
    sizes = dict.fromkeys((*FUNCTIONS, OTHER), 0.0)
    told = {name: does for one in lookup.result.manifest.engines for name, does in one.roles.items()
            if one.name == family(engine)}  # fmt: skip
    for scope in _roles(lookup, MEMORY):
        reading = lookup.reading(MEMORY, engine, track, scope=scope)
        if reading and isinstance(reading.value, int | float):
            sizes[_function(told.get(scope.label, scope.label))] += float(reading.value)
    about = {"engine": engine, "track": track, "arm": arm_title(lookup, engine, track)}
    return [
        about | {"part": part, "place": place, "value": round(size * MB.factor, 3),
                 "shown": with_unit(scaled(size, MB), MB.unit)}
        for place, (part, size) in enumerate(sizes.items()) if size
    ]  # fmt: skip


def _function(said: str) -> str:
    return said if said in FUNCTIONS else OTHER

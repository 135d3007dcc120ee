"""Results in the order of time: every metric's values, with each change of an engine's version marked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any

from bench.analyse.comparability import BASELINE, incomparable
from bench.analyse.sides import Identity, Measured, Side, Values
from bench.questions.catalogue import metric as describe
from reports.draw.charts import Figure, Palette, figure
from reports.draw.deferred import alt
from reports.pages.comparison import described
from reports.pages.document import Document, Line, Section, Table
from reports.pages.wording import Names, common_scale, identity_order, title, value_text, where
from reports.read.looks import looks
from reports.words.numbers import plural

HEADLINES = (
    "runtime.makespan_s",
    "runtime.overhead_s",
    "setup.total_s",
    "resources.run.cpu_s",
    "resources.idle.pss_mean_bytes",
    "authoring.sloc",
)
WIDTH, HEIGHT = 640, 130
CAPTION = "Text beside a point: the engine's version, where it changed. A line ends where the next is not comparable."


def document(results: Sequence[Measured], sides: Sequence[Side], metrics: Sequence[str] = ()) -> Document:
    """The page of results that are in the order of time; sides as `bench.analyse.sides.of_results` gives them."""
    places = sorted(
        {p for side in sides for p in side.values if p.metric.startswith(tuple(metrics) or "")}, key=identity_order
    )
    names = Names.of(*(result.manifest for result in results))
    engines = dict.fromkeys(place.engine for place in places)
    return Document(
        title=f"{plural(len(results), 'result')} over time",
        facts=tuple((side.label, described(result)) for side, result in zip(sides, results, strict=True)),
        notes=tuple(_breaks(results, sides)),
        sections=(
            Section("Headlines", figures=tuple(_figures(places, results, sides, names))),
            Section("Every value", tables=tuple(_table(e, places, results, sides, names) for e in engines)),
        ),
    )


def _breaks(results: Sequence[Measured], sides: Sequence[Side]) -> Iterable[str]:
    """Where a value may have changed for reasons that lie in no engine."""
    for (one, before), (other, after) in pairwise(zip(results, sides, strict=True)):
        if reasons := incomparable(one.manifest, other.manifest):
            yield f"{after.label} is not comparable with {before.label}: {'; '.join(reasons)}"


def _table(
    engine: str,
    places: Sequence[Identity],
    results: Sequence[Measured],
    sides: Sequence[Side],
    names: Names,
) -> Table:
    dates = (_dated(*both) for both in zip(results, sides, strict=True))
    ours = (place for place in places if place.engine == engine)
    lines = [_line(place, [side.values.get(place) for side in sides], names) for place in ours]
    columns = ("Metric", "Where", *dates)
    versions = _versions(engine, sides)
    if any(versions):
        lines.insert(0, Line(("Version", "", *_marked(versions)), "heading"))
    return Table(names.engine(engine), columns, tuple(lines), frozenset(range(2, len(columns))), folded=True)


def _line(place: Identity, values: Sequence[Values | None], names: Names) -> Line:
    metric = describe(place.metric)
    scale = common_scale(metric, values)
    return Line((title(metric), where(place, names), *(value_text(held, metric, scale) for held in values)))


def _versions(engine: str, sides: Sequence[Side]) -> list[str]:
    """The engine's version in each result; empty where it was not measured."""
    return [
        ", ".join(sorted({v.version for place, v in side.values.items() if place.engine == engine and v.version}))
        for side in sides
    ]


def _marked(versions: Sequence[str]) -> list[str]:
    """An arrow before each version that is not the one last met."""
    marked, last = [], ""
    for version in versions:
        marked.append(f"→ {version}" if version and last and version != last else version)
        last = version or last
    return marked


def _figures(
    places: Sequence[Identity], results: Sequence[Measured], sides: Sequence[Side], names: Names
) -> Iterable[Figure]:
    """A small line chart for each headline that at least two results have."""
    engines = list(dict.fromkeys(place.engine for place in places if place.engine != BASELINE))
    declared = (one for result in results for one in result.manifest.engines)
    palette = Palette(looks(engines, declared), BASELINE)
    for name in HEADLINES:
        met = [p for p in places if p.metric == name and not names.pipeline(p.pipeline) and p.params == "{}"]
        rows = [row for place in met for row in _points(place, results, sides, names)]
        if len({row["result"] for row in rows}) > 1:
            chart = _chart(rows, [_dated(*both) for both in zip(results, sides, strict=True)], palette)
            yield figure(f"over-time-{name.replace('.', '-')}", title(describe(name)), chart, rows, CAPTION)


def _points(
    place: Identity, results: Sequence[Measured], sides: Sequence[Side], names: Names
) -> Iterable[dict[str, Any]]:
    metric = describe(place.metric)
    values = [side.values.get(place) for side in sides]
    scale = common_scale(metric, values)
    marks = _marked([held.version if held else "" for held in values])
    breaks = [bool(incomparable(one.manifest, other.manifest)) for one, other in pairwise(results)]
    stretches = accumulate(breaks, initial=0)
    for result, side, held, mark, stretch in zip(results, sides, values, marks, stretches, strict=True):
        if held and isinstance(held.record.value, int | float):
            yield {
                "result": _dated(result, side), "engine": place.engine, "track": place.track,
                "name": names.engine(place.engine), "where": where(place, names) or "everywhere", "stretch": stretch,
                "value": held.record.value * scale.factor, "axis": scale.unit,
                "version": mark if mark.startswith("→") else "",
            }  # fmt: skip


def _dated(result: Measured, side: Side) -> str:
    return f"{side.label} {result.manifest.created_utc[:10]}"


def _chart(rows: Sequence[Mapping[str, Any]], order: Sequence[str], palette: Palette) -> Any:
    """A panel for each place it ran; lines by engine, broken where results are not comparable."""
    named = {str(row["engine"]): str(row["name"]) for row in rows}
    shown = list(named.values())
    colour = alt.Scale(domain=shown, range=[palette.colour(engine) for engine in named])
    shape = alt.Scale(domain=shown, range=[palette.shape(engine) for engine in named])
    below = alt.Axis(labelAngle=0, labelExpr="split(datum.label, ' ')")
    base = alt.Chart(alt.InlineData(values=[])).encode(
        x=alt.X("result:O", title=None, sort=order, scale=alt.Scale(domain=order), axis=below),
        y=alt.Y("value:Q", title=str(rows[0]["axis"]), scale=alt.Scale(zero=True), axis=alt.Axis(tickCount=4)),
        color=alt.Color("name:N", title=None, scale=colour, legend=alt.Legend(columnPadding=24)),
    )
    line = base.mark_line().encode(detail="stretch:N")
    point = base.mark_point(size=60, filled=True, opacity=1).encode(shape=alt.Shape("name:N", title=None, scale=shape))
    version = base.mark_text(align="left", dx=7, dy=-7, fontSize=12).encode(text="version:N")
    panel = alt.layer(line, point, version).properties(width=WIDTH, height=HEIGHT)
    panels = list(dict.fromkeys(str(row["where"]) for row in rows))
    header = alt.Header(labelOrient="top", labelAnchor="start", title=None)
    return panel.facet(row=alt.Row("where:N", sort=panels, title=None, header=header)).properties(spacing=14)

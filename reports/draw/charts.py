"""Altair charts, drawn to SVG on this machine. Colours are CSS variables, so one drawing serves light and dark."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import vl_convert
from markupsafe import Markup

from reports.draw.deferred import alt
from reports.read.looks import BASELINE_LOOK, Look

WIDTH = 720
ROW = 30
PARTS = 6
LATER = re.compile(r'(?<= id=")[^"]+|(?<=url\(#)[^)]+')

CONFIG: dict[str, Any] = {
    "background": "transparent",
    "padding": {"left": 24, "top": 5, "right": 24, "bottom": 5},  # the reader's font may be wider than ours
    "font": "system-ui, sans-serif",
    "axis": {
        "labelColor": "var(--ink)", "titleColor": "var(--quiet)", "domainColor": "var(--line)",
        "tickColor": "var(--line)", "gridColor": "var(--grid)", "labelFontSize": 13, "titleFontSize": 13,
        "titleFontWeight": "normal", "labelLimit": 260, "tickCount": 8,
    },
    "legend": {
        "labelColor": "var(--ink)", "titleColor": "var(--quiet)", "labelFontSize": 13, "orient": "top",
        "symbolStrokeColor": "var(--ink)", "labelLimit": 260, "columnPadding": 30,
    },
    "header": {"labelColor": "var(--ink)", "labelFontSize": 13, "labelFontWeight": 600},
    "view": {"stroke": None},
    "text": {"color": "var(--ink)"},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart whose title is its finding. `spec` draws the same again, with hover, where JavaScript is on."""

    key: str
    title: str
    svg: Markup
    spec: Mapping[str, Any]
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Palette:
    """The look of each engine: the same colour and shape everywhere."""

    looks: Mapping[str, Look]
    baseline: str

    def colour(self, engine: str) -> str:
        return f"var(--{self._look(engine).colour})"

    def shape(self, engine: str) -> str:
        return self._look(engine).shape

    def _look(self, engine: str) -> Look:
        return BASELINE_LOOK if engine == self.baseline else self.looks[engine]


def figure(key: str, title: str, chart: Any, rows: Sequence[Mapping[str, Any]], caption: str = "") -> Figure:
    """Finish a chart: data, colours, the two filters of the page, and the drawing."""
    spec = chart.to_dict(context={"pre_transform": False})
    spec.pop("datasets", None)
    spec["config"] = CONFIG
    spec["data"] = {"values": list(rows)}
    spec["params"] = [
        {"name": "engines", "value": sorted({str(row["engine"]) for row in rows})},
        {"name": "tracks", "value": sorted({str(row["track"]) for row in rows})},
    ]
    chosen = "indexof(engines, datum.engine) >= 0 && indexof(tracks, datum.track) >= 0"
    spec["transform"] = [{"filter": chosen}, *spec.get("transform", [])]
    svg = vl_convert.vegalite_to_svg(json.dumps(spec))
    svg = LATER.sub(lambda match: f"{key}-{match[0]}", svg)
    return Figure(key, title, Markup(svg), spec, caption)  # noqa: S704 - Vega escapes every text of the data


def _colours(palette: Palette, engines: Sequence[str]) -> alt.Scale:
    return alt.Scale(domain=list(engines), range=[palette.colour(engine) for engine in engines])


def _shapes(palette: Palette, engines: Sequence[str]) -> alt.Scale:
    return alt.Scale(domain=list(engines), range=[palette.shape(engine) for engine in engines])


def _arms(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(str(row["arm"]) for row in rows))


def dots(rows: Sequence[Mapping[str, Any]], axis: str, palette: Palette) -> Any:
    """Every sample as a dot (hollow: warm-up), the median as a bar, the interval as a line."""
    engines = list(dict.fromkeys(str(row["engine"]) for row in rows))
    y = alt.Y("arm:N", sort=_arms(rows), title=None)
    x = alt.X("value:Q", title=axis, scale=alt.Scale(zero=True))
    colour = alt.Color("engine:N", scale=_colours(palette, engines), legend=None)
    base = _empty()
    span = base.mark_rule(strokeWidth=2).encode(y=y, x=alt.X("low:Q", title=axis), x2="high:Q", color=colour)
    middle = base.mark_tick(thickness=3, size=20).encode(
        y=y, x=x, color=colour, tooltip=[_tip("arm", "arm"), _tip("shown", "median")]
    )
    shown = {
        "y": y, "x": x, "color": colour, "shape": alt.Shape("engine:N", scale=_shapes(palette, engines), legend=None),
        "tooltip": [_tip("arm", "arm"), _tip("shown", "value"), _tip("about", "sample"), _tip("run", "run")],
    }  # fmt: skip
    sample = base.mark_point(size=60, filled=True, opacity=0.65).encode(**shown)
    warm_up = base.mark_point(size=45, filled=False, opacity=0.8, strokeWidth=1.2).encode(**shown)
    ring = base.mark_point(shape="circle", size=190, filled=False, strokeWidth=1.5, color="var(--ink)")
    layers = [
        (span, lambda row: row["kind"] == "median" and row["low"] is not None,
         "datum.kind == 'median' && isValid(datum.low)"),
        (middle, lambda row: row["kind"] == "median", "datum.kind == 'median'"),
        (sample, lambda row: row["kind"] == "sample" and not row["warm_up"],
         "datum.kind == 'sample' && !datum.warm_up"),
        (warm_up, lambda row: row["kind"] == "sample" and row["warm_up"], "datum.kind == 'sample' && datum.warm_up"),
        (ring.encode(y=y, x=x, tooltip=shown["tooltip"]), lambda row: row.get("outlier"), "datum.outlier"),
    ]  # fmt: skip
    drawn = [layer.transform_filter(chosen) for layer, present, chosen in layers if any(map(present, rows))]
    return alt.layer(*drawn).properties(width=WIDTH, height=ROW * len(_arms(rows)))


def growth(rows: Sequence[Mapping[str, Any]], palette: Palette) -> Any:
    """Time over the number of tasks: points, and the fitted line of each engine; one panel a pipeline."""
    titles = {str(row["arm"]): str(row["engine"]) for row in rows}
    panels = list(dict.fromkeys(str(row["panel"]) for row in rows))
    colour = alt.Color("arm:N", title=None, scale=alt.Scale(
        domain=list(titles), range=[palette.colour(engine) for engine in titles.values()]))  # fmt: skip
    shape = alt.Shape("arm:N", title=None, scale=alt.Scale(
        domain=list(titles), range=[palette.shape(engine) for engine in titles.values()]))  # fmt: skip
    base = _empty()
    x, y = (
        alt.X("n:Q", title="tasks", scale=alt.Scale(zero=True), axis=alt.Axis(tickCount=5)),
        alt.Y("value:Q", title="seconds"),
    )
    line = base.mark_line(strokeWidth=1.5).encode(x=x, y=y, color=colour)
    point = base.mark_point(size=50, filled=True, opacity=0.65).encode(
        x=x, y=y, color=colour, shape=shape,
        tooltip=[_tip("arm", "arm"), _tip("n", "tasks"), _tip("shown", "makespan"), _tip("about", "sample"),
                 _tip("run", "run")],
    )  # fmt: skip
    layers = [(line, "fit"), (point, "point")]
    drawn = [one.transform_filter(f"datum.kind == '{k}'") for one, k in layers if any(r["kind"] == k for r in rows)]
    header = alt.Header(labelOrient="top", labelAnchor="start", title=None)
    width = WIDTH // 2 - 20 if len(panels) > 1 else WIDTH - 100
    return (
        alt.layer(*drawn)
        .properties(width=width, height=240)
        .facet(column=alt.Column("panel:N", sort=panels, title=None, header=header))
        .resolve_scale(x="independent", y="independent")
    )


def stacked(rows: Sequence[Mapping[str, Any]], axis: str) -> Any:
    """Parts of a whole, in the order of time."""
    parts = list(dict.fromkeys(str(row["part"]) for row in rows))
    shades = [f"var(--part-{i % PARTS + 1})" for i in range(len(parts))]
    return (
        _empty()
        .mark_bar(stroke="var(--page)", strokeWidth=1, height=18)
        .encode(
            y=alt.Y("arm:N", sort=_arms(rows), title=None),
            x=alt.X("value:Q", title=axis, stack="zero"),
            color=alt.Color("part:N", scale=alt.Scale(domain=parts, range=shades), title=None),
            order=alt.Order("place:Q"),
            tooltip=[_tip("arm", "arm"), _tip("part", "part"), _tip("shown", "value")],
        )
        .properties(width=WIDTH, height=ROW * len(_arms(rows)))
    )


def bars(rows: Sequence[Mapping[str, Any]], axis: str, palette: Palette) -> Any:
    """One bar an arm within each group, its value at the end."""
    engines = list(dict.fromkeys(str(row["engine"]) for row in rows))
    groups = list(dict.fromkeys(str(row["group"]) for row in rows))
    base = _empty().encode(
        y=alt.Y("arm:N", sort=_arms(rows), title=None),
        x=alt.X("value:Q", title=axis),
        tooltip=[_tip("arm", "arm"), _tip("shown", "value")],
    )
    bar = base.mark_bar(height=14).encode(color=alt.Color("engine:N", scale=_colours(palette, engines), legend=None))
    label = base.mark_text(align="left", dx=5, fontSize=13).encode(text="shown:N")
    drawn = alt.layer(bar, label).properties(width=WIDTH - 100, height=24 * len(_arms(rows)))
    if len(groups) < 2:
        return drawn
    header = alt.Header(labelOrient="top", labelAnchor="start", title=None)
    return drawn.facet(row=alt.Row("group:N", sort=groups, title=None, header=header)).properties(spacing=14)


def shares(rows: Sequence[Mapping[str, Any]], palette: Palette) -> Any:
    """Proportions in percent with their intervals, in a panel for each question."""
    panels = list(dict.fromkeys(str(row["panel"]) for row in rows))
    engines = list(dict.fromkeys(str(row["engine"]) for row in rows))
    y = alt.Y("arm:N", sort=_arms(rows), title=None)
    x = alt.X("value:Q", title="% of kill points", scale=alt.Scale(domain=[0, 100]), axis=alt.Axis(tickCount=5))
    colour = alt.Color("engine:N", scale=_colours(palette, engines), legend=None)
    base = _empty()
    span = base.mark_rule(strokeWidth=2).encode(y=y, x=alt.X("low:Q"), x2="high:Q", color=colour)
    point = base.mark_point(size=70, filled=True, opacity=1).encode(
        y=y, x=x, color=colour, shape=alt.Shape("engine:N", scale=_shapes(palette, engines), legend=None),
        tooltip=[_tip("arm", "arm"), _tip("shown", "share"), _tip("about", "of")],
    )  # fmt: skip
    drawn = alt.layer(span.transform_filter("isValid(datum.low)"), point)
    drawn = drawn.properties(width=WIDTH // 3 - 40, height=24 * len(_arms(rows)))
    header = alt.Header(labelOrient="top", labelAnchor="start", title=None)
    return drawn.facet(column=alt.Column("panel:N", sort=panels, title=None, header=header)).properties(spacing=24)


def _empty() -> alt.Chart:
    """A chart without data: `figure` puts the rows in once, at the top."""
    return alt.Chart(alt.InlineData(values=[]))


def _tip(name: str, title: str) -> alt.Tooltip:
    return alt.Tooltip(f"{name}:N", title=title)

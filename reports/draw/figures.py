"""Which charts a result has, and the rows that they draw."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from bench.analyse.summary import outliers
from bench.contract.records import Record, Sample
from bench.questions.catalogue import metric as describe
from bench.questions.catalogue import subject
from bench.questions.metric import Scale
from reports.draw import charts
from reports.draw.charts import Figure, Palette
from reports.read.lookup import BASELINE, Lookup
from reports.words.numbers import scale_for, scaled, with_unit
from reports.words.prose import finding

Rows = list[dict[str, Any]]

MAKESPAN_PARTS = (
    ("runtime.submit_to_first_step_s", "submit to first step"),
    ("runtime.work_s", "steps at work"),
    ("runtime.transitions_total_s", "between steps"),
    ("runtime.terminal_lag_s", "last step to terminal state"),
)
SETUP_PARTS = (
    ("setup.environment_s", "environment"),
    ("setup.initialise_s", "initialise"),
    ("setup.start_s", "start"),
    ("setup.deploy_s", "deploy"),
    ("setup.first_run_s", "first run"),
)


def palette(lookup: Lookup) -> Palette:
    return Palette(lookup.looks, BASELINE)


def arm_title(lookup: Lookup, engine: str, track: str) -> str:
    """The engine with its track."""
    known = engine == BASELINE or track in ("none", "")
    return lookup.title(engine) if known else f"{lookup.title(engine)}, {track}"


def _lead(lookup: Lookup, name: str, what: str, mode: str = "") -> str:
    """The finding about a metric on the first track, as the title of a chart."""
    track = lookup.tracks[0] if lookup.tracks else "none"
    where = f"{track.capitalize()} track: " if mode and len(lookup.tracks) > 1 else ""
    return where + finding(lookup, describe(name), what, lookup.readings(name, track, mode))


def code_figure(lookup: Lookup) -> Figure | None:
    readings = lookup.readings("authoring.sloc")
    rows: Rows = [
        {"engine": r.engine, "track": "none", "arm": lookup.title(r.engine), "group": "", "value": r.value,
         "shown": f"{r.value:.0f}"}
        for r in readings if isinstance(r.value, int | float)
    ]  # fmt: skip
    if not rows:
        return None
    title = _lead(lookup, "authoring.sloc", "number of source lines")
    return charts.figure("figure-code", title, charts.bars(rows, "source lines", palette(lookup)), rows)


BEYOND_ALL = 1.25


def dots_figure(lookup: Lookup, mode: str) -> Figure | None:
    """Makespan of every run of a mode; modes never share an axis."""
    name = "runtime.makespan_s"
    records, samples = (_of(lookup, all_, name, mode) for all_ in (lookup.result.records, lookup.result.samples))
    found = [x for x in (*records, *samples) if isinstance(x.value, int | float)]
    far = {samples[index].run_id for index in outliers(samples)}
    order = {arm: i for i, arm in enumerate(_ordered_arms(lookup, found))}
    scale = Scale("s")
    rows = [_dot(lookup, x, scale, far) for x in found if (x.engine, x.track) in order]
    rows.sort(key=lambda row: order[row["engine"], row["track"]])
    if all(row["engine"] == BASELINE for row in rows):
        return None
    title = _lead(lookup, name, "makespan, " + ("on a server" if mode == "served" else "without a server"), mode)
    start = "submit" if mode == "served" else "the start of the process"
    caption = f"Makespan: {start} until the last step's end. Dot: one sample; hollow: warm-up, in no estimate."
    caption += " Upright bar: the estimate over sessions. Line: 95 % interval, where there is more than one session."
    if any(row.get("outlier") for row in rows):
        caption += " Ring: an outlier, kept in every estimate."
    if beyond := _cut(rows):
        caption += (
            f" A line that ends at {with_unit(scaled(beyond, scale), scale.unit)} goes on; the table has its end."
        )
    chart = charts.dots(rows, "seconds", palette(lookup))
    return charts.figure(f"figure-makespan-{mode}", title, chart, rows, caption)


def _cut(rows: Rows) -> float:
    """Let no interval reach far beyond all values: those of two sessions would leave no room for the others. Returns
    where they are cut; 0 if none is."""
    edge = BEYOND_ALL * max(row["value"] for row in rows)
    far = [row for row in rows if (row.get("high") or 0.0) > edge]
    for row in far:
        row["high"] = edge
    return edge if far else 0.0


def _of(lookup: Lookup, items: Iterable[Any], name: str, mode: str) -> list[Any]:
    """Of the plain pipeline in a mode; the plain loop has no server to be on, and stands beside local runs."""
    beside, plain = ((BASELINE,) if mode == "local" else ()), lookup.key("", {})
    return [
        x for x in items
        if x.metric == name and lookup.key(x.pipeline, x.params) == plain
        and (x.mode == mode or x.engine in beside)
    ]  # fmt: skip


def _ordered_arms(lookup: Lookup, found: Sequence[Record | Sample]) -> list[tuple[str, str]]:
    met = {(x.engine, x.track) for x in found}
    arms = [(engine, track) for track in (*lookup.tracks, "none") for engine in lookup.engines]
    return [arm for arm in (*arms, *((BASELINE, t) for t in (*lookup.tracks, "none"))) if arm in met]


def _dot(lookup: Lookup, x: Record | Sample, scale: Scale, far: Collection[str]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "engine": x.engine, "track": x.track, "arm": arm_title(lookup, x.engine, x.track),
        "value": round(float(x.value or 0), 6), "shown": with_unit(scaled(float(x.value or 0), scale), scale.unit),
    }  # fmt: skip
    if isinstance(x, Record):
        return row | {"kind": "median", "low": x.ci_low, "high": x.ci_high}
    outlier = x.run_id in far and not x.warm_up
    about = f"session {x.session}, block {x.block}" + (", warm-up" if x.warm_up else "")
    about += ", outlier, kept" if outlier else ""
    return row | {"kind": "sample", "warm_up": x.warm_up, "outlier": outlier, "about": about, "run": x.run_id}


def parts_figure(lookup: Lookup, key: str, parts: Sequence[tuple[str, str]], whole: str, mode: str) -> Figure | None:
    """The medians of the parts, stacked."""
    rows: Rows = []
    for track in lookup.tracks or ("none",):
        for engine in lookup.engines:
            readings = [lookup.reading(name, engine, track, mode) for name, _ in parts]
            rows += [
                {"engine": engine, "track": track, "arm": arm_title(lookup, engine, track), "part": said,
                 "place": place, "value": round(r.value, 6), "shown": with_unit(scaled(r.value, Scale("s")), "s")}
                for place, (r, (_, said)) in enumerate(zip(readings, parts, strict=True))
                if r is not None and isinstance(r.value, int | float)
            ]  # fmt: skip
    if not rows:
        return None
    title = f"{whole}. {_largest(lookup, rows)}"
    caption = "Medians of the parts, each over all sessions; so their sum need not be the median of the whole."
    return charts.figure(key, title, charts.stacked(rows, "seconds"), rows, caption)


def _largest(lookup: Lookup, rows: Rows) -> str:
    """For each engine on the first track, the part that takes longest."""
    first = [row for row in rows if row["track"] == (lookup.tracks or ("none",))[0]]
    said = []
    for engine in dict.fromkeys(row["engine"] for row in first):
        most = max((row for row in first if row["engine"] == engine), key=lambda row: float(row["value"]))
        said.append(f"{most['arm']}: {most['part']}, {most['shown']}")
    return "The largest part: " + "; ".join(said) + "."


def debugging_figure(lookup: Lookup) -> Figure | None:
    rows: Rows = []
    topics = lookup.topics("debugging")
    for topic in topics:
        name = f"debugging.{topic}.visible_s"
        for track in lookup.tracks or ("none",):
            readings = [r for r in lookup.readings(name, track) if isinstance(r.value, int | float)]
            rows += [
                {"engine": r.engine, "track": track, "arm": arm_title(lookup, r.engine, track), "group": subject(topic),
                 "value": r.value, "shown": with_unit(scaled(float(r.value or 0), Scale("s")), "s")}
                for r in readings
            ]  # fmt: skip
    if not rows:
        return None
    scale = scale_for("s", [10.0])
    title = _lead(lookup, f"debugging.{topics[0]}.visible_s", f"time until visible ({subject(topics[0]).lower()})")
    chart = charts.bars(rows, f"{scale.unit} until the API shows the error", palette(lookup))
    return charts.figure("figure-debugging", title, chart, rows)

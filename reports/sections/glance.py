"""What a quick result can say in ten seconds: facts, and what each engine did, once."""

from __future__ import annotations

from dataclasses import replace

from bench.questions.catalogue import metric as describe
from reports.read.lookup import Lookup
from reports.sections.tables import MOST_COLUMNS, Cell, Column, Row, Table, cell
from reports.words.catalogue import scale_of

SHOWN = (
    ("authoring.sloc", "", "Source lines"),
    ("setup.packages", "", "Packages"),
    ("setup.disk_bytes", "", "Disk"),
    ("setup.total_s", "", "Empty folder to first run"),
    ("runtime.completion_s", "served", "A run on the server"),
    ("recovery.step_killed.outcome", "", "A step's process was killed"),
    ("recovery.resume_after_fix.outcome", "", "Started again after a fix"),
)
"""Metric, mode, and what it is called here."""
REMARK = "★ best, of facts alone: lines, packages and disk are exact. All else happened once, and ranks nothing."


def table(lookup: Lookup) -> Table | None:
    """A row for each engine, on the first track; None if nothing of it is known."""
    track = lookup.tracks[0] if lookup.tracks else "none"
    columns, cells = [], []
    for name, mode, title in SHOWN:
        readings = {reading.engine: reading for reading in lookup.readings(name, track, mode)}
        if readings:
            metric = describe(name)
            scale = scale_of(metric, [reading.value for reading in readings.values()])
            numeric = metric.kind != "outcome"
            columns.append(Column(title, "" if scale.unit == "lines" else scale.unit, "", numeric))
            shown = {e: cell(readings.get(e), metric, scale) for e in lookup.engines}
            cells.append({e: _plain(one, numeric=numeric) for e, one in shown.items()})
    rows = tuple(Row(e, lookup.title(e), "", tuple(column[e] for column in cells)) for e in lookup.engines)
    turned = len(columns) > MOST_COLUMNS
    return Table("table-glance", "At a glance", tuple(columns), rows, REMARK, turned=turned) if columns else None


def _plain(shown: Cell, *, numeric: bool) -> Cell:
    """The number of runs and how steps were kept apart stand in the sections."""
    return replace(shown, n=0, isolation="", note="" if shown.sort else shown.note, numeric=numeric)

"""How far this result may be trusted: its noise, its instrument, the load by others, and the micro-benchmarks."""

from __future__ import annotations

from dataclasses import replace

from bench.analyse.audits import BUSY_SHARE, SUSPICIOUS_P
from bench.contract.records import Record
from bench.questions.catalogue import LEAVES
from bench.questions.catalogue import metric as describe
from reports.read.lookup import Lookup, as_reading
from reports.sections.tables import Cell, Column, Row, Table, cell
from reports.words.catalogue import scale_of
from reports.words.numbers import interval, number, plural, scaled, with_unit
from reports.words.ranking import Reading

Pairs = tuple[tuple[str, str], ...]
MICRO = "micro."
ASKING = "noise.asking_ratio"
OF_STEPS = ("rows_per_s", "peak_bytes")
SINGLE_VALUES = ("noise.clock_resolution_s", "instrument.attempt_s", "micro.report_s")
ORDER_TESTS = {"noise.position_p": "place in a block", "noise.drift_p": "time since the start"}


def facts(lookup: Lookup) -> Pairs:
    """What is known of noise and instrument, by name."""
    found = {
        "The same engine measured twice": _again(lookup),
        "Between these two": _smallest(lookup),
        "Order of the sessions": _order(lookup),
        "Load by others": _load(lookup),
        **{describe(name).title: _shown(lookup, name) for name in SINGLE_VALUES},
        "Core's pipeline against a bare script": _ratios(lookup),
        "Engines are asked for a run": _asked(lookup),
        describe(ASKING).title: _asking(lookup),
    }
    return tuple((name, said) for name, said in found.items() if said)


def _asked(lookup: Lookup) -> str:
    every = lookup.result.manifest.asked
    if not every:
        return ""
    ended, silence, broken = (f"{every[name]:g} s" for name in ("ended_s", "silence_s", "broken_s"))
    plain = f"a plain one once its last step has ended, then every {ended}, or after {silence} of silence"
    return f"{plain}; a broken one every {broken}"


def _asking(lookup: Lookup) -> str:
    """What asking costs, by engine."""
    found = [r for r in lookup.result.records if r.metric == ASKING]
    return "; ".join(f"{lookup.title(r.engine)}: {_of(r)}, {plural(r.n, 'pair')}" for r in found)


def _record(lookup: Lookup, name: str) -> Record | None:
    return next((r for r in lookup.result.records if r.metric == name), None)


def _value(lookup: Lookup, name: str) -> float | None:
    record = _record(lookup, name)
    return float(record.value) if record and isinstance(record.value, int | float) else None


def _shown(lookup: Lookup, name: str) -> str:
    record = _record(lookup, name)
    return _of(record) if record else ""


def _of(record: Record) -> str:
    """The value with its interval, or why there is none."""
    if not isinstance(record.value, int | float):
        return record.note or "not measured"
    scale = scale_of(describe(record.metric), [record.value])
    ends = interval(record.ci_low, record.ci_high, scale)
    shown = scaled(record.value, scale)
    return (f"{shown}×" if scale.unit == "×" else with_unit(shown, scale.unit)) + (f" ({ends})" if ends else "")


def _again(lookup: Lookup) -> str:
    record = _record(lookup, "noise.aa_ratio")
    if record is None:
        return ""
    base = lookup.title(lookup.base(record.engine))
    return (
        f"{base}: {_of(record)}, {plural(record.n, 'block')}; 1 is no difference, which one in twenty intervals misses"
    )


def _smallest(lookup: Lookup) -> str:
    record = _record(lookup, "noise.detectable_ratio")
    if record is None or not isinstance(record.value, int | float):
        return record.note if record else ""
    return f"{_of(record)} would have been shown, in 80 of 100 results; of other pairs that says nothing"


def _order(lookup: Lookup) -> str:
    """Whether the order shows in the times: p of the tests, and how fast times drift; or why it was not tested."""
    said = []
    for name, what in ORDER_TESTS.items():
        record, p = _record(lookup, name), _value(lookup, name)
        if p is not None:
            shows = "shows in the times" if p < SUSPICIOUS_P else "does not show in the times"
            said.append(f"the {what} {shows} (p = {number(p, whole=False)})")
        elif record:
            return f"not tested: {record.note}"
    drift = _value(lookup, "noise.drift_per_hour_ratio")
    if said and drift is not None:
        said.append(f"times change by {number(drift, whole=False)}× an hour")
    return "; ".join(said)


def _load(lookup: Lookup) -> str:
    samples = (s for s in lookup.result.samples if s.metric == "host.others_cores" and not s.warm_up)
    loads = [float(s.value) for s in samples if isinstance(s.value, int | float)]
    cores = lookup.result.manifest.host.get("cores")
    if not loads or not isinstance(cores, int | float):
        return ""
    busy = sum(load > BUSY_SHARE * cores for load in loads)
    worst = f"{number(max(loads), whole=False)} of {plural(int(cores), 'core')}"
    return f"above {number(100 * BUSY_SHARE)} % of the cores in {busy} of {plural(len(loads), 'run')}; at worst {worst}"


def _ratios(lookup: Lookup) -> str:
    """The price of the journal and of files between the steps, in time and memory."""
    said = []
    for leaf in ("time", "memory"):
        for record in lookup.result.records:
            if record.metric == f"{MICRO}pipeline.{leaf}_ratio":
                rows = f" for {number(record.params['rows'])} rows" if "rows" in record.params else ""
                said.append(f"{leaf} {_of(record)}{rows}, n={record.n}")
    return "; ".join(said)


def micro_table(lookup: Lookup) -> Table | None:
    """Rows each second and peak memory of every step, by size."""
    found: dict[tuple[str, int], dict[str, Reading]] = {}
    for record in lookup.result.records:
        step, _, leaf = record.metric.removeprefix(MICRO).rpartition(".")
        if record.metric.startswith(MICRO) and leaf in OF_STEPS:
            found.setdefault((step, int(record.params.get("rows", 0))), {})[leaf] = as_reading(record)
    if not found:
        return None
    metrics = [LEAVES["micro"][leaf] for leaf in OF_STEPS]
    scales = [scale_of(m, [r[leaf].value for r in found.values() if leaf in r])
              for m, leaf in zip(metrics, OF_STEPS, strict=True)]  # fmt: skip
    rows = []
    for (step, size), read in found.items():
        values = (cell(read.get(leaf), m, s) for leaf, m, s in zip(OF_STEPS, metrics, scales, strict=True))
        cells = (Cell(number(size), sort=repr(size)), *(replace(one, note="") for one in values))
        rows.append(Row("", step.replace("_", " "), "", cells))
    columns = (Column("Rows"), *(Column(m.title, s.unit, m.help) for m, s in zip(metrics, scales, strict=True)))
    return Table("table-micro", "The steps alone, without any engine", columns, tuple(rows), heading="Step")

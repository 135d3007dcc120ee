"""How two values that were held against each other are told: by how much they differ, and what would have shown."""

from __future__ import annotations

from bench.analyse.families import Contest
from bench.analyse.tell_apart import Difference
from bench.questions.metric import Metric
from reports.read.lookup import Lookup
from reports.words.catalogue import scale_of
from reports.words.numbers import interval, number, scale_for, scaled, with_unit
from reports.words.ranking import Reading

RATIO = scale_for("ratio", ())


def difference_said(lookup: Lookup, best: Reading, other: Reading, found: Difference, metric: Metric) -> str:
    """`Airflow against Prefect: 1.32× (1.10–1.58), would have shown 1.15×.`"""
    lead = f"{lookup.title(other.engine)} against {lookup.title(best.engine)}"
    said = [text for text in (_change(found, metric), found.why) if text]
    told = "" if found.moved else {"tie": "a tie", "same": "the same"}.get(found.word, found.word)
    return f"{lead}: {'; '.join([*said, *([told] if told else [])])}"


def _change(found: Difference, metric: Metric) -> str:
    change = found.change
    if change is None:
        return ""
    scale = RATIO if change.scale == "ratio" else scale_of(metric, [change.value])
    ends = interval(change.low, change.high, scale) if metric.kind == "time" else ""
    value = f"{scaled(change.value, scale)}×" if scale is RATIO else with_unit(scaled(change.value, scale), scale.unit)
    return f"{value}{f' ({ends})' if ends else ''}{detectable_said(change.detectable) if ends else ''}"


def detectable_said(ratio: float | None) -> str:
    """What the comparison could have shown, by its own sessions; empty without an interval."""
    return f", would have shown {number(ratio, whole=False)}×" if ratio else ""


def contest_said(lookup: Lookup, found: Contest) -> str:
    """What the paired test says of two engines."""
    titles = lookup.title(found.one), lookup.title(found.other)
    alone = f"{titles[0]} alone in {len(found.only_one)}, {titles[1]} alone in {len(found.only_other)}"
    p = f"p = {_p(found.p)}, {_p(found.adjusted)} with Holm's adjustment"
    verdict = f"{lookup.title(found.ahead)} is ahead" if found.ahead else "not told apart"
    shared = "1 shared family" if found.families == 1 else f"{found.families} shared families"
    return f"{titles[0]} and {titles[1]}, {shared}: both came right in {found.both}, {alone}; {p}: {verdict}"


def _p(value: float) -> str:
    return f"{value:.2g}"

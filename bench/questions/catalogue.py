"""What every metric means, and how the things are called that questions are about: gathered from their records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bench.questions.discovery import questions
from bench.questions.metric import Metric

_TOLD = sorted(questions(), key=lambda one: one.place)
METRICS: Mapping[str, Metric] = {metric.name: metric for question in _TOLD for metric in question.metrics}
"""By name, in the order in which they are told."""
LEAVES: Mapping[str, Mapping[str, Metric]] = {
    question.subjects: {metric.name: metric for metric in question.leaves} for question in _TOLD if question.subjects
}
"""Those that there are for each of several subjects: by how their names begin, and how they end."""
_TITLES = {key: title for question in _TOLD for key, title in question.titles.items()}


def subject(key: str) -> str:
    """The title of a scenario or bug; unknown ones by their own name."""
    return _TITLES.get(key, key.replace("_", " "))


def subjects() -> tuple[str, ...]:
    """All scenarios and bugs that have a title."""
    return tuple(_TITLES)


def columns(prefix: str, table: str = "") -> list[str]:
    """The metrics that are the columns of a table: those whose names begin so, and that are of that table."""
    return [name for name, one in METRICS.items() if name.startswith(f"{prefix}.") and one.table == table]


def leaf(name: str) -> Metric | None:
    """What the end of a metric's name means, whatever its subject; None if it has none."""
    group, _, rest = name.partition(".")
    return LEAVES.get(group, {}).get(rest.rpartition(".")[2])


def metric(name: str) -> Metric:
    """Look a metric up; names of later versions get a plain description and are not ranked."""
    if name in METRICS:
        return METRICS[name]
    rest = name.partition(".")[2]
    topic, found = rest.rpartition(".")[0], leaf(name)
    if topic and found:
        return replace(found, name=name, title=f"{subject(topic)}: {found.title.lower()}")
    return Metric(name, rest.replace("_", " ") or name, "none", "info", "")

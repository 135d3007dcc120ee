"""How engines, pipelines, metrics and values are worded where results stand beside each other."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from bench.analyse.comparability import BASELINE
from bench.analyse.outcomes import with_runs
from bench.analyse.sides import Identity, Values
from bench.analyse.tell_apart import counted, unit_of
from bench.contract.records import NO_PIPELINE, Manifest
from bench.questions.catalogue import METRICS
from bench.questions.metric import Metric, Scale
from reports.words.numbers import MISSING, scale_for, scaled, with_unit

PERCENT = Scale("%", 100, whole=True)


@dataclass(frozen=True, slots=True)
class Names:
    """Engines and pipelines as people write them."""

    engines: Mapping[str, str]
    pipelines: Mapping[str, str]
    """Those of which it is said; what is plain, or concerns none, is not."""

    @classmethod
    def of(cls, *manifests: Manifest) -> Self:
        """As the manifests have them."""
        engines = {name: title for one in manifests for name, title in one.titles.items()}
        plain = {one.plain[0] for one in manifests if one.plain}
        told = {one.name: one.title for manifest in manifests for one in manifest.pipelines if one.name not in plain}
        return cls(engines, told | dict.fromkeys((*plain, NO_PIPELINE), ""))

    def engine(self, name: str) -> str:
        """Of a variant the name of its arm."""
        return self.engines.get(name, "Plain loop" if name == BASELINE else name)

    def pipeline(self, name: str) -> str:
        """Empty for the one that is meant where nobody says which."""
        return self.pipelines.get(name, name.replace("_", " "))


def identity_order(place: Identity) -> tuple[object, ...]:
    """Engines by name, the plain loop last; then the questions and their metrics as in the catalogue."""
    known = list(METRICS)
    questions = list(dict.fromkeys(name.split(".")[0] for name in known))
    question = place.metric.split(".")[0]
    return (
        place.engine == BASELINE, place.engine,
        questions.index(question) if question in questions else len(questions), question,
        place.pipeline, place.params, place.track, place.mode,
        known.index(place.metric) if place.metric in METRICS else len(known), place.metric,
    )  # fmt: skip


def title(metric: Metric) -> str:
    """The metric's title with the question that it belongs to; a scenario's has its subject already."""
    if ": " in metric.title:
        return metric.title
    first, rest = metric.title[:1], metric.title[1:]
    said = metric.title if rest[:1].isupper() else first.lower() + rest
    return f"{metric.name.split('.')[0].capitalize()}: {said}"


def where(place: Identity, names: Names) -> str:
    """Track, mode, pipeline and parameters in a few words."""
    params = ", ".join(f"{name}={value}" for name, value in json.loads(place.params).items())
    pipeline = names.pipeline(place.pipeline)
    return " · ".join(part for part in (place.track, place.mode, pipeline, params) if part not in ("", "none"))


def common_scale(metric: Metric, values: Sequence[Values | None]) -> Scale:
    """One scale for all that stand side by side."""
    found = [held.record.value for held in values if held]
    return metric.scale or scale_for(unit_of(metric, *values), found)


def value_text(values: Values | None, metric: Metric, scale: Scale) -> str:
    """The value with its unit, as it stands in a cell."""
    value = values.record.value if values else None
    if value is None:
        return MISSING
    if isinstance(value, str):
        return with_runs(counted(values)) if values and metric.kind == "outcome" else value
    if metric.unit == "boolean" and value in (0, 1):
        return "yes" if value else "no"
    return with_unit(scaled(value, scale), scale.unit)

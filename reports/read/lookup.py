"""Finds readings in the records of a result: by metric, track and mode, one an engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from bench.analyse.noise import noise_floor
from bench.contract.records import NO_PIPELINE, NOT_RANKED, Record, Sample
from bench.questions.catalogue import metric as describe
from reports.read.loading import Result
from reports.read.looks import Look, looks
from reports.words.ranking import Noise, Reading, rank, rank_alike

BASELINE = "inline"
TRACK_ORDER = ("tuned", "stock")
NOT_ENGINES = (BASELINE, "harness", "")
VERSION, VARIANT = "@", "-"
"""What parts the name of an engine from its version, and from what is done in another way."""


Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Scope:
    """Which records of a metric: those of a pipeline with parameters. The label is for people."""

    pipeline: str = ""
    """Empty: the one that is meant where nobody says which, or none."""
    params: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""

    @property
    def key(self) -> Key:
        return self.pipeline, _spelled(self.params)


PLAIN = Scope()


@dataclass(frozen=True)
class Lookup:
    """The records of a result, with names and order of the engines."""

    result: Result

    @cached_property
    def engines(self) -> tuple[str, ...]:
        """What is compared, other versions beside their engine: without the plain loop, without variants."""
        engines = set(self._named).difference(NOT_ENGINES, self.variants)
        places = {one.name: one.place for one in self.result.manifest.engines}
        last = max(places.values(), default=0) + 1
        return tuple(sorted(engines, key=lambda name: (places.get(family(name), last), family(name), name)))

    @cached_property
    def authored(self) -> tuple[str, ...]:
        """The engines that have pipelines of their own; another version runs those of its engine."""
        return tuple(e for e in self.engines if e == family(e) or family(e) not in self.engines)

    @cached_property
    def variants(self) -> tuple[str, ...]:
        """Arms that are an engine once more: the same again (A/A), or with another isolation or storage."""
        told = {row["name"] for row in self.result.manifest.variants if row["kind"] != "version"}
        named = self._named
        return tuple(n for n in named if n in told or any(n.startswith(other + VARIANT) for other in named if other))

    @cached_property
    def isolations(self) -> tuple[str, ...]:
        """The variants that keep steps apart in another way."""
        return self._of_kind("isolation")

    @cached_property
    def storages(self) -> tuple[str, ...]:
        """The variants that keep what steps hand on in another place."""
        return self._of_kind("storage")

    def _of_kind(self, kind: str) -> tuple[str, ...]:
        told = {row["name"] for row in self.result.manifest.variants if row["kind"] == kind}
        return tuple(sorted(told.intersection(self._named)))

    @cached_property
    def _named(self) -> tuple[str, ...]:
        manifest = self.result.manifest
        met = (*(r.engine for r in self.result.records), *(f.engine for f in manifest.failures))
        return tuple(dict.fromkeys((*manifest.titles, *met)))

    def base(self, variant: str) -> str:
        """The engine that a variant is once more; an engine is its own."""
        own = (engine for engine in self.engines if variant.startswith(engine + VARIANT))
        return max(own, key=len, default=variant)

    @cached_property
    def measured(self) -> tuple[str, ...]:
        """The engines with at least one value."""
        have = {record.engine for record in self.result.records if record.value is not None}
        return tuple(engine for engine in self.engines if engine in have)

    @cached_property
    def tracks(self) -> tuple[str, ...]:
        """The tracks met, the one that verdicts are drawn from first."""
        met = {record.track for record in self.result.records} - {"none", ""}
        return (*(t for t in TRACK_ORDER if t in met), *sorted(met.difference(TRACK_ORDER)))

    @cached_property
    def looks(self) -> Mapping[str, Look]:
        """One colour and shape for each engine, also where others were measured with it."""
        return looks(self.engines, self.result.manifest.engines)

    def look(self, engine: str) -> Look:
        """Of an engine; a variant has its engine's."""
        return self.looks[self.base(engine)]

    @cached_property
    def plain(self) -> str:
        """The pipeline that is meant where nobody says which; empty if the result does not say."""
        return next(iter(self.result.manifest.plain), "")

    @cached_property
    def shaped(self) -> tuple[Scope, ...]:
        """The pipelines that are measured by size."""
        return tuple(Scope(one.name, {}, one.title) for one in self.result.manifest.pipelines if one.shape)

    def pipeline_title(self, name: str) -> str:
        """In a sentence."""
        told = (one.title for one in self.result.manifest.pipelines if one.name == name)
        return next(told, name.replace("_", " "))

    def key(self, pipeline: str, params: Mapping[str, Any]) -> Key:
        """What is of no pipeline is found where the plain one's is."""
        return "" if pipeline in (self.plain, NO_PIPELINE) else pipeline, _spelled(params)

    def title(self, engine: str) -> str:
        """As people write it; with the version where there are several, and with what is different of a variant."""
        base = self.base(engine)
        if base != engine:
            own = engine.removeprefix(base + VARIANT)
            return f"{self.title(base)}, {own.replace('-', ' ') if engine in self.storages else own}"
        own, titles = family(engine), self.result.manifest.titles
        said = titles.get(own) or {BASELINE: "plain loop"}.get(own, own.replace("-", " ").capitalize())
        if engine != own:
            return titles.get(engine) or f"{said} {engine.partition(VERSION)[2]}"
        several = any(family(other) == engine != other for other in self.engines)
        return f"{said} {self.version(engine)}".strip() if several else said

    def full_title(self, engine: str) -> str:
        """The title with the version."""
        title, version = self.title(engine), self.version(engine)
        return title if title.endswith(version) else f"{title} {version}"

    def version(self, engine: str) -> str:
        return next((r.version for r in self.result.records if r.engine == engine and r.version), "")

    @cached_property
    def noise(self) -> Noise:
        """The floor that the A/A arm gives, by the rule of `bench.analyse.noise`."""
        floor = noise_floor(self.result.records)
        return Noise(floor, "an engine measured twice (A/A)") if floor else Noise()

    def readings(self, name: str, track: str = "none", mode: str = "", *, scope: Scope = PLAIN) -> tuple[Reading, ...]:
        """One reading for each engine that has a record, ranked. `mode` matters only for run times.

        Ways of running without a server differ in what they keep apart: they are ranked among their like only.
        """
        readings = [self.reading(name, engine, track, mode, scope=scope) for engine in self.engines]
        found, metric = [reading for reading in readings if reading], describe(name)
        return (rank_alike if mode == "local" else rank)(found, metric, self.noise)

    @cached_property
    def early(self) -> str:
        """Why no time is ranked yet: times that are looked at again and again until they tell something apart tell it
        too often. Empty if all planned blocks are done."""
        coming = any(one.startswith("block ") for one in self.result.manifest.coming)
        return "planned blocks are still to come" if coming else ""

    def reading(
        self, name: str, engine: str, track: str = "none", mode: str = "", *, scope: Scope = PLAIN
    ) -> Reading | None:
        """The arm's record on that track; what has no track (code, packages) holds for all."""
        ours = [r for r in self._grouped.get((name, *self.key(scope.pipeline, scope.params)), ()) if r.engine == engine]
        ours = [r for r in ours if not mode or r.mode == mode]
        ours = [r for r in ours if engine == BASELINE or r.track in (track, "none", "")]
        ours.sort(key=lambda r: (r.track != track, r.value is None, -r.n))
        return self._not_early(as_reading(ours[0], self._samples.get(_arm(ours[0]), ())), name) if ours else None

    def _not_early(self, found: Reading, name: str) -> Reading:
        """With a note that a time is not ranked while planned blocks are still to come."""
        if not (self.early and found.measured and found.engine != BASELINE and describe(name).kind == "time"):
            return found
        return replace(found, note="; ".join(filter(None, (found.note, f"{NOT_RANKED}{self.early}"))))

    def scopes(self, name: str, mode: str = "") -> tuple[Scope, ...]:
        """The pipelines and parameters under which a metric was recorded, in the order of the records."""
        found = (r for r in self.result.records if r.metric == name and (not mode or r.mode == mode))
        return tuple({self.key(r.pipeline, r.params): Scope(r.pipeline, r.params) for r in found}.values())

    @cached_property
    def _grouped(self) -> dict[tuple[str, str, str], list[Record]]:
        """By metric, pipeline and parameters."""
        grouped: dict[tuple[str, str, str], list[Record]] = {}
        for record in self.result.records:
            grouped.setdefault((record.metric, *self.key(record.pipeline, record.params)), []).append(record)
        return grouped

    @cached_property
    def _samples(self) -> dict[tuple[str, ...], tuple[Sample, ...]]:
        """Each arm's samples that have a value and are no warm-up."""
        grouped: dict[tuple[str, ...], list[Sample]] = {}
        for sample in self.result.samples:
            if not sample.warm_up and sample.value is not None:
                grouped.setdefault(_arm(sample), []).append(sample)
        return {arm: tuple(found) for arm, found in grouped.items()}

    def names(self, prefix: str) -> tuple[str, ...]:
        """The metrics whose name starts so, in the order of the records."""
        return tuple(dict.fromkeys(r.metric for r in self.result.records if r.metric.startswith(prefix)))

    def topics(self, group: str) -> tuple[str, ...]:
        """The scenarios or bugs of a group: `recovery.<topic>.<leaf>`."""
        return tuple(dict.fromkeys(name.split(".")[1] for name in self.names(group + ".") if name.count(".") == 2))


def family(name: str) -> str:
    """The engine of which the name may have a version."""
    return name.partition(VERSION)[0]


def _spelled(params: Mapping[str, Any]) -> str:
    return json.dumps(params, sort_keys=True, default=str)


def _arm(record: Record | Sample) -> tuple[str, ...]:
    params = _spelled(record.params)
    return record.metric, record.engine, record.track, record.mode, record.isolation, record.pipeline, params


def as_reading(record: Record, samples: tuple[Sample, ...] = ()) -> Reading:
    return Reading(
        engine=record.engine,
        value=record.value,
        low=record.ci_low,
        high=record.ci_high,
        n=record.n,
        note=record.note,
        isolation=record.isolation,
        unit=record.unit,
        samples=samples,
    )

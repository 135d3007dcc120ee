"""Finds readings in the records of a result: by metric, track and mode, one an engine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from bench.results import Record, Sample
from reports.catalogue import metric as describe
from reports.compare import Noise, Reading, rank
from reports.loading import Result

BASELINE = "inline"
PREFERRED = ("airflow", "prefect", "dagster")
TRACK_ORDER = ("tuned", "stock")


@dataclass(frozen=True)
class Lookup:
    """The records of a result, with names and order of the engines."""

    result: Result

    @cached_property
    def engines(self) -> tuple[str, ...]:
        """The engines compared: without the plain loop and without an engine's second, A/A arm."""
        manifest = self.result.manifest
        named = {*manifest.titles, *(r.engine for r in self.result.records), *(f.engine for f in manifest.failures)}
        real = {name for name in named if name and name not in (BASELINE, "harness") and not name.endswith("-again")}
        return (*(e for e in PREFERRED if e in real), *sorted(real.difference(PREFERRED)))

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

    def place(self, engine: str) -> int:
        """Fixes colour and shape: the same for an engine whichever others were measured with it."""
        others = [name for name in self.engines if name not in PREFERRED]
        return (*PREFERRED, *others).index(engine)

    def title(self, engine: str) -> str:
        titles = self.result.manifest.titles
        if engine in titles:
            return titles[engine]
        return {BASELINE: "plain loop"}.get(engine, engine.replace("-", " ").capitalize())

    def version(self, engine: str) -> str:
        return next((r.version for r in self.result.records if r.engine == engine and r.version), "")

    @cached_property
    def noise(self) -> Noise:
        """The largest difference that the A/A arm leaves possible between an engine and itself."""
        aa_high = self._constant("noise.aa_high")
        aa_low = self._constant("noise.aa_low")
        ends = [self._constant("noise.aa_ratio"), aa_high, 1 / aa_low if aa_low else None]
        known = [value for value in ends if value is not None and value >= 1]
        return Noise(max(known), "an engine measured twice (A/A)") if known else Noise()

    def _constant(self, name: str) -> float | None:
        values = (r.value for r in self.result.records if r.metric == name and isinstance(r.value, int | float))
        return next((float(value) for value in values), None)

    def readings(self, name: str, track: str = "none", mode: str = "") -> tuple[Reading, ...]:
        """One reading for each engine that has a record, ranked. `mode` matters only for run times."""
        found = (self.reading(name, engine, track, mode) for engine in self.engines)
        return rank([reading for reading in found if reading], describe(name), self.noise)

    def reading(self, name: str, engine: str, track: str = "none", mode: str = "") -> Reading | None:
        """The engine's record on that track; what has no track (code, packages) holds for all."""
        ours = [r for r in self._by_metric.get(name, ()) if r.engine == engine and (not mode or r.mode == mode)]
        ours = [r for r in ours if engine == BASELINE or r.track in (track, "none", "")]
        ours.sort(key=lambda r: (r.track != track, r.value is None, -r.n))
        return as_reading(ours[0], self._samples.get(_arm(ours[0]), ())) if ours else None

    @cached_property
    def _by_metric(self) -> dict[str, list[Record]]:
        grouped: dict[str, list[Record]] = {}
        for record in self.result.records:
            if record.workload == "training" and not record.params:
                grouped.setdefault(record.metric, []).append(record)
        return grouped

    @cached_property
    def _samples(self) -> dict[tuple[str, ...], tuple[Sample, ...]]:
        """Each arm's samples that have a number and are no warm-up."""
        grouped: dict[tuple[str, ...], list[Sample]] = {}
        for sample in self.result.samples:
            if not sample.warm_up and isinstance(sample.value, int | float):
                grouped.setdefault(_arm(sample), []).append(sample)
        return {arm: tuple(found) for arm, found in grouped.items()}

    def names(self, prefix: str) -> tuple[str, ...]:
        """The metrics whose name starts so, in the order of the records."""
        return tuple(dict.fromkeys(r.metric for r in self.result.records if r.metric.startswith(prefix)))

    def topics(self, group: str) -> tuple[str, ...]:
        """The scenarios or bugs of a group: `recovery.<topic>.<leaf>`."""
        return tuple(dict.fromkeys(name.split(".")[1] for name in self.names(group + ".") if name.count(".") == 2))

    def single_session(self, readings: Iterable[Reading]) -> bool:
        return any(reading.measured and reading.n < 2 for reading in readings)


def _arm(record: Record | Sample) -> tuple[str, ...]:
    return record.metric, record.engine, record.track, record.mode, record.isolation, record.workload


def as_reading(record: Record, samples: tuple[Sample, ...] = ()) -> Reading:
    values = [sample.value for sample in samples if isinstance(sample.value, int | float)]
    return Reading(
        engine=record.engine,
        value=record.value,
        low=record.ci_low,
        high=record.ci_high,
        n=record.n,
        note=record.note,
        isolation=record.isolation,
        span=(min(values), max(values)) if record.n < 2 and len(values) > 1 else None,
        samples=samples,
    )

"""CPU time of a run without what the engine uses all the time: the measured idle rate taken off.

net = CPU for each task - idle rate * time for each task, of each run; what is stored stays as it was measured. The idle
rate is its arm's, on average over sessions: a run's own session need not have been looked at while nothing ran. Its
uncertainty is not in the interval.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

import msgspec

from bench.analyse.summary import summarise
from bench.contract.records import Record, Sample

CPU, SECONDS, NET = "resources.cpu_per_task_s", "resources.seconds_per_task_s", "resources.cpu_per_task_net_s"
IDLE = "resources.idle.cpu_s_per_min"
SECONDS_PER_MINUTE = 60.0

Engine = tuple[str, str, str]
"""Arm, version and track: an idle engine has no isolation."""


def net_cpu(samples: Sequence[Sample]) -> list[Record]:
    """The records of CPU for each task without idle use, of the arms of which both were measured."""
    idle = {engine: fmean(rates) for engine, rates in _by_engine(samples).items()}
    took = {s.run_id: float(s.value) for s in samples if s.metric == SECONDS and isinstance(s.value, int | float)}
    return summarise(_net(samples, idle, took))


def _engine(sample: Sample) -> Engine:
    return sample.engine, sample.version, sample.track


def _by_engine(samples: Iterable[Sample]) -> dict[Engine, list[float]]:
    found: dict[Engine, list[float]] = {}
    for s in samples:
        if s.metric == IDLE and not s.params and isinstance(s.value, int | float):
            found.setdefault(_engine(s), []).append(float(s.value))
    return found


def _net(samples: Iterable[Sample], idle: Mapping[Engine, float], took: Mapping[str, float]) -> Iterable[Sample]:
    for s in samples:
        if s.metric == CPU and s.run_id in took and _engine(s) in idle and isinstance(s.value, int | float):
            rate = idle[_engine(s)]
            net = float(s.value) - rate / SECONDS_PER_MINUTE * took[s.run_id]
            note = f"less {rate:.1f} s a minute, which it uses idle"
            yield msgspec.structs.replace(s, metric=NET, value=net, note=note)

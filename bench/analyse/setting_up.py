"""The whole setup, from an empty folder to the first right run: an installation and a bring-up, each counted by itself.

An installation is timed in a few sessions, a bring-up in all of them: the interval of their sum comes from both counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import scipy

from bench.analyse.summary import CONFIDENCE
from bench.contract.records import Arm, Record, Sample

TOTAL, INSTALLED = "setup.total_s", "setup.environment_s"
PARTS = ("setup.initialise_s", "setup.start_s", "setup.deploy_s", "setup.first_run_s")

Sessions = Mapping[int, Mapping[str, float]]
"""Session -> metric -> seconds."""


def with_totals(records: Iterable[Record], samples: Iterable[Sample]) -> list[Record]:
    """The records, with the whole setup of each arm that was installed and brought up: in the place of what they say of
    sessions in which it failed, which stands in its note. Earlier versions stored it as samples: those stay."""
    found, old = list(records), {_key(r) for r in records if r.metric == TOTAL and r.value is not None}
    failed = {_key(r): r.note for r in found if r.metric == TOTAL and r.value is None}
    totals = [one for one in _totals(samples, failed) if _key(one) not in old]
    new = {_key(one) for one in totals}
    return [*(r for r in found if r.metric != TOTAL or _key(r) not in new), *totals]


def total(installed: Sequence[float], brought_up: Sequence[float]) -> tuple[float, float | None, float | None]:
    """The sum of two means with its 95 % interval; none with fewer than two values of each, or if none of them varies.

    Degrees of freedom by Satterthwaite, Biometrics Bulletin 2 (1946), as for the difference of two means.
    """
    sides = [np.asarray(values, dtype=float) for values in (installed, brought_up)]
    value, counts = float(sum(side.mean() for side in sides)), np.array([len(side) for side in sides])
    if counts.min() < 2:
        return value, None, None
    parts = np.array([side.var(ddof=1) for side in sides]) / counts
    if parts.sum() == 0:
        return value, None, None
    freedom = parts.sum() ** 2 / (parts**2 / (counts - 1)).sum()
    half = float(scipy.stats.t.ppf((1 + CONFIDENCE) / 2, freedom) * np.sqrt(parts.sum()))
    return value, max(0.0, value - half), value + half


def _totals(samples: Iterable[Sample], failed: Mapping[tuple[str, ...], str]) -> list[Record]:
    times: dict[tuple[str, ...], dict[int, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    installed: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
    like: dict[tuple[str, ...], Sample] = {}
    for s in (one for one in samples if isinstance(one.value, int | float)):
        if s.metric == INSTALLED:
            installed[s.engine, s.version][s.session] = float(s.value or 0)
        elif s.metric in PARTS:
            times[_key(s)][s.session][s.metric] = float(s.value or 0)
            like[_key(s)] = s
    return [
        _record(like[key], list(installed[like[key].engine, like[key].version].values()), up, failed.get(key, ""))
        for key, sessions in times.items()
        if (up := _sums(sessions)) and (like[key].engine, like[key].version) in installed
    ]


def _sums(sessions: Sessions) -> list[float]:
    """Of each session that has all parts."""
    return [sum(parts.values()) for parts in sessions.values() if parts.keys() == set(PARTS)]


def _record(like: Sample, installed: list[float], brought_up: list[float], failed: str) -> Record:
    value, low, high = total(installed, brought_up)
    counted = f"{len(installed)} installed, {len(brought_up)} brought up"
    return Record(
        engine=like.engine, version=like.version, track=like.track, mode=like.mode, isolation=like.isolation,
        pipeline=like.pipeline, metric=TOTAL, unit="s", value=value, ci_low=low, ci_high=high,
        n=min(len(installed), len(brought_up)), note="; ".join(filter(None, (counted, failed))),
    )  # fmt: skip


def _key(of: Arm) -> tuple[str, ...]:
    """What an arm's setup is told of: its isolation is not known before a run."""
    pipeline: str = getattr(of, "pipeline", "")
    return of.engine, of.version, of.track, of.mode, pipeline

"""Result folders with chosen values, as a run would have left them; no engine has run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.analyse.noise import noise
from bench.analyse.summary import summarise
from bench.contract.records import Manifest, Record, Sample
from bench.observe.first_schema import DECLARED_PIPELINES
from bench.observe.store import Store

HOST = {"cpu_model": "EPYC", "cores": 2, "memory_bytes": 25_276_514_304, "os": "Debian 12", "kernel": "6.18",
        "machine": "x86_64", "python": "3.11.7", "load_1m_at_start": 0.5}  # fmt: skip
DATA = {"name": "generated", "digest": "ab" * 32, "target": "fraud", "test_name": ""}
STEPS = {"inline": {"pandas": "3.1.1", "numpy": "2.4.6"}}


def sample(value: float | str | None, session: int = 1, **more: Any) -> Sample:
    """By default a makespan of Airflow; block and session are the same."""
    plain = {"engine": "airflow", "pipeline": "training", "version": "3.3.2", "track": "tuned", "mode": "served",
             "block": session, "isolation": "process per step", "metric": "runtime.makespan_s",
             "unit": "s"}  # fmt: skip
    return Sample(**{**plain, "value": value, "session": session, **more})


def samples(values: Sequence[float | str | None], **more: Any) -> list[Sample]:
    """One sample a session."""
    return [sample(value, session, **more) for session, value in enumerate(values, 1)]


@dataclass
class Made:
    """A result. `changes` replaces fields of the manifest."""

    samples: list[Sample]
    records: list[Record] = field(default_factory=list)
    changes: dict[str, Any] = field(default_factory=dict)

    def manifest(self) -> Manifest:
        plain = {"created_utc": "2026-03-01T09:00:00+00:00", "state": "complete", "budget": "standard",
                 "budget_s": 2700.0, "seed": 7, "arguments": {}, "data": DATA, "host": HOST, "versions": STEPS,
                 "core": "a" * 64, "pipelines": DECLARED_PIPELINES,
                 "titles": {"airflow": "Apache Airflow"}}  # fmt: skip
        return Manifest(**{**plain, **self.changes})

    def write(self, folder: Path) -> Path:
        """Fill the folder and return it."""
        folder.mkdir(parents=True)
        store = Store(folder)
        store.save_manifest(self.manifest())
        for one in self.samples:
            store.append(one)
        store.save_summary(
            [*summarise(self.samples), *noise(self.samples, self.manifest().variants), *self.records], []
        )
        return folder

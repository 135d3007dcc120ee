"""Writes a synthetic result folder: realistic in shape, fixed in its numbers, hostile in its texts."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import result_recovery
import result_texts
from result_parts import AUDITS, PARTS, VARIANTS
from result_texts import HOSTILE, SCRIPT

from bench.analyse.summary import summarise
from bench.contract.records import (
    SCHEMA_VERSION,
    Audit,
    Cell,
    Evidence,
    Failure,
    Manifest,
    Record,
    Run,
    Sample,
    Strike,
    Verdict,
)
from bench.observe.first_schema import DECLARED_ENGINES, DECLARED_PIPELINES
from bench.observe.reading import Summary
from bench.plan.workloads import published
from core.pipelines.training.pipeline import GRAPH as TRAINING

VERSIONS = {"airflow": "3.1.2", "prefect": "3.6.1", "dagster": "1.12.2"}
TITLES = {"airflow": "Apache Airflow", "prefect": "Prefect", "dagster": "Dagster"}
ISOLATION = {"airflow": "process per step", "prefect": "threads", "dagster": "process per step",
             "inline": "in-process",
             "prefect-processes": "process pool", "dagster-in-process": "in-process"}  # fmt: skip
SPEED = {"airflow": 3.0, "prefect": 1.0, "dagster": 1.9, "inline": 0.1}
OK, RECOVERED, REPORTED = "completed", "completed after recovery", "failed, reported"
START_NS = 5_000_000_000_000


def family(name: str) -> str:
    return name.partition("@")[0]


@dataclass
class Builder:
    """Collects what a harness would have written. `sessions` below 2 leaves every interval out."""

    sessions: int = 5
    budget: str = "standard"
    engines: Sequence[str] = ("airflow", "prefect", "dagster")
    tracks: Sequence[str] = ("tuned", "stock")
    groups: Sequence[str] = ("authoring", "setup", "runtime", "recovery", "debugging", *PARTS)
    only: Sequence[str] = ()
    """The questions that alone were asked."""
    state: Any = "complete"
    failures: list[Failure] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    with_evidence: bool = True
    with_noise: bool = True
    audits: Sequence[Audit] = tuple(AUDITS)
    records: list[Record] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    strikes: list[Strike] = field(default_factory=list)
    journals: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    random: random.Random = field(default_factory=lambda: random.Random(4))

    def write(self, folder: Path) -> Path:
        """Fill the folder and return it."""
        for group in self.groups:
            PARTS[group](self) if group in PARTS else getattr(self, f"_{group}")()
        if self.with_noise:
            self._noise()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "manifest.json").write_bytes(msgspec.json.encode(self._manifest()))
        (folder / "summary.json").write_bytes(
            msgspec.json.encode(Summary(SCHEMA_VERSION, self.records, list(self.audits)))
        )
        _lines(folder / "samples.jsonl", self.samples)
        _lines(folder / "runs.jsonl", self.runs)
        _lines(folder / "strikes.jsonl", self.strikes)
        _lines(folder / "verdicts.jsonl", self._verdicts())
        _lines(folder / "evidence.jsonl", self._evidence() if self.with_evidence else [])
        for run_id, records in self.journals.items():
            (folder / "runs" / run_id).mkdir(parents=True)
            (folder / "runs" / run_id / "journal.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))
        for engine in (e for e in self.engines if "@" not in e):
            result_texts.code(folder / "code" / engine, engine)
        return folder

    def _manifest(self) -> Manifest:
        return Manifest(
            created_utc="2026-03-01T09:00:00Z", finished_utc="2026-03-01T09:44:10Z", state=self.state,
            budget=self.budget, budget_s=480.0 if self.budget == "quick" else 2700.0, seed=42,
            arguments={"budget": self.budget, "only": [*self.only], "seed": 42, "data": f"/data/{SCRIPT}.csv"},
            data={"path": f"/data/{SCRIPT}.csv", "rows": 48842, "target": HOSTILE[2], "columns": list(HOSTILE)},
            host={"os": "Debian 12", "kernel": "6.1.0", "cpu_model": "AMD EPYC 7B13", "cores": 2,
                  "memory_bytes": 8 * 2**30, "load": {"before": 0.12, "after": 0.3}},
            versions={e: {family(e): self.version(e), "pandas": "3.1.1"} for e in self.engines},
            titles=TITLES | {e: f"{TITLES[family(e)]} {self.version(e)}" for e in self.engines if "@" in e},
            variants=self._variants(), engines=list(DECLARED_ENGINES), pipelines=list(DECLARED_PIPELINES),
            published=published.told(), published_source=published.SOURCE_TOLD,
            polling=[{"engine": e, "track": t, "name": "POLL_INTERVAL", "seconds": 0.5, "source": "https://example.org"}
                     for e in self.engines for t in self.tracks],
            settings=self._settings(),
            abilities=self._abilities(),
            expectations=result_recovery.expectations(tuple(self.engines)),
            targets=[row for row in result_recovery.TARGETS if row["engine"] in self.engines],
            local_notes={e: f"Starts what {e} starts; needs nothing else. {SCRIPT}" for e in self.engines},
            order=[f"{e} {t} block {b}" for b in range(self.sessions) for t in self.tracks for e in self.engines],
            cells=self.cells, failures=self.failures,
        )  # fmt: skip

    def _variants(self) -> list[dict[str, str]]:
        versions = [e for e in self.engines if "@" in e]
        found = [{"name": e, "engine": family(e), "kind": "version", "text": "another version"} for e in versions]
        return found + [row for row in VARIANTS if row["engine"] in self.engines and "isolation" in self.groups]

    def version(self, arm: str) -> str:
        """The version in the name, or the engine's."""
        return arm.partition("@")[2] or VERSIONS.get(arm.partition("-")[0], "")

    def speed(self, arm: str) -> float:
        """How slow the arm is; another version is a tenth slower."""
        return SPEED[family(arm)] * (1.1 if "@" in arm else 1.0)

    def isolation(self, arm: str) -> str:
        """How the arm keeps its steps apart."""
        return ISOLATION.get(arm) or ISOLATION[family(arm).partition("-")[0]]

    def _abilities(self) -> list[dict[str, str]]:
        lacks = {"engine": self.engines[-1], "ability": "step_timeout", "offered": "no", "text": f"none {SCRIPT}"}
        has = [{"engine": e, "ability": "step_timeout", "offered": "yes", "text": "`x`"} for e in self.engines[:-1]]
        return [*has, lacks]

    def _settings(self) -> list[dict[str, str]]:
        common = {"source": "https://example.org/docs", "reason": f"lower latency {SCRIPT}"}
        return [
            {"engine": e, "track": t, "name": "POLL_INTERVAL", "value": "0.5" if t == "tuned" else "5", **common}
            for e in self.engines for t in self.tracks
        ] + [
            {"engine": e, "track": t, "name": "PORT", "value": "0", "source": "required", "reason": "a free port"}
            for e in self.engines for t in self.tracks
        ]  # fmt: skip

    def _verdicts(self) -> list[Verdict]:
        found = [
            Verdict(run_id=run.run_id, engine=run.engine, checker=checker, verdict="pass")
            for run in self.runs for checker in ("artifacts", "order", "effects")
        ]  # fmt: skip
        if self.runs:
            found.append(Verdict(run_id=self.runs[0].run_id, engine=self.runs[0].engine, checker="clock",
                                 verdict="fail", reason=f"off by 1.4 s {SCRIPT}"))  # fmt: skip
        return found

    def _evidence(self) -> list[Evidence]:
        return [
            Evidence(engine=e, track="tuned", scenario=bug, title=f"log of step features {SCRIPT}",
                     source=f"GET /api/logs?step={HOSTILE[1]}", text=result_texts.traceback(bug), cause_line=6)
            for bug in ("exception", "renamed_column", "import_error") for e in self.engines
        ]  # fmt: skip

    # --- records

    def add(self, engine: str, metric: str, unit: str, value: Any, *, track: str = "none", mode: Any = "none",
            noise: float = 0.0, note: str = "", pipeline: str = "training",
            params: dict[str, Any] | None = None) -> None:  # fmt: skip
        """Keep a record; `noise` is half its interval, as a part of the value."""
        timed = noise > 0 and isinstance(value, float)
        spread = self.sessions > 1 and timed
        self.records.append(
            Record(engine=engine, version=self.version(engine), track=track, mode=mode, pipeline=pipeline,
                   params=params or {}, metric=metric, isolation=self.isolation(engine) if mode != "none" else "none",
                   unit=unit, value=value,
                   ci_low=round(value * (1 - noise), 6) if spread else None,
                   ci_high=round(value * (1 + noise), 6) if spread else None,
                   n=0 if value is None else self.sessions if timed else 1, note=note)
        )  # fmt: skip

    def _noise(self) -> None:
        for name, value in (("aa_ratio", 1.01), ("aa_low", 0.97), ("aa_high", 1.05), ("detectable_ratio", 1.08)):
            noise = 0.04 if name == "aa_ratio" else 0.0
            self.add("prefect", f"noise.{name}", "ratio", value, track="tuned", mode="served", noise=noise)
        self.add("inline", "instrument.attempt_s", "s", 0.0004)

    def _authoring(self) -> None:
        sloc = {"airflow": 118, "prefect": 86, "dagster": 131}
        for e in (e for e in self.engines if e in sloc):
            for leaf, value in {"sloc": sloc[e], "lloc": sloc[e] - 12, "comments": 6, "cc_mean": 1.4, "cc_max": 3,
                                "maintainability": 71.5, "halstead_effort": sloc[e] * 4.25, "symbols": sloc[e] // 10,
                                "config_lines": 0, "glue_sloc": 190}.items():  # fmt: skip
                self.add(e, f"authoring.{leaf}", "lines" if leaf == "sloc" else "count", value)

    def _setup(self) -> None:
        for e in self.engines:
            speed = self.speed(e)
            self.add(e, "setup.packages", "count", int(60 * speed))
            self.add(e, "setup.disk_bytes", "bytes", 420e6 * speed)
            self.add(e, "setup.import_s", "s", 0.8 * speed, noise=0.05)
            self.add(e, "setup.environment_s", "s", 3.1 * speed, noise=0.05)
            for track in self.tracks:
                parts = {"initialise": 4.0, "start": 6.0, "deploy": 1.5, "first_run": 9.0, "total": 23.6}
                for leaf, value in parts.items():
                    self.add(e, f"setup.{leaf}_s", "s", value * speed, track=track, mode="served", noise=0.08)

    def _runtime(self) -> None:
        for e in (*self.engines, "inline"):
            for track in self.tracks:
                slow = 1.0 if track == "tuned" else 2.5
                if e != "inline":
                    self._times(e, track, "served", slow)
            self._times(e, "none" if e == "inline" else self.tracks[0], "local", 0.6)

    def _times(self, e: str, track: str, mode: str, slow: float) -> None:
        overhead, work = self.speed(e) * slow * 2, 3.2
        values = {"makespan_s": work + overhead, "completion_s": work + overhead * 1.1, "overhead_s": overhead,
                  "submit_to_first_step_s": overhead * 0.3, "transition_s": overhead * 0.08,
                  "transitions_total_s": overhead * 0.7, "work_s": work, "terminal_lag_s": overhead * 0.1}  # fmt: skip
        for leaf, value in values.items():
            self.add(e, f"runtime.{leaf}", "s", value, track=track, mode=mode, noise=0.06)
        self.add(
            e, "runtime.step_slowdown_ratio", "ratio", 1.0 + self.speed(e) / 50, track=track, mode=mode, noise=0.01
        )
        for session in range(self.sessions):
            for warm_up in (True, False) if mode == "served" else (False,):
                value = (work + overhead) * self.random.uniform(0.95, 1.05) * (1.3 if warm_up else 1)
                run_id = f"{e}-{track}-{mode}-{session}-{int(warm_up)}"
                self.samples.append(
                    Sample(engine=e, version=self.version(e), track=track, mode=mode, isolation=self.isolation(e),  # type: ignore[arg-type]
                           pipeline="training", metric="runtime.makespan_s", unit="s", value=value, session=session,
                           block=session, warm_up=warm_up, run_id=run_id, note=SCRIPT)
                )  # fmt: skip

    def _recovery(self) -> None:
        for track in self.tracks[:1]:
            for e in self.engines:
                self.scenario(e, track, "transient_error", RECOVERED, 0.6, 2.4, 2)
                outcome = {"airflow": RECOVERED, "prefect": REPORTED, "dagster": "stuck"}[family(e)]
                again = [outcome] * 2 + [RECOVERED if outcome == "stuck" else outcome]
                done = 14.0 if outcome == RECOVERED else None
                self.scenario(
                    e,
                    track,
                    "step_killed",
                    outcome,
                    3.0 * self.speed(e),
                    done,
                    2,
                    note="failed: never completed",
                    again=again,
                )
                if e == "prefect":
                    self.scenario(e, track, "resume_after_fix", None, None, None, None, note=f"not supported: {SCRIPT}")
                else:
                    self.scenario(e, track, "resume_after_fix", RECOVERED, 1.0, 6.0 * self.speed(e), 2)

                result_recovery.add(self, e, track)

    def scenario(self, e: str, track: str, topic: str, outcome: str | None, *times: float | None,
                  note: str = "", again: Sequence[str] = ()) -> None:  # fmt: skip
        """One run with its times; `again`: the outcomes of more runs in the same session."""
        detection, recovery, attempts = times
        given = {"detection_s": ("s", detection), "recovery_s": ("s", recovery),
                 "attempts": ("count", attempts), "wasted_s": ("s", None if outcome is None else 0.4),
                 "duplicates": ("count", None if outcome is None else 0)}  # fmt: skip
        for leaf, (unit, value) in given.items():
            self.add(e, f"recovery.{topic}.{leaf}", unit, value, track=track, mode="served",
                      note=note if value is None else "")  # fmt: skip
        told = [Sample(engine=e, version=self.version(e), track=track, mode="served", isolation=self.isolation(e),  # type: ignore[arg-type]
                       pipeline="training", metric=f"recovery.{topic}.outcome", unit="text", value=one,
                       note=note if one is None else "") for one in (outcome, *again)]  # fmt: skip
        self.samples += told
        self.records += summarise(told)
        if outcome:
            self._run(e, track, topic, outcome)

    def _run(self, e: str, track: str, topic: str, outcome: str) -> None:
        run_id = f"{e}-{track}-{topic}"
        killed = topic == "step_killed"
        t, records = START_NS + int(0.5e9 * self.speed(e)), []
        for step in TRAINING.steps:
            if step.name == "notify":
                continue
            for attempt in (1, 2) if step.name == "features" else (1,):
                common = {"run": run_id, "step": step.name, "attempt": attempt, "pid": 100, "thread": 1, "utc": ""}
                records.append({"t_ns": t, "event": "start", **common})
                t += int(0.4e9)
                if step.name == "features" and attempt == 1:
                    records.append({"t_ns": t, "event": "fault", "kind": "kill" if killed else "transient", **common})
                    if not killed:
                        records.append({"t_ns": t + 10**6, "event": "error", "message": SCRIPT, **common})
                    t += int(2e9)
                    continue
                records.append({"t_ns": t, "event": "end", "result": SCRIPT, **common})
                t += int(0.15e9 * self.speed(e))
            if outcome == "stuck" and step.name == "features":
                break
        self.journals[run_id] = records
        self.runs.append(
            Run(engine=e, version=self.version(e), track=track, mode="served", isolation=self.isolation(e),
                pipeline="training", run_id=run_id, scenario=topic, submit_ns=START_NS, accepted_ns=START_NS + 10**7,
                terminal_ns=0 if outcome == "stuck" else t + 3 * 10**8, outcome=outcome)
        )  # fmt: skip

    def _debugging(self) -> None:
        for e in self.engines:
            for bug in ("exception", "renamed_column", "import_error"):
                given = {"visible_s": ("s", 1.2 * self.speed(e)), "names_exception": ("boolean", 1),
                         "names_file": ("boolean", 1),
                         "names_line": ("boolean", int(e != "dagster")),
                         "lines_to_cause": ("lines", int(9 * self.speed(e))),
                         "framework_frames": ("count", int(4 * self.speed(e)))}  # fmt: skip
                for leaf, (unit, value) in given.items():
                    self.add(e, f"debugging.{bug}.{leaf}", unit, value, track=self.tracks[0], mode="served")


def _lines(path: Path, records: Sequence[Any]) -> None:
    path.write_bytes(b"".join(msgspec.json.encode(record) + b"\n" for record in records))

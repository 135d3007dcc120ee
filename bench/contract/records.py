"""What a result folder holds, as frozen records. Raw observations first; records are computed from them.

manifest.json    Manifest: host, versions, config, seed, order of cells, what was left out, failures
samples.jsonl    Sample, one a line: every raw observation of every measure
runs.jsonl       Run, one a line: every run that was submitted
strikes.jsonl    Strike, one a line: every fault from outside, and when it was healed
verdicts.jsonl   Verdict, one a line: what the checkers said of each run
evidence.jsonl   Evidence, one a line: texts that engines gave (tracebacks, logs)
runs/            journals, by run id: runs/<run_id>/journal.jsonl and config.json
put-aside/       lines of the files above that count no more: of what was measured anew, or while data changed
code/<engine>/   the pipelines as measured, and NOTES.md
data/            the generated source data
locks/           locks of other versions of engines that were asked for
micro.json       pytest-benchmark's record of the micro-benchmarks; micro-pipeline.json, core against a bare script
instrument.json  pytest-benchmark's record of the instrument's own cost
logs/            logs of the engines' processes
summary.json     {"schema_version": ..., "records": [Record, ...], "audits": [Audit, ...]}
report.html
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from bench.contract.described import DeclaredEngine, DeclaredPipeline, PublishedFigure, PublishedSource

SCHEMA_VERSION = 2
NO_PIPELINE = "none"
"""`pipeline` of what concerns none: an environment, the noise, the instrument."""

FAILED, NOT_SUPPORTED = "failed", "not supported"
"""How the notes begin of what has no value for that reason."""
NOT_RANKED = "not ranked: "
"""How the note begins of a value that is shown and never held against another engine's; the reason follows."""

Mode = Literal["served", "local", "none"]
Value = float | str | None


class Arm(msgspec.Struct, frozen=True, kw_only=True):
    """What is compared. `none` is the mode and isolation of what is not run at all, such as code."""

    engine: str
    """Name of the arm: an engine's folder name (airflow), `inline`, or an engine's variant: `prefect-again` (A/A),
    `dagster-in-process` (another isolation), `airflow-object-storage` (another storage), `airflow@3.3.1` (another
    version)."""
    version: str = ""
    track: str = "none"
    mode: Mode = "none"
    isolation: str = "none"
    """process per step, threads, in-process: measured from the journal's process and thread ids."""


class Sample(Arm, frozen=True, kw_only=True):
    """One raw observation."""

    pipeline: str
    """Which pipeline it is of, without its size, which is in `params`; `none` if it concerns none."""
    params: dict[str, Any] = {}
    metric: str
    unit: str
    """s, bytes, lines, count, ratio, text, boolean, ..."""
    value: Value
    """None: not measured; `note` says why ('not supported: ...', 'failed: ...')."""
    session: int = 0
    block: int = 0
    warm_up: bool = False
    run_id: str = ""
    note: str = ""


class Record(Arm, frozen=True, kw_only=True):
    """One line of summary.json: one metric of one arm, over sessions."""

    pipeline: str
    params: dict[str, Any] = {}
    metric: str
    unit: str
    value: Value
    """Mean over sessions of their medians, on the log scale for times; the value itself for constants."""
    ci_low: float | None = None
    ci_high: float | None = None
    """95 % t-interval over sessions; None with fewer than two sessions."""
    n: int = 0
    """Sessions that gave a value; of texts, such as outcomes, and of shares: runs that did."""
    note: str = ""


class Run(Arm, frozen=True, kw_only=True):
    """One run that was submitted. Times are CLOCK_MONOTONIC nanoseconds, 0 if not reached."""

    run_id: str
    engine_run_id: str = ""
    pipeline: str
    params: dict[str, Any] = {}
    scenario: str = ""
    """Empty for a plain run; else the recovery or debugging scenario."""
    session: int = 0
    block: int = 0
    warm_up: bool = False
    submit_ns: int = 0
    accepted_ns: int = 0
    """When the engine had answered the submission."""
    asked_ns: int = 0
    """When people asked for it to be resumed, cancelled or caught up with."""
    terminal_ns: int = 0
    """When the harness saw the engine's terminal state."""
    repeats: int = 0
    """Requests of ours that were repeated, as the engine answered that it could not do it just then."""
    waited_s: float = 0.0
    """How long people have waited for the engine to be able to do what they asked for."""
    outcome: str = ""
    note: str = ""


class Strike(msgspec.Struct, frozen=True, kw_only=True):
    """One fault from outside. Times are CLOCK_MONOTONIC nanoseconds, 0 if not reached."""

    run_id: str
    action: str
    """kill, pause, restart, stop, lock."""
    target: str
    """step, run, worker, scheduler, api, control_plane, database."""
    moment: str
    """Where in the run: `in train`, `before train`, `during submit`."""
    pids: tuple[int, ...] = ()
    """The processes that were struck."""
    t_ns: int = 0
    """When it struck."""
    healed_ns: int = 0
    """When what it struck was up and answering again."""
    note: str = ""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What one checker said of one run."""

    run_id: str
    engine: str
    checker: str
    verdict: Literal["pass", "fail", "unknown"]
    reason: str = ""


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule says of the whole result; computed from the raw observations, like the records.

    fail: the result must not be used as it stands. flag: it may, and the reader is told.
    """

    name: str
    verdict: Literal["pass", "fail", "flag", "unknown"]
    reason: str = ""
    engine: str = ""
    """The arm that it concerns; empty for the result as a whole."""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """A text that an engine gave to its user, kept word for word (paths of this machine shortened)."""

    engine: str
    track: str
    session: int = 0
    scenario: str
    """exception, renamed_column, import_error, resume, ..."""
    title: str
    source: str
    """The request or command that gave it."""
    text: str
    cause_line: int = 0
    """Number of the line, from 1, in which the cause stands; 0 if it does not."""


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One planned unit of work."""

    name: str
    """For people: 'block 3: prefect tuned: runtime'."""
    engine: str = ""
    """The arm."""
    track: str = ""
    pipeline: str
    block: int = 0
    session: str = ""
    """Tells two sessions of an arm in one block apart."""
    question: str = ""
    topic: str = ""
    """Where a question has many: the scenario."""
    estimated_s: float
    state: Literal["done", "left_out", "failed", "interrupted"]
    actual_s: float = 0.0
    reason: str = ""


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """An engine that could not be installed, started or finished."""

    engine: str
    track: str
    phase: str
    message: str
    log_tail: str = ""


class Digest(msgspec.Struct, frozen=True, kw_only=True):
    """The state in which one part of what makes a result was; see `bench.observe.provenance`."""

    part: str
    """instrument, core, harness; of an engine: adapter, pipelines, lock; of a pipeline: data, test data; of an engine
    on a track: settings."""
    of: str = ""
    sha256: str

    @property
    def name(self) -> str:
        """As people would call it."""
        return f"{self.of}'s {self.part}" if self.of else self.part


class Repeats(msgspec.Struct, frozen=True, kw_only=True):
    """How often the plain run of an arm is repeated in a session: fixed for the whole result, and so also resumed."""

    engine: str
    """The arm."""
    track: str
    pipeline: str
    samples: int
    """From what earlier results showed, fixed before the first block."""
    warm_ups: int = 0
    """From what the arm's first session showed; 0 until that is known."""


class Manifest(msgspec.Struct, kw_only=True):
    """How a result came about."""

    schema_version: int = SCHEMA_VERSION
    created_utc: str
    finished_utc: str = ""
    state: Literal["running", "complete", "partial", "interrupted"] = "running"
    budget: str
    budget_s: float | None
    seed: int
    arguments: dict[str, Any]
    data: dict[str, Any]
    """path or 'generated', rows, target, digest."""
    host: dict[str, Any]
    core: str = ""
    """SHA-256 over the source files of `core`: the steps, and the instrument."""
    digests: list[Digest] = []
    """What else could be another in another result. Empty in results from before they were recorded."""
    redone: list[dict[str, str]] = []
    """utc, engine, changed: whose cells were measured anew, when, and because of what."""
    versions: dict[str, dict[str, str]]
    """Per environment: distribution -> version, of the main packages."""
    engines: list[DeclaredEngine] = []
    pipelines: list[DeclaredPipeline] = []
    """What can be measured; the one first that is meant where nobody says which."""
    published: list[PublishedFigure] = []
    published_source: PublishedSource | None = None
    titles: dict[str, str] = {}
    """Arm -> name as people write it: of an engine, or of another version of one."""
    settings: list[dict[str, str]] = []
    """engine, track, name, value, source, reason."""
    abilities: list[dict[str, str]] = []
    """engine, ability, offered (yes or no), text: the feature, or the reason why it is absent."""
    targets: list[dict[str, str]] = []
    """engine, target, offered (yes or no), text: which process it is, or why the engine has none."""
    expectations: list[dict[str, str]] = []
    """engine, scenario, outcomes (with semicolons), text, source: what the documentation lets expect."""
    variants: list[dict[str, str]] = []
    """name, engine, kind (again, isolation, storage or version), text: arms that are an engine once more, in another
    way."""
    polling: list[dict[str, Any]] = []
    """engine, track, name, seconds, source: how long an engine waits between two looks at something."""
    asked: dict[str, float] = {}
    """How often engines were asked for runs, in seconds: `broken_s`, `ended_s`, `silence_s`; see
    `bench.observe.watching`. Empty in results of earlier versions, which asked for every run all the time."""
    repeats: list[Repeats] = []
    """Of each arm that is timed."""
    local_notes: dict[str, str] = {}
    """Engine -> what its local mode starts and needs."""
    order: list[str] = []
    coming: list[str] = []
    """What was planned and not begun yet when this was written: 'block 3', 'after the blocks'; none at the end."""
    cells: list[Cell] = []
    failures: list[Failure] = []

    @property
    def plain(self) -> tuple[str, ...]:
        """The pipelines that are measured for their own sake, the one first that is meant where nobody says which."""
        return tuple(one.name for one in self.pipelines if one.plain)

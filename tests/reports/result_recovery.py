"""What the part about recovery adds to the synthetic result: faults from outside, people, kill points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from result_texts import SCRIPT

from bench.analyse.summary import summarise
from bench.contract.records import Run, Sample, Strike
from bench.questions.recovery.telling import LEAVES

if TYPE_CHECKING:
    from result_fixture import Builder

START_NS = 9_000_000_000_000
RECOVERED, REPORTED = "completed after recovery", "failed, reported"
LIMIT = "> 120 s"
TARGETS = [
    {"engine": "airflow", "target": "run", "offered": "no", "text": f"no process of one run {SCRIPT}"},
    {"engine": "prefect", "target": "run", "offered": "yes", "text": "the flow run's process"},
    {"engine": "prefect", "target": "step", "offered": "no", "text": "tasks run in the flow run's process"},
    {"engine": "dagster", "target": "run", "offered": "yes", "text": "the run worker"},
    {"engine": "dagster", "target": "scheduler", "offered": "yes", "text": "the daemon"},
]
EXPECTED = {
    "step_killed": f"completed; {RECOVERED}",
    "transient_error": "",
    "scheduler_killed": REPORTED,
    "run_killed": REPORTED,
}
POINTS = (("api", "before validate"), ("api", "in train"), ("scheduler", "in train"), ("step", "in train"))
Values = dict[str, tuple[str, float | str | None, str]]
"""Leaf -> unit, value, note."""


def expectations(engines: tuple[str, ...]) -> list[dict[str, str]]:
    return [
        {"engine": e, "scenario": scenario, "outcomes": outcomes, "text": f"So it is written. {SCRIPT}",
         "source": "https://example.org/docs" if outcomes else ""}
        for e in engines for scenario, outcomes in EXPECTED.items()
    ]  # fmt: skip


def add(build: Builder, e: str, track: str) -> None:
    """One that an engine has not, one that this machine has not, one that is survived or not, people, and points."""
    family = e.partition("@")[0]
    if family == "airflow":
        _absent(build, e, track, "run_killed", f"not applicable: {SCRIPT}")
    else:
        build.scenario(e, track, "run_killed", REPORTED, 1.0, None, 1, note="it ended: failed, reported")
    _absent(build, e, track, "disk_full", "not run: no file system may be mounted here")
    outcome = RECOVERED if family == "airflow" else REPORTED
    _keep((build, e, track), "worker_killed", {"outcome": ("text", outcome, "")})
    _scheduler_killed(build, e, track, stuck=family == "dagster")
    _people(build, e, track, family)
    _sweep(build, e, track, family)


def _keep(arm: tuple[Builder, str, str], scenario: str, values: Values, run_id: str = "") -> None:
    """As samples, and the records that follow from them."""
    build, e, track = arm
    found = [
        Sample(engine=e, version=build.version(e), track=track, mode="served", isolation=build.isolation(e),
               pipeline="training", metric=f"recovery.{scenario}.{leaf}", unit=unit, value=value, note=note,
               run_id=run_id)
        for leaf, (unit, value, note) in values.items()
    ]  # fmt: skip
    build.samples += found
    build.records += summarise(found)


def _absent(build: Builder, e: str, track: str, scenario: str, why: str) -> None:
    _keep((build, e, track), scenario, {leaf: (unit, None, why) for leaf, unit in LEAVES.items()})


def _scheduler_killed(build: Builder, e: str, track: str, *, stuck: bool) -> None:
    """With everything left behind; one never ends, and its session is replaced."""
    late = LIMIT if stuck else ""
    times = {"detection_s": 8.0, "recovery_s": 12.0, "recovery_work_s": 4.0, "recovery_delay_s": 5.0,
             "recovery_rest_s": 3.0}  # fmt: skip
    values: Values = {leaf: ("s", None if stuck else value, late) for leaf, value in times.items()}
    values |= {
        "outcome": ("text", "stuck" if stuck else "duplicated", ""), "correct": ("boolean", float(not stuck), ""),
        "attempts": ("count", 2.0, ""), "wasted_s": ("s", 0.4, ""), "duplicates": ("count", float(not stuck), ""),
        "overlaps": ("count", 1.0, ""), "orphans": ("count", 2.0, ""), "orphan_s": ("s", None, "> 15 s"),
        "leaked_slots": ("count", float(not stuck), ""), "record": ("text", f"train: {SCRIPT}", ""),
        "actions": ("text", "restart of scheduler by the process manager", ""),
        "session": ("text", "replaced" if stuck else "healthy", SCRIPT if stuck else ""),
    }  # fmt: skip
    run_id = f"{e}-{track}-scheduler_killed"
    _keep((build, e, track), "scheduler_killed", values, run_id)
    _struck_run(build, e, track, run_id, stuck=stuck)


def _struck_run(build: Builder, e: str, track: str, run_id: str, *, stuck: bool) -> None:
    """The journal of a run that was struck at 3 s, in training; a second attempt overlaps the first, or it is stuck."""
    records: list[dict[str, Any]] = []

    def write(at_s: float, event: str, step: str, attempt: int = 1, **more: Any) -> None:
        records.append({"t_ns": START_NS + round(at_s * 1e9), "event": event, "run": run_id, "step": step,
                        "attempt": attempt, "pid": 100 + attempt, "thread": 1, "utc": "", **more})  # fmt: skip

    write(0.5, "start", "extract")
    write(1.0, "end", "extract", result=SCRIPT)
    write(1.5, "start", "train")
    write(1.5, "fault", "train", kind="slow")
    if not stuck:
        write(11.0, "start", "train", 2)
        write(13.0, "end", "train")
        write(14.0, "end", "train", 2)
        write(14.5, "start", "deploy")
        write(15.0, "end", "deploy")
    build.journals[run_id] = records
    build.strikes.append(
        Strike(run_id=run_id, action="kill", target="scheduler", moment="in train", pids=(7,),
               t_ns=START_NS + 3 * 10**9, healed_ns=START_NS + 8 * 10**9)
    )  # fmt: skip
    build.runs.append(
        Run(engine=e, version=build.version(e), track=track, mode="served", isolation=build.isolation(e),
            pipeline="training", run_id=run_id, scenario="scheduler_killed", submit_ns=START_NS,
            terminal_ns=0 if stuck else START_NS + 16 * 10**9, outcome="stuck" if stuck else "duplicated")
    )  # fmt: skip


def _people(build: Builder, e: str, track: str, family: str) -> None:
    late = family == "dagster"
    call = ("text", "one API call: cancel", "")
    _keep((build, e, track), "cancel", {
        "outcome": ("text", "failed as expected", ""), "wasted_s": ("s", 1.0, ""), "actions": call,
        "gone_s": ("s", None if late else 0.2, "> 60 s" if late else ""),
    })  # fmt: skip
    _keep((build, e, track), "roll_back", {
        "outcome": ("text", RECOVERED, ""), "recovery_s": ("s", 0.7, ""), "extra_lines": ("lines", 19.0, ""),
    })  # fmt: skip
    if family == "prefect":
        _absent(build, e, track, "late_data", f"not supported: no backfill {SCRIPT}")
        return
    _keep((build, e, track), "late_data", {
        "outcome": ("text", "lost" if late else RECOVERED, ""), "recovery_s": ("s", None if late else 17.0, ""),
        "missing": ("count", float(late), "2026-01-05" if late else ""), "twice": ("count", 0.0, ""),
        "extra_lines": ("lines", 25.0, ""),
    })  # fmt: skip


def _sweep(build: Builder, e: str, track: str, family: str) -> None:
    """Four points; an engine without steps of their own has three."""
    common: dict[str, Any] = {"engine": e, "version": build.version(e), "track": track, "mode": "served",
                              "isolation": build.isolation(e), "pipeline": "training"}  # fmt: skip
    found = []
    for target, at in POINTS[: 3 if family == "prefect" else 4]:
        outcome = "stuck" if (family, target) == ("dagster", "scheduler") else RECOVERED
        found.append(Sample(metric="recovery.sweep.outcome", unit="text", value=outcome,
                            params={"target": target, "at": at}, **common))  # fmt: skip
        held = float(outcome == RECOVERED)
        found += [
            Sample(metric=f"recovery.sweep.{leaf}", unit="proportion", value=value, note=f"kill-{target}", **common)
            for leaf, value in (("completed", held), ("correct", held), ("effect_once", 1.0))
        ]
    build.samples += found
    build.records += summarise(found)

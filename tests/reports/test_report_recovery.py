"""Recovery: heat map, timelines, what is left behind, people, kill points."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from result_fixture import Builder

from bench.analyse.summary import summarise
from bench.contract.records import Cell, Run, Sample, Strike
from bench.plan.scenarios import SCENARIOS
from bench.questions.catalogue import subject
from reports.draw.course import LEFT, RIGHT, Course, courses
from reports.draw.heat import heat_map, tone_of
from reports.draw.timeline import timeline
from reports.pages.render import LIMIT_BYTES, write_report
from reports.read.loading import load
from reports.read.lookup import Lookup
from reports.sections import recovery, repair, sweep
from reports.sections.section import Section
from reports.sections.tables import Table


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Lookup:
    return Lookup(load(Builder().write(tmp_path_factory.mktemp("recovery") / "result")))


def table(section: Section | None, key: str) -> Table:
    assert section is not None
    return next(one for one in section.tables if one.key == key)


# --- outcomes


@pytest.mark.parametrize(
    ("scenario", "outcome", "tone"),
    [
        ("step_killed", "completed after recovery", "good"),
        ("step_killed", "failed, reported", "told"),
        ("step_killed", "duplicated", "wrong"),
        ("step_killed", "indeterminate", "unknown"),
        ("permanent_error", "failed, reported", "good"),
        ("permanent_error", "completed", "wrong"),
        ("cancel", "failed as expected", "good"),
        ("cancel", "completed", "wrong"),
        ("unknown here", "failed, reported", "told"),
        ("unknown here", "refused as expected", "good"),
    ],
)
def test_how_good_an_outcome_is_depends_on_the_scenario(scenario: str, outcome: str, tone: str) -> None:
    assert tone_of(scenario, outcome) == tone


def test_a_scenario_that_was_left_out_says_why(full: Lookup) -> None:
    cells = [
        Cell(
            name="block 1: prefect tuned: recovery: worker_killed",
            pipeline="training",
            estimated_s=1,
            state="left_out",
            reason="late",
        )
    ]
    kept = tuple(
        r for r in full.result.records if not (r.engine == "prefect" and r.metric.startswith("recovery.worker_killed"))
    )
    full.result.manifest.cells.extend(cells)
    heat = heat_map(Lookup(replace(full.result, records=kept)))
    full.result.manifest.cells.clear()
    assert heat is not None
    found = {cell.key: cell for cell in heat.cells}
    assert found["heat-worker_killed-prefect-tuned"].text == "not measured"
    assert found["heat-worker_killed-prefect-tuned"].note == "left out: late"
    assert found["heat-disk_full-prefect-tuned"].text == "not run"
    assert found["heat-disk_full-prefect-tuned"].note == "no file system may be mounted here"


def test_the_opening_sentence_counts_what_the_heat_map_shows(full: Lookup) -> None:
    heat = heat_map(full)
    assert heat is not None
    own = [cell for cell in heat.cells if cell.engine == "dagster" and cell.tone != "absent"]
    good, wrong = (sum(cell.tone == tone for cell in own) for tone in ("good", "wrong"))
    said = recovery.section(full).sentence
    assert f"Dagster, of {len(own)} scenarios: {good} ended as it should" in said
    assert f"{wrong} went wrong" in said


# --- tables


def test_what_never_ended_is_beyond_the_limit_and_first_nowhere(full: Lookup) -> None:
    rows = {row.title: row.cells for row in table(recovery.section(full), "table-recovery_s").rows}
    airflow, _, dagster = rows[subject("scheduler_killed")]
    assert (dagster.text, dagster.sort, dagster.mark) == ("> 120 s", "", "")
    assert airflow.note == "4.00 work + 5.00 delay + 3.00 rest"
    widths = [width for _, width in airflow.bar]
    assert sum(widths) == pytest.approx(100 * 12 / 14, abs=0.1)  # 14 s is the longest of the table


def test_what_was_left_behind_tells_nothing_from_not_measured(full: Lookup) -> None:
    rows = table(recovery.section(full), "table-left-behind").rows
    assert [row.title for row in rows] == [subject("scheduler_killed")]
    assert "a process was left (2), for > 15 s" in rows[0].cells[0].text
    assert "its session was replaced" in rows[0].cells[2].text
    without = tuple(
        replace_value(r) if r.engine == "prefect" and r.metric.startswith("recovery.scheduler_killed") else r
        for r in full.result.records
    )
    rows = table(recovery.section(Lookup(replace(full.result, records=without))), "table-left-behind").rows
    assert rows[0].cells[1].text == "\N{EM DASH}"


def replace_value(record: Any) -> Any:
    return type(record)(**{name: getattr(record, name) for name in record.__struct_fields__} | {"value": None})


def test_people_have_one_table_with_the_reason_where_they_can_do_nothing(full: Lookup) -> None:
    found = table(repair.section(full), "table-repair")
    titles = [column.title for column in found.columns]
    rows = {(row.cells[0].text, row.engine): dict(zip(titles, row.cells, strict=True)) for row in found.rows}
    lacking = rows[subject("late_data"), "prefect"]
    assert lacking["Outcome"].text.endswith("not supported")
    assert lacking["Outcome"].note.startswith("no backfill")
    assert rows[subject("late_data"), "dagster"]["Outcome"].note == "1 day missing: 2026-01-05"
    assert rows[subject("cancel"), "dagster"]["Time"].text == "> 60 s"
    assert rows[subject("roll_back"), "airflow"]["Extra code"].text == "19"


def test_kill_points_are_a_matrix_of_targets_and_moments(full: Lookup) -> None:
    section = sweep.section(full)
    assert section is not None
    assert "Dagster: 3 of 4 points" in section.sentence
    found = table(section, "table-points-tuned")
    assert [column.title for column in found.columns] == ["Killed", "before validate", "in train"]
    rows = {(row.cells[0].text, row.engine): row.cells for row in found.rows}
    assert rows["scheduler", "dagster"][2].text == "\N{BALLOT X}"
    assert rows["api", "dagster"][1].text == "\N{CHECK MARK}"
    assert ("step", "prefect") not in rows
    by_target = {row.title: row.cells for row in table(section, "table-by-target-tuned").rows}
    engines = [column.title for column in table(section, "table-by-target-tuned").columns]
    said = {name: dict(zip(engines, cells, strict=True)) for name, cells in by_target.items()}
    assert (said["scheduler"]["Dagster"].text, said["api"]["Dagster"].text) == ("0 of 1", "2 of 2")
    assert said["step"]["Prefect"].note.startswith("tasks run in")
    shares = table(section, "table-sweep").rows
    assert [(row.cells[0].text, row.cells[0].interval) for row in shares][2] == ("75", "30.1\N{EN DASH}95.4")


def test_a_step_that_was_struck_at_several_instants_has_several_signs(tmp_path: Path) -> None:
    builder = Builder()
    for engine in builder.engines:
        common: dict[str, Any] = {"engine": engine, "version": builder.version(engine), "track": "tuned"}
        found = [
            Sample(pipeline="training", metric="recovery.sweep.outcome", unit="text", value=value, mode="served",
                   params={"target": "worker", "at": "in features"}, **common)
            for value in ("completed after recovery", "stuck", "completed")
        ]  # fmt: skip
        builder.samples += found
        builder.records += summarise(found)
    section = sweep.section(Lookup(load(builder.write(tmp_path / "result"))))
    row = next(row for row in table(section, "table-points-tuned").rows if row.cells[0].text == "worker")
    assert "2\N{CHECK MARK} \N{BALLOT X}" in [cell.text for cell in row.cells]
    (whole,) = (row for row in table(section, "table-by-target-tuned").rows if row.title == "worker")
    assert {cell.text for cell in whole.cells} == {"2 of 3"}


# --- timelines


def event(at_s: float, event: str, step: str, attempt: int = 1, **more: Any) -> dict[str, Any]:
    given = {"t_ns": round(at_s * 1e9), "event": event, "step": step, "attempt": attempt, "pid": attempt, "thread": 1}
    return given | more


RUN = Run(engine="airflow", pipeline="training", run_id="r", submit_ns=10**9, terminal_ns=20 * 10**9)


def test_an_attempt_ends_when_its_process_was_killed() -> None:
    journal = [event(2, "start", "train"), event(2, "fault", "train", kind="slow"), event(9, "start", "train", 2),
               event(10, "end", "train", 2, result=None)]  # fmt: skip
    strike = Strike(run_id="r", action="kill", target="worker", moment="in train", pids=(1,), t_ns=4 * 10**9)
    line = timeline([RUN], [journal], [strike])
    assert line is not None
    assert [(bar.how, bar.start_s, bar.end_s) for bar in line.bars] == [("killed", 1, 3), ("ended", 8, 9)]
    assert [(band.start_s, band.end_s, band.what) for band in line.bands] == [(3, 3, "kill of the worker")]
    assert line.points == ()  # what makes a step long enough to be met is no fault
    assert line.ends == (19.0,)


def test_an_attempt_without_an_end_is_open_until_the_next_or_the_limit() -> None:
    journal = [event(2, "start", "train"), event(2, "fault", "train", kind="hang"), event(9, "start", "train", 2)]
    unfinished = Run(engine="airflow", pipeline="training", run_id="r", submit_ns=10**9)
    line = timeline([unfinished], [journal], [], 120.0)
    assert line is not None
    assert [(bar.how, bar.end_s) for bar in line.bars] == [("open", 8.0), ("open", 120.0)]
    assert [point.what for point in line.points] == ["hang"]


def test_a_run_made_anew_stands_after_the_one_that_failed() -> None:
    first, second = [event(2, "start", "train"), event(3, "error", "train")], [event(31, "start", "train")]
    runs = [RUN, Run(engine="airflow", pipeline="training", run_id="s", submit_ns=30 * 10**9, terminal_ns=40 * 10**9)]
    line = timeline(runs, [first, second], [])
    assert line is not None
    assert [(bar.how, bar.start_s) for bar in line.bars] == [("error", 1), ("open", 30)]
    assert line.ends == (19.0, 39.0)


def test_what_people_cancel_goes_on_until_its_process_is_gone() -> None:
    journal = [event(2, "start", "train"), event(2, "fault", "train", kind="slow")]
    cancelled = Run(
        engine="airflow", pipeline="training", run_id="r", submit_ns=10**9, asked_ns=4 * 10**9, terminal_ns=5 * 10**9
    )
    line = timeline([cancelled], [journal], [], gone_s=6.0)
    assert line is not None
    assert (line.asked, line.ends, line.points) == ((3.0,), (4.0,), ())
    assert [(bar.how, bar.end_s) for bar in line.bars] == [("open", 9.0)]


def test_a_strike_before_the_submission_is_where_time_starts() -> None:
    strike = Strike(run_id="r", action="kill", target="api", moment="during submit", t_ns=5 * 10**8, healed_ns=10**9)
    line = timeline([RUN], [[event(2, "start", "train"), event(3, "end", "train")]], [strike], 120.0)
    assert line is not None
    assert (line.submit_s, line.struck_s) == (0.5, 0.0)
    assert [(bar.start_s, bar.end_s) for bar in line.bars] == [(1.5, 2.5)]


def test_no_step_no_timeline() -> None:
    assert timeline([RUN], [[]], []) is None
    assert timeline([RUN], [[{"t_ns": 1}]], []) is None


def drawn(lookup: Lookup, scenario: str, engine: str) -> Course:
    found = next(one for one in courses(lookup, heat_map(lookup)) if one.key == f"course-{scenario}")
    return next(one for one in found.courses if one.engine == engine)


def test_engines_are_drawn_on_one_scale_with_what_was_measured(full: Lookup) -> None:
    airflow, dagster = (drawn(full, "scheduler_killed", engine) for engine in ("airflow", "dagster"))
    assert airflow.bands == dagster.bands
    limit = next(mark for mark in dagster.marks if mark.kind == "limit")
    assert limit.x == RIGHT
    seen, right = (next(mark for mark in airflow.marks if mark.kind == kind) for kind in ("seen", "right"))
    per_s = (RIGHT - LEFT) / 120
    assert seen.x == pytest.approx(LEFT + 11 * per_s, abs=0.1)  # struck at 3 s, seen 8 s later
    assert right.x == pytest.approx(LEFT + 15 * per_s, abs=0.1)
    assert dagster.said.endswith("given up at 120\N{NO-BREAK SPACE}s")


def test_what_was_not_measured_has_no_timeline(full: Lookup) -> None:
    keys = [one.key for one in courses(full, heat_map(full))]
    assert "course-disk_full" not in keys
    assert len(keys) == len(set(keys))


def test_a_result_with_every_scenario_stays_under_the_limit(tmp_path: Path) -> None:
    builder = Builder(tracks=("tuned", "stock"))
    for track in builder.tracks:
        for engine in builder.engines:
            for key in SCENARIOS:
                builder.scenario(engine, track, key, "completed after recovery", 1.0, 2.0, 2)
    html = write_report(builder.write(tmp_path / "result")).path.read_text(encoding="utf-8")
    assert html.count('<div class="course"') >= 6 * len(SCENARIOS)
    assert len(html.encode()) <= LIMIT_BYTES
    assert "To keep this file under" not in html


def test_a_step_that_ran_twice_at_once_shows_both(full: Lookup) -> None:
    first, second = (bar for bar in drawn(full, "scheduler_killed", "airflow").bars if bar.about.startswith("train"))
    assert first.x + first.width > second.x
    assert first.y + first.height < second.y
    assert drawn(full, "transient_error", "airflow").bars[0].height == 9

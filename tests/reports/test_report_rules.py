"""Ties, marks and verdicts: no claim finer than the noise, none without data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from result_fixture import Builder

from bench.contract.records import NOT_RANKED, Manifest, Record, Sample
from bench.observe.first_schema import DECLARED_ENGINES, DECLARED_PIPELINES
from bench.questions.catalogue import metric
from reports.read.loading import Result
from reports.read.lookup import Lookup
from reports.sections.decisions import Decision, asked, decide
from reports.sections.usecases import USE_CASES
from reports.words.prose import finding, limits, verdict_sentence
from reports.words.ranking import Noise, Reading, rank

CASES = {case.key: case for case in USE_CASES}
TIME = metric("runtime.makespan_s")


def lookup(*records: Record) -> Lookup:
    titles = {"airflow": "Airflow", "prefect": "Prefect", "dagster": "Dagster"}
    manifest = Manifest(created_utc="", budget="standard", budget_s=None, seed=1, arguments={}, data={}, host={},
                        versions={}, titles=titles,
                        engines=list(DECLARED_ENGINES), pipelines=list(DECLARED_PIPELINES))  # fmt: skip
    return Lookup(Result(Path(), manifest, records))


def record(engine: str, name: str, value: float | str | None, **more: object) -> Record:
    given: dict[str, object] = {"track": "tuned", "mode": "served", "isolation": "threads", "unit": "s", "n": 5} | more
    if isinstance(value, float) and given["unit"] == "s" and given["n"] != 1:
        given = {"ci_low": value * 0.98, "ci_high": value * 1.02} | given
    return Record(engine=engine, pipeline="training", metric=name, value=value, **given)  # type: ignore[arg-type]


def marks(*readings: Reading, name: str = TIME.name, noise: float = 1.0) -> list[str]:
    return [reading.mark for reading in rank(readings, metric(name), Noise(noise))]


def test_clear_difference_has_one_best() -> None:
    assert marks(Reading("a", 1.0, 0.9, 1.1, 5), Reading("b", 2.0, 1.9, 2.1, 5)) == ["best", ""]


def test_overlapping_intervals_share_the_first_place() -> None:
    found = marks(Reading("a", 1.0, 0.8, 1.2, 5), Reading("b", 1.1, 0.9, 1.3, 5), Reading("c", 3.0, 2.9, 3.1, 5))
    assert found == ["tied", "tied", ""]


def test_what_was_measured_under_other_limits_is_shown_and_not_ranked() -> None:
    name, why = "concurrency.throughput_per_min", "5 steps at once over all runs, more than the limit of 4"
    aside = Reading("c", 9.0, 8.9, 9.1, 5, note=f"1 outlier kept; {NOT_RANKED}{why}")
    found = [Reading("a", 1.0, 0.9, 1.1, 5), Reading("b", 2.0, 1.9, 2.1, 5), aside]
    assert marks(*found, name=name) == ["", "best", ""]
    known = lookup(*(record(one, name, value, unit="count") for one, value in (("airflow", 1.0), ("prefect", 2.0))))
    said = finding(known, metric(name), "throughput", found)
    assert said.startswith(f"Throughput: not ranked, for {why} (")
    assert said.count("per min for") == 3


def blocks(engine: str, *values: float) -> tuple[Sample, ...]:
    return tuple(
        Sample(engine=engine, pipeline="training", metric=TIME.name, unit="s", value=value, session=n, block=n)
        for n, value in enumerate(values, 1)
    )


def test_a_difference_that_every_block_shows_is_told_though_the_blocks_differ() -> None:
    ours, theirs = (10.0, 20.0, 30.0, 40.0), (12.0, 24.0, 36.1, 48.0)
    pair = [Reading(e, 20.0, 5.0, 60.0, 4, samples=blocks(e, *v)) for e, v in (("a", ours), ("b", theirs))]
    assert marks(*(replace(one, value=value) for one, value in zip(pair, (22.1, 26.6), strict=True))) == ["best", ""]


def test_a_difference_that_changes_its_sign_between_blocks_is_a_tie() -> None:
    one = Reading("a", 10.0, 9.9, 10.1, 4, samples=blocks("a", 10.0, 12.0, 10.0, 12.0))
    other = Reading("b", 20.0, 19.9, 20.1, 4, samples=blocks("b", 12.0, 10.0, 12.0, 10.0))
    assert marks(one, other) == ["", ""]


def test_no_mark_where_all_are_alike() -> None:
    assert marks(Reading("a", 1.0, 0.8, 1.2, 5), Reading("b", 1.1, 0.9, 1.3, 5)) == ["", ""]


@pytest.mark.parametrize(("n", "others"), [(1, 1), (1, 5), (5, 1)])
def test_a_single_session_ranks_no_time_however_far_they_are_apart(n: int, others: int) -> None:
    assert marks(Reading("a", 1.0, n=n), Reading("b", 9.0, n=others)) == ["", ""]


def test_noise_floor_of_the_result_makes_a_tie() -> None:
    pair = Reading("a", 1.0, 0.99, 1.01, 5), Reading("b", 1.15, 1.14, 1.16, 5)
    assert marks(*pair, noise=1.2) == ["", ""]
    assert marks(*pair, noise=1.1) == ["best", ""]


def test_differences_below_the_polling_interval_are_a_tie() -> None:
    assert marks(Reading("a", 0.1, n=5), Reading("b", 0.3, n=5), name="setup.deploy_s") == ["", ""]


def test_counts_are_exact_and_more_is_better_where_it_is() -> None:
    assert marks(Reading("a", 100.0, n=1), Reading("b", 101.0, n=1), name="authoring.symbols") == ["best", ""]
    assert marks(Reading("a", 0.0), Reading("b", 1.0), name="debugging.exception.names_line") == ["", "best"]


def test_a_few_lines_or_megabytes_decide_nothing() -> None:
    assert marks(Reading("a", 100.0), Reading("b", 104.0), name="authoring.sloc") == ["", ""]
    assert marks(Reading("a", 100.0), Reading("b", 110.0), name="setup.disk_bytes") == ["best", ""]


def test_one_value_alone_is_not_the_best() -> None:
    assert marks(Reading("a", 1.0, n=5), Reading("b", None, note="failed")) == ["", ""]


def test_what_is_not_ranked_has_no_mark() -> None:
    assert marks(Reading("a", 1.0), Reading("b", 9.0), name="runtime.work_s") == ["", ""]


def test_the_noise_floor_is_the_a_a_ratio_or_the_far_end_of_what_is_not_chance() -> None:
    def floor(value: float, low: float, high: float) -> float:
        return lookup(record("prefect", "noise.aa_ratio", value, ci_low=low, ci_high=high)).noise.ratio

    assert floor(0.95, 0.8, 1.1) == pytest.approx(1 / 0.95)
    assert floor(0.9, 0.8, 0.95) == pytest.approx(1.25)
    assert lookup().noise == Noise()


def test_second_arm_of_an_engine_and_the_plain_loop_do_not_compete() -> None:
    found = lookup(record("prefect-again", TIME.name, 1.0), record("inline", TIME.name, 0.1))
    assert found.engines == ("airflow", "prefect", "dagster")


def test_served_and_local_never_meet() -> None:
    found = lookup(record("airflow", TIME.name, 9.0), record("prefect", TIME.name, 1.0, mode="local"))
    assert [r.engine for r in found.readings(TIME.name, "tuned", "served")] == ["airflow"]


# --- verdicts


def served(**values: float) -> list[Record]:
    return [record(engine, "runtime.completion_s", value) for engine, value in values.items()]


def verdict(key: str, *records: Record) -> tuple[Decision, str]:
    found = lookup(*records)
    decision = decide(CASES[key], found, "tuned")
    return decision, verdict_sentence(decision, found)


def test_clear_winner() -> None:
    decision, said = verdict("least-wait", *served(airflow=9.0, prefect=5.0, dagster=7.0))
    assert (decision.status, decision.first) == ("favoured", ("prefect",))
    assert said == "Prefect. Decided by: completion time."


def test_the_next_criterion_decides_a_tie() -> None:
    records = [*served(airflow=5.05, prefect=5.0, dagster=9.0)]
    records += [record(e, "runtime.overhead_s", v) for e, v in (("airflow", 1.0), ("prefect", 2.0), ("dagster", 0.1))]
    decision, _ = verdict("least-wait", *records)
    assert decision.first == ("airflow",), "Dagster was out before its low overhead could count"
    assert [step.left for step in decision.trace] == [("airflow", "prefect"), ("airflow",)]


def test_no_clear_winner_when_the_criteria_are_used_up() -> None:
    decision, said = verdict("first-run", *[record(e, "setup.total_s", 20.0) for e in ("airflow", "prefect")])
    assert decision.status == "tie"
    assert said == "No clear winner: Airflow and Prefect cannot be told apart."


def test_a_criterion_that_was_not_measured_for_all_decides_nothing() -> None:
    records = [*served(airflow=5.0, prefect=5.0), record("airflow", "runtime.overhead_s", 1.0)]
    decision, _ = verdict("least-wait", *records)
    assert decision.status == "tie"
    assert "not measured for Prefect" in decision.trace[-1].remark


def test_insufficient_data() -> None:
    decision, said = verdict("least-wait", *served(airflow=9.0))
    assert decision.status == "insufficient"
    assert said == "Insufficient data: Prefect (not measured); Dagster (not measured)"


def test_missing_engine_is_named_beside_the_verdict() -> None:
    records = [*served(airflow=9.0, prefect=5.0), record("dagster", "runtime.completion_s", None, note="failed: start")]
    found = lookup(*records)
    assert limits(decide(CASES["least-wait"], found, "tuned"), found) == ("without Dagster (failed: start)",)


def test_required_outcome_excludes() -> None:
    outcome = "recovery.step_killed.outcome"
    outcomes = {"airflow": "failed, reported", "prefect": "stuck", "dagster": "completed after recovery"}
    records = [record(engine, outcome, value, unit="text") for engine, value in outcomes.items()]
    decision, _ = verdict("killed", *records)
    assert decision.first == ("dagster",)


def test_nobody_meets_the_requirement() -> None:
    outcome = "recovery.step_killed.outcome"
    decision, said = verdict("killed", *[record(e, outcome, "stuck", unit="text") for e in ("airflow", "prefect")])
    assert (decision.status, decision.first) == ("tie", ())
    assert said == "None of those measured meets the requirement."


def outcomes(scenario: str, **by_engine: str | None) -> list[Record]:
    return [record(e, f"recovery.{scenario}.outcome", v, unit="text", n=1) for e, v in by_engine.items()]


def test_what_survives_the_night_counts_only_what_every_engine_knows() -> None:
    records = [
        *outcomes("worker_killed", airflow="completed after recovery", prefect="stuck", dagster="completed"),
        *outcomes("scheduler_killed", airflow="completed", prefect="completed", dagster="failed, reported"),
        *outcomes("run_killed", airflow=None, prefect="completed", dagster="completed"),
    ]
    decision, said = verdict("night", *records)
    assert decision.first == ("airflow",)
    assert decision.trace[0].values == (("airflow", "2 of 2"), ("prefect", "1 of 2"), ("dagster", "1 of 2"))
    assert decision.single_session
    assert said.startswith("Airflow. Decided by: faults from outside")


def test_who_survives_nothing_is_not_first_in_the_night() -> None:
    decision, said = verdict("night", *outcomes("worker_killed", airflow="stuck", prefect="failed, reported"))
    assert (decision.status, decision.first) == ("tie", ())
    assert said == "None of those measured meets the requirement."


def test_a_result_without_faults_from_outside_is_not_asked_about_them() -> None:
    inside = lookup(*outcomes("step_killed", airflow="completed", prefect="completed"))
    outside = lookup(*outcomes("api_killed", airflow="completed", prefect="completed"))
    assert "night" not in [case.key for case in asked(inside)]
    assert [case.key for case in asked(outside)] == list(CASES)


def test_single_session_and_isolation_are_said() -> None:
    records = [record("airflow", "runtime.completion_s", 9.0, n=1, isolation="process per step"),
               record("prefect", "runtime.completion_s", 5.0, n=1)]  # fmt: skip
    found = lookup(*records)
    said = limits(decide(CASES["least-wait"], found, "tuned"), found)
    assert said[:2] == ("single session", "includes the price of isolation: process per step, threads")


@pytest.mark.parametrize("case", USE_CASES, ids=lambda case: case.key)
def test_every_rule_reaches_a_verdict_on_a_full_result(case: object, tmp_path: Path) -> None:
    builder = Builder()
    builder.write(tmp_path / "result")
    found = lookup(*builder.records)
    once = case.key == "resume"  # type: ignore[attr-defined] - scenarios ran once, and one session ranks no time
    assert decide(CASES[case.key], found, "tuned").status == ("tie" if once else "favoured")  # type: ignore[attr-defined]


def test_sentences_follow_the_numbers() -> None:
    found = lookup(*served(airflow=9.0, prefect=3.0))
    said = finding(found, TIME, "makespan", found.readings("runtime.completion_s", "tuned", "served"))
    said = said.replace("\N{NO-BREAK SPACE}", " ")
    assert said == "Prefect has the lowest makespan, 3.00 s, against 9.00 s for Airflow (3.00×)."

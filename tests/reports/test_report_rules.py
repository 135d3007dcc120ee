"""Ties, marks and verdicts: no claim finer than the noise, none without data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from result_fixture import Builder

from bench.analyse.families import FAMILIES
from bench.analyse.summary import summarise
from bench.contract.records import NOT_RANKED, Manifest, Record, Sample
from bench.observe.first_schema import DECLARED_ENGINES, DECLARED_PIPELINES
from bench.questions.catalogue import metric
from reports.read.loading import Result
from reports.read.lookup import Lookup
from reports.sections.decisions import NO_LIKE, Decision, asked, decide
from reports.sections.next_command import CATALOGUE, EXACT, MOST, would_decide
from reports.sections.usecases import USE_CASES
from reports.words.prose import finding, limits, verdict_sentence
from reports.words.ranking import Noise, Reading, rank

CASES = {case.key: case for case in USE_CASES}
TIME = metric("runtime.makespan_s")


def lookup(*records: Record, samples: tuple[Sample, ...] = (), **changes: object) -> Lookup:
    titles = {"airflow": "Airflow", "prefect": "Prefect", "dagster": "Dagster"}
    told = {"budget": "standard", "arguments": {}} | changes
    manifest = Manifest(created_utc="", budget_s=None, seed=1, data={}, host={}, versions={}, titles=titles,
                        engines=list(DECLARED_ENGINES), pipelines=list(DECLARED_PIPELINES), **told)  # type: ignore[arg-type] # fmt: skip
    return Lookup(Result(Path(), manifest, records, samples))


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


def test_nobody_shares_the_first_place_who_looks_worse_than_one_that_is_told_apart() -> None:
    """Few sessions of a noisy arm tell it apart from nothing, not even from what is far ahead of it."""
    best = Reading("a", 10.0, 8.0, 12.0, 3, samples=blocks("a", 9.0, 10.0, 11.0))
    behind = Reading("b", 20.0, 16.0, 24.0, 3, samples=blocks("b", 18.0, 20.0, 22.1))
    noisy = Reading("c", 30.0, 5.0, 200.0, 3, samples=blocks("c", 9.0, 30.0, 100.0))
    assert marks(best, noisy) == ["", ""]
    assert marks(best, behind, noisy) == ["best", "", ""]


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


def alone(**isolations: str) -> list[Record]:
    """Without a server, each slower than the one before."""
    return [
        record(engine, "runtime.completion_s", 4.0 + 4 * place, mode="local", isolation=kind)
        for place, (engine, kind) in enumerate(isolations.items())
    ]


def test_without_a_server_each_is_ranked_among_its_like_only() -> None:
    like, unlike = (
        lookup(*alone(airflow="in-process", dagster=kind, prefect="threads")).readings(
            "runtime.completion_s", "tuned", "local"
        )
        for kind in ("in-process", "process per step")
    )
    assert [(one.engine, one.mark) for one in like] == [("airflow", "best"), ("prefect", ""), ("dagster", "")]
    assert [one.mark for one in unlike] == ["", "", ""]


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


def test_ways_of_running_without_a_server_that_are_unlike_decide_nothing() -> None:
    imports = [record(e, "setup.import_s", v) for e, v in (("airflow", 9.0), ("prefect", 1.0))]
    decision, said = verdict("local", *alone(airflow="in-process", prefect="threads"), *imports)
    assert (decision.status, decision.next) == ("tie", NO_LIKE)
    assert decision.trace[-1].remark == "isolation differs (in-process and threads), so it cannot decide"
    decision, said = verdict("local", *alone(airflow="threads", prefect="threads"))
    assert said == "Airflow. Decided by: completion time from process start."


def test_insufficient_data() -> None:
    decision, said = verdict("least-wait", *served(airflow=9.0))
    assert decision.status == "insufficient"
    assert said == "Insufficient data: Prefect (not measured); Dagster (not measured)"


def test_missing_engine_is_named_beside_the_verdict() -> None:
    records = [*served(airflow=9.0, prefect=5.0), record("dagster", "runtime.completion_s", None, note="failed: start")]
    found = lookup(*records)
    assert limits(decide(CASES["least-wait"], found, "tuned"), found) == ("without Dagster (failed: start)",)


def struck(scenario: str, *runs: str | None, engine: str, note: str = "") -> list[Sample]:
    """Runs of a scenario in one session."""
    return [
        Sample(engine=engine, track="tuned", mode="served", pipeline="training", unit="text", value=value, note=note,
               metric=f"recovery.{scenario}.outcome", session=1, block=1)
        for value in runs
    ]  # fmt: skip


def by_runs(key: str, samples: Sequence[Sample], *records: Record, **changes: object) -> tuple[Decision, str]:
    found = lookup(*summarise(samples), *records, samples=tuple(samples), **changes)
    decision = decide(CASES[key], found, "tuned")
    return decision, verdict_sentence(decision, found)


GOOD, SHOWN = "completed after recovery", "failed, reported"


def killed(runs: int, **ends: str) -> list[Sample]:
    return [one for engine, end in ends.items() for one in struck("step_killed", *[end] * runs, engine=engine)]


def test_a_required_outcome_of_four_runs_excludes() -> None:
    decision, said = by_runs("killed", killed(4, airflow=SHOWN, prefect="stuck", dagster=GOOD))
    assert decision.first == ("dagster",)
    assert said == "Dagster. Decided by: the run completes by itself."
    assert decision.trace[0].values[2] == ("dagster", f"4 of 4 {GOOD}")
    assert "Fisher's exact test, p = 0.029" in decision.trace[0].compared[0]


def test_a_required_outcome_of_one_run_excludes_nobody_and_says_what_would_decide() -> None:
    decision, said = by_runs("killed", killed(1, airflow=SHOWN, prefect="stuck", dagster=GOOD))
    assert (decision.status, decision.few) == ("tie", "one run")
    assert said == "One run: Airflow, Prefect and Dagster are not told apart."
    assert decision.trace[0].values[0] == ("airflow", f"{SHOWN} (one run)")
    assert decision.next.startswith("Would decide it: `./orchbench run --only recovery`, about ")


def test_nobody_meets_the_requirement_where_no_run_of_several_did() -> None:
    decision, said = by_runs("killed", killed(4, airflow="stuck", prefect="stuck"))
    assert (decision.status, decision.first) == ("tie", ())
    assert said == "None of those measured meets the requirement."
    assert by_runs("killed", killed(1, airflow="stuck", prefect="stuck"))[0].first == ("airflow", "prefect")


FAMILY_OF = {family: key for key, family in reversed(FAMILIES.items())}
"""One scenario of each family."""


def night(right: Mapping[str, int], of: int) -> list[Sample]:
    """Each engine survives the first so many of these families."""
    keys = list(FAMILY_OF.values())[:of]
    return [one for engine, count in right.items() for place, key in enumerate(keys)
            for one in struck(key, GOOD if place < count else SHOWN, engine=engine)]  # fmt: skip


def test_seven_families_that_one_engine_alone_survives_decide_the_night() -> None:
    decision, said = by_runs("night", night({"airflow": 9, "prefect": 2, "dagster": 2}, 10))
    assert decision.first == ("airflow",)
    assert decision.trace[0].values == (("airflow", "9 of 10"), ("prefect", "2 of 10"), ("dagster", "2 of 10"))
    assert said.startswith("Airflow. Decided by: families of this catalogue's faults")
    assert decision.trace[0].compared[0] == (
        "Airflow and Prefect, 10 shared families: both came right in 2, Airflow alone in 7, Prefect alone in 0; "
        "p = 0.016, 0.047 with Holm's adjustment: Airflow is ahead"
    )


def test_six_do_not_and_the_catalogue_is_told_to_have_no_more() -> None:
    given = night({"airflow": 8, "prefect": 2, "dagster": 2}, 10)
    decision, said = by_runs("night", given)
    assert (decision.status, decision.first) == ("tie", ("airflow", "prefect", "dagster"))
    assert said.startswith("No clear winner")
    assert "--only recovery" in decision.next
    whole, _ = by_runs("night", given, arguments={"only": ["recovery"]})
    assert whole.next == CATALOGUE


def test_a_result_without_such_faults_is_not_asked_about_the_night() -> None:
    def cases(scenario: str) -> list[str]:
        samples = struck(scenario, GOOD, engine="airflow")
        return [case.key for case in asked(lookup(*summarise(samples), samples=tuple(samples)))]

    assert "night" not in cases("resume_after_fix")
    assert cases("api_killed") == list(CASES)


def test_one_session_and_isolation_are_said() -> None:
    records = [record("airflow", "runtime.completion_s", 9.0, n=1, isolation="process per step"),
               record("prefect", "runtime.completion_s", 5.0, n=1)]  # fmt: skip
    found = lookup(*records)
    decision = decide(CASES["least-wait"], found, "tuned")
    assert verdict_sentence(decision, found) == "One session: Airflow and Prefect are not told apart."
    assert limits(decision, found)[0] == "includes the price of isolation: process per step, threads"


@pytest.mark.parametrize(
    ("budget", "only", "case", "said"),
    [
        ("quick", [], "least-wait", "`./orchbench run --only runtime`, about 45 minutes"),
        ("standard", [], "least-wait", "`./orchbench run --only runtime`, about 45 minutes"),
        ("standard", ["runtime"], "least-wait", "`./orchbench run --budget full --only runtime --track tuned`"),
        ("full", [], "least-wait", MOST),
        ("full", ["recovery"], "least-wait", "`./orchbench run --only runtime`, about 45 minutes"),
        ("quick", [], "debugging", "`./orchbench run --budget full --only debugging --track tuned`"),
        ("quick", [], "least-code", EXACT),
    ],
)
def test_what_would_decide_has_sessions_enough_and_is_more_than_was_made(
    budget: str, only: list[str], case: str, said: str
) -> None:
    manifest = lookup(budget=budget, arguments={"only": only}).result.manifest
    assert said in would_decide(CASES[case], "tie", "one session", manifest)


@pytest.mark.parametrize("case", USE_CASES, ids=lambda case: case.key)
def test_every_rule_reaches_a_verdict_on_a_full_result(case: object, tmp_path: Path) -> None:
    builder = Builder()
    builder.write(tmp_path / "result")
    found = lookup(*builder.records, samples=tuple(builder.samples))
    seldom = case.key in ("resume", "killed", "night", "local")  # type: ignore[attr-defined] - too few, or unlike
    assert decide(CASES[case.key], found, "tuned").status == ("tie" if seldom else "favoured")  # type: ignore[attr-defined]


def test_sentences_follow_the_numbers() -> None:
    found = lookup(*served(airflow=9.0, prefect=3.0))
    said = finding(found, TIME, "makespan", found.readings("runtime.completion_s", "tuned", "served"))
    said = said.replace("\N{NO-BREAK SPACE}", " ")
    assert said == "Prefect has the lowest makespan, 3.00 s, against 9.00 s for Airflow (3.00×)."

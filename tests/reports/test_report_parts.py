"""Variants and versions of engines, the price of isolation, growth, resources, and how far to trust it all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from result_fixture import Builder
from result_parts import SIZES

from bench.contract.records import Manifest, Record
from bench.observe.first_schema import DECLARED_ENGINES, DECLARED_PIPELINES
from bench.questions.catalogue import metric
from reports.read.loading import Result, load
from reports.read.lookup import Lookup, Scope
from reports.sections import between, isolation, noise, resources, scaling
from reports.sections.section import Section
from reports.sections.tables import Table
from reports.words.prose import finding

CHAIN = Scope("chain")


def lookup(folder: Path, **changes: object) -> Lookup:
    return Lookup(load(Builder(**changes).write(folder)))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Lookup:
    return lookup(tmp_path_factory.mktemp("parts") / "result")


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")


def shown(section: Section | None) -> Section:
    assert section is not None
    return section


def table(section: Section | None, key: str) -> Table:
    whole = shown(section)
    found = [one for part in (whole, *whole.parts) for one in part.tables if one.key == key]
    assert len(found) == 1
    return found[0]


# --- which arms there are


def bare(*names: str, variants: list[dict[str, str]] | None = None) -> Lookup:
    manifest = Manifest(created_utc="", budget="full", budget_s=None, seed=1, arguments={}, data={}, host={},
                        versions={}, titles={"airflow": "Airflow"}, variants=variants or [],
                        engines=list(DECLARED_ENGINES), pipelines=list(DECLARED_PIPELINES))  # fmt: skip
    records = tuple(
        Record(engine=n, version="3.3.1" if "@" in n else "3.3.2", pipeline="training", metric="x", unit="s", value=1.0)
        for n in names
    )
    return Lookup(Result(Path(), manifest, records))


def test_versions_are_compared_and_variants_are_not() -> None:
    kinds = [{"name": "airflow@3.3.1", "engine": "airflow", "kind": "version", "text": ""},
             {"name": "prefect-processes", "engine": "prefect", "kind": "isolation", "text": ""}]  # fmt: skip
    found = bare("inline", "dagster", "prefect-processes", "airflow@3.3.1", "prefect", "airflow", variants=kinds)
    assert found.engines == ("airflow", "airflow@3.3.1", "prefect", "dagster")
    assert found.authored == ("airflow", "prefect", "dagster")
    assert found.isolations == ("prefect-processes",)


def test_a_result_that_tells_of_no_variants_has_them_by_their_names() -> None:
    found = bare("prefect", "prefect-again", "airflow@3.3.1", "airflow@3.3.1-again", "airflow@3.0.0-rc1")
    assert found.engines == ("airflow", "airflow@3.0.0-rc1", "airflow@3.3.1", "prefect")
    assert found.isolations == ()


def test_titles_tell_versions_and_variants_apart() -> None:
    found = bare("airflow", "airflow@3.3.1", "prefect", "prefect-processes")
    assert found.title("airflow") == "Airflow 3.3.2" == found.full_title("airflow")
    assert found.title("airflow@3.3.1") == "Airflow 3.3.1" == found.full_title("airflow@3.3.1")
    assert (found.title("prefect"), found.full_title("prefect")) == ("Prefect", "Prefect 3.3.2")
    assert found.title("prefect-processes") == "Prefect, processes"


def test_each_version_has_its_own_colour_and_a_variant_has_its_engines() -> None:
    found = bare("airflow", "airflow@3.3.1", "prefect", "prefect-processes")
    assert len({found.look(engine) for engine in found.engines}) == 3
    assert found.look("prefect-processes") == found.look("prefect")


# --- isolation


def test_arms_are_ranked_within_their_isolation_only(full: Lookup) -> None:
    rows = table(isolation.price(full), "table-isolation-tuned").rows
    kinds = [row.cells[0].text for row in rows]
    assert kinds == ["in-process", "threads", "process pool", "process per step", "process per step"]
    assert [row.cells[2].mark for row in rows] == ["", "", "", "", "best"]
    assert rows[0].title == "Dagster, in-process"
    assert not any("again" in row.title for row in rows)


def test_the_price_is_the_ratio_of_the_same_blocks(full: Lookup) -> None:
    part = shown(isolation.price(full))
    assert "Dagster on tuned settings, in-process against process per step" in part.sentence
    ratio = table(part, "table-isolation-tuned").rows[0].cells[-1]
    assert (ratio.text, ratio.n) == ("0.400", 5)
    assert f"{ratio.text}× the overhead ({ratio.interval}, 5 blocks)" in part.sentence


def test_without_variants_there_is_no_price(tmp_path: Path) -> None:
    assert isolation.price(lookup(tmp_path / "result", groups=("runtime",))) is None


def test_no_sentence_compares_across_isolations_without_saying_so(full: Lookup) -> None:
    def said(*engines: str) -> str:
        found = [full.reading("runtime.overhead_s", engine, "tuned", "served") for engine in engines]
        return finding(full, metric("runtime.overhead_s"), "overhead", [r for r in found if r])

    assert said("prefect", "dagster").endswith("(includes the price of isolation).")
    assert "isolation" not in said("airflow", "dagster")


def test_another_isolation_of_the_same_engine_is_no_difference_between_engines(tmp_path: Path) -> None:
    found = lookup(tmp_path / "result", engines=("prefect",))
    apart = tuple(
        msgspec.structs.replace(r, isolation="in-process") if r.pipeline == "chain" else r for r in found.result.records
    )
    times = table(scaling.section(Lookup(replace(found.result, records=apart))), "table-scaling-served")
    assert [row.note for row in times.rows] == ["in-process", "threads"]
    assert times.remark == ""
    assert not any(cell.marked for row in times.rows for cell in row.cells)


# --- growth


def test_growth_is_told_with_where_it_ends(full: Lookup) -> None:
    said = plain(shown(scaling.section(full)).sentence)
    assert said.startswith("Prefect has the lowest time for each task of a chain, 30.0 ms")
    assert "Apache Airflow fails at n=100 (chain)." in said
    assert said.endswith("Dagster is worse than linear from n=100 (chain) and n=100 (fan-out).")


def test_every_sample_is_a_point_and_every_fit_a_line(full: Lookup) -> None:
    (figure,) = shown(scaling.section(full)).figures
    rows = figure.spec["data"]["values"]
    points = [row for row in rows if row["kind"] == "point" and row["engine"] == "prefect" and row["panel"] == "chain"]
    assert sorted({row["n"] for row in points}) == list(SIZES)
    assert len(points) == 5 * len(SIZES)
    ends = [row for row in rows if row["kind"] == "fit" and row["engine"] == "airflow" and row["panel"] == "chain"]
    assert [(row["n"], row["value"]) for row in ends] == [(5, 1.95), (20, 3.3)], "it failed at 100"


def test_a_curve_is_drawn_as_one(full: Lookup) -> None:
    about = {"track": "tuned", "mode": "served", "isolation": "threads", "pipeline": "chain", "unit": "s"}
    bend = Record(engine="prefect", metric="scaling.quadratic_s", value=0.001, n=5, **about)  # type: ignore[arg-type]
    bent = Lookup(replace(full.result, records=(*full.result.records, bend)))
    (figure,) = shown(scaling.section(bent)).figures
    line = [row for row in figure.spec["data"]["values"]
            if (row["kind"], row["engine"], row["panel"]) == ("fit", "prefect", "chain")]  # fmt: skip
    assert len(line) > 2
    assert line[-1]["value"] == pytest.approx(0.5 + 0.03 * 100 + 0.001 * 100**2)


def test_another_storage_stands_beside_its_engine_in_payloads_and_is_not_ranked(full: Lookup) -> None:
    """It is by far the fastest, and yet the mark stays with an engine."""
    arm, manifest = "airflow-top-shelf", full.result.manifest
    told = {"name": arm, "engine": "airflow", "kind": "storage", "text": "results lie on a shelf"}
    shelved = [msgspec.structs.replace(r, engine=arm, value=0.001)
               for r in full.result.records if r.engine == "airflow" and "payload_bytes" in r.params]  # fmt: skip
    manifest = msgspec.structs.replace(manifest, variants=[*manifest.variants, told])
    found = Lookup(replace(full.result, records=(*full.result.records, *shelved), manifest=manifest))
    assert (arm in found.engines, arm in found.isolations, found.storages) == (False, False, (arm,))
    made = table(scaling.section(found), "table-payload")
    assert [(row.engine, row.title, row.cells[1].mark) for row in made.rows[:3]] == [
        ("airflow", "Apache Airflow", ""), ("airflow", "Apache Airflow, top shelf", ""), ("prefect", "Prefect", "best")
    ]  # fmt: skip
    assert made.rows[1].cells[1].text == "0.001"
    assert "Apache Airflow, top shelf: results lie on a shelf." in made.remark
    assert scaling.USUAL not in table(scaling.section(full), "table-payload").remark


def test_payloads_and_runs_side_by_side_are_told_by_size(full: Lookup) -> None:
    section = scaling.section(full)
    payload = [row.cells[0].text for row in table(section, "table-payload").rows[::3]]
    assert [plain(text) for text in payload[:3]] == ["1 kB through the engine", "1 kB by reference",
                                                     "100 kB through the engine"]  # fmt: skip
    runs = table(section, "table-concurrency").rows
    assert [row.cells[0].text for row in runs[::3]] == ["1", "4", "16"]
    assert [row.cells[-1].text for row in runs[-3:]] == ["0", "0", "1"]


# --- resources


def test_totals_do_not_hold_the_samples_of_roles(full: Lookup) -> None:
    reading = full.reading("resources.idle.pss_mean_bytes", "prefect", "tuned")
    assert reading is not None
    assert len(reading.samples) == 5
    assert min(float(s.value or 0) for s in reading.samples) > 350e6


def test_memory_by_kind_of_role_adds_up(full: Lookup) -> None:
    (figure,) = shown(resources.section(full)).figures
    rows = [row for row in figure.spec["data"]["values"] if row["engine"] == "airflow"]
    assert [row["part"] for row in rows] == [
        "web and API",
        "scheduling",
        "pipeline code",
        "worker",
        "database",
        "other",
    ]
    total = full.reading("resources.idle.pss_mean_bytes", "airflow", "tuned")
    assert total is not None
    assert sum(row["value"] for row in rows) == pytest.approx(float(total.value or 0) / 1e6, rel=0.01)


def test_growth_over_many_runs_has_the_slopes_interval(full: Lookup) -> None:
    cell = table(resources.section(full), "table-growth").rows[1].cells[-1]
    low, high = (float(end) for end in cell.interval.split("–"))
    assert low <= float(cell.text) <= high
    assert cell.note == "over 20 runs"


def test_roles_are_not_ranked(full: Lookup) -> None:
    roles = table(resources.section(full), "table-idle-roles")
    assert roles.folded
    assert not any(cell.mark for row in roles.rows for cell in row.cells)


# --- trust


def test_each_pair_of_engines_has_what_it_could_have_shown(full: Lookup) -> None:
    found = between.table(full)
    assert found
    assert [row.title for row in found.rows if row.track == "tuned"] == [
        "Apache Airflow against Prefect", "Apache Airflow against Dagster", "Prefect against Dagster",
    ]  # fmt: skip
    shown = {row.cells[1].text for row in found.rows if row.track == "tuned"}
    assert len(shown) > 1, "each by its own spread"
    assert [row.cells[2].text for row in found.rows if row.track == "tuned"] == ["slower", "slower", "faster"]
    said = between.least_shown(full)
    assert said.endswith(f"on tuned settings: {min(shown)}× to {max(shown)}×, by pair of engines.")


def test_one_session_could_have_shown_nothing(tmp_path: Path) -> None:
    found = lookup(tmp_path / "result", sessions=1)
    assert between.least_shown(found) == ""
    rows = [one for one in (between.table(found) or table(None, "")).rows if one.track == "tuned"]
    assert {(row.cells[1].note, row.cells[2].text) for row in rows} == {("one session", "not told apart")}


def test_the_interval_of_the_second_arm_is_printed_as_found_and_of_no_other_pair(full: Lookup) -> None:
    said = {name: plain(text) for name, text in noise.facts(full)}
    assert (
        said["Between these two"]
        == "1.08× would have been shown, in 80 of 100 results; of other pairs that says nothing"
    )


def test_what_is_known_of_the_instrument(full: Lookup) -> None:
    said = {name: plain(text) for name, text in noise.facts(full)}
    assert said["The same engine measured twice"].startswith("Prefect: 1.01× (0.970–1.05), 5 blocks")
    assert said["Load by others"] == "above 10 % of the cores in 1 of 4 runs; at worst 0.420 of 2 cores"
    assert said["Resolution of the clock"] == "42.0 ns"
    assert "the place in a block does not show in the times (p = 0.430)" in said["Order of the sessions"]
    assert "the time since the start shows in the times (p = 0.004)" in said["Order of the sessions"]
    assert said["Core's pipeline against a bare script"].startswith("time 1.06× (1.04–1.08) for 1 000 000 rows, n=5")


def test_an_order_that_was_not_tested_says_why() -> None:
    found = bare("airflow")
    untested = Record(
        engine="harness", pipeline="none", metric="noise.position_p", unit="p", value=None, note="fewer than 3 blocks"
    )
    said = dict(noise.facts(Lookup(replace(found.result, records=(*found.result.records, untested)))))
    assert said["Order of the sessions"] == "not tested: fewer than 3 blocks"


def test_micro_benchmarks_are_told_by_step_and_size(full: Lookup) -> None:
    found = noise.micro_table(full)
    assert found is not None
    assert [(row.title, *(plain(cell.text) for cell in row.cells)) for row in found.rows[:2]] == [
        ("extract", "10 000", "800 000", "204"),
        ("extract", "100 000", "800 000", "240"),
    ]

"""A pipeline is a folder: conducted by the plain loop and by engines that bind its graph; of others a row says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from checkout import ENGINE, HERE, PIPELINE, PROJECT, Checkout
from results import Result

CODELESS = "impl_codeless"
BRANCHES = {3: "low", 5: "middle", 7: "high"}
"""Size -> the arm that it leads to."""


@pytest.fixture(scope="module")
def house(checkout: Checkout) -> Iterator[Checkout]:
    """With the pipeline too, and a second engine that has code for none."""
    with checkout.added(HERE / "toy_pipeline", PIPELINE), checkout.added(HERE / "codeless_engine", CODELESS):
        double = (PROJECT / "tests" / "bench" / "doubles.py").read_text()
        (checkout.root / CODELESS / "doubles.py").write_text(double)
        yield checkout


@pytest.fixture(scope="module")
def result(house: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Result:
    output = tmp_path_factory.mktemp("result")
    engines = ("--engine", "toy", "--engine", "codeless")
    house.run("-m", "bench", "run", "--pipeline", "toy", *engines, "--budget", "quick", "-o", str(output))
    return Result.latest(output)


def test_an_engine_that_binds_its_graph_is_measured_with_it(result: Result) -> None:
    assert not result.undone("toy")
    plain = {run["run_id"] for run in result.lines("runs.jsonl") if run["outcome"] == "completed"}
    assert {run["engine"] for run in result.lines("runs.jsonl") if run["run_id"] in plain} == {"inline", "toy"}
    whole = [result.digests(run) for run in plain]
    assert all(one == whole[0] for one in whole)
    assert whole[0]["choice"] == "middle"
    assert all([key.partition(":")[0] for key in result.effects(run)] == ["publish"] for run in plain)


def test_a_kill_of_its_heavy_step_is_judged(result: Result) -> None:
    values = result.values("toy")
    assert values["recovery.step_killed.outcome"] == "completed after recovery"
    assert values["recovery.step_killed.attempts"] == 2
    assert values["recovery.step_killed.duplicates"] == 0


def test_an_engine_without_code_for_it_is_a_row_that_says_so(result: Result) -> None:
    undone = result.undone("codeless")
    assert undone
    assert all(one.endswith("no code for this pipeline") for one in undone)
    assert "failed: no code for this pipeline" in result.notes("codeless").values()
    assert "no code for this pipeline" in result.page
    assert "codeless" not in result.manifest["versions"], "it was installed for nothing"


def test_each_arm_is_reached_and_the_effect_happens_once(house: Checkout, tmp_path: Path) -> None:
    house.run(str(HERE / "reach_arms.py"), str(tmp_path), *map(str, BRANCHES))
    result = Result(tmp_path)
    for size, arm in BRANCHES.items():
        inline, engine = (result.digests(f"{name}-{size}-01") for name in ("inline", "toy"))
        assert inline == engine
        assert [name for name in BRANCHES.values() if name in engine] == [arm]
        assert len([name for name in engine if name.startswith("square_")]) == size
        assert result.effects(f"toy-{size}-01") == [f"publish:toy-{size}-01"]
    assert {(run["engine"], run["outcome"]) for run in result.lines("runs.jsonl")} == {
        ("inline", "completed"),
        ("toy", "completed"),
    }
    assert {verdict["verdict"] for verdict in result.lines("verdicts.jsonl")} == {"pass"}


def test_nothing_else_was_touched(house: Checkout) -> None:
    assert house.changes() == [f"?? {PIPELINE}/", f"?? {CODELESS}/", f"?? {ENGINE}/"]

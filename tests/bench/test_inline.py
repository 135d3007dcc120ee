"""The plain loop: it conducts whatever a graph can say, and every pipeline that is found."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

import core.pipelines
from bench.run import inline
from core.declaration import Part, discovery, pipeline
from core.instrument import journal
from core.instrument.config import Fault, RunConfig
from core.instrument.errors import ConfigError, TransientError
from core.pipelines.training.generator import TARGET, Transactions, write_transactions

BAKERY = {
    "__init__.py": "",
    "pipeline.py": """
        from typing import Annotated

        import msgspec

        from core.declaration import Graph, Kind, Pipeline, Step, always


        class Orders(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
            loaves: Annotated[tuple[str, ...], msgspec.Meta(description="what to bake")] = ()
            way: Annotated[str, msgspec.Meta(description="how it is sold")] = "shop"


        PIPELINE = Pipeline(
            name="bakery",
            title="bakery",
            graph=always(
                Graph(
                    (
                        Step("order"),
                        Step("flour"),
                        Step("bake", ("order", "flour"), Kind.MAP, over="order"),
                        Step("count", ("bake",)),
                        Step("choose", ("count",), Kind.BRANCH, arms=("shop", "market", "give_away")),
                        Step("shop", ("count", "choose")),
                        Step("market", ("bake", "choose")),
                        Step("give_away", ("choose",)),
                        Step("bill", ("shop",)),
                        Step("close", ("bill", "market", "give_away"), Kind.JOIN),
                        Step("sweep", ("close",), Kind.ALWAYS),
                    )
                )
            ),
            settings=Orders,
            effects=("shop", "market", "give_away"),
        )
    """,
    "steps.py": """
        from core.instrument.step import step, step_of_many
        from core.pipelines.bakery.pipeline import Orders


        @step
        def order(attempt):
            return list(attempt.settings(Orders).loaves)


        @step
        def flour(attempt):
            return "rye"


        @step_of_many("{}")
        def bake(attempt, loaf, flour):
            return f"{loaf} of {flour}"


        @step
        def count(attempt, *loaves):
            return f"{len(loaves)} loaves"


        @step
        def choose(attempt, counted):
            return attempt.settings(Orders).way


        def sold(attempt, *given):
            attempt.effect(f"{attempt.settings(Orders).way}:{attempt.config.run_id}")
            return list(given)


        @step
        def shop(attempt, *given):
            return sold(attempt, *given)


        @step
        def market(attempt, *given):
            return sold(attempt, *given)


        @step
        def give_away(attempt, *given):
            return sold(attempt, *given)


        @step
        def bill(attempt, of):
            return f"bill for {of[0]}"


        @step
        def close(attempt, *given):
            return list(given)


        @step
        def sweep(attempt):
            return "clean"
    """,
}
BAKED = ["white of rye", "brown of rye"]
BEFORE = ["order", "flour", "bake_white", "bake_brown", "count", "choose"]
DAYS = ["2026-01-03", "2026-01-05"]
STATES = {"training": "v0002", "model_roll_back": "v0001"}
"""What stands outside once its runs are over."""
Make = Callable[..., RunConfig]


@pytest.fixture(scope="module")
def transactions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_transactions(Transactions(rows=1000), tmp_path_factory.mktemp("data") / "transactions.csv")


def forget() -> None:
    """What was found before is looked for again."""
    pipeline.cache_clear()
    discovery._as_written.cache_clear()


@pytest.fixture
def bakery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One more folder among the pipelines, for real, somewhere else."""
    folder = tmp_path / "pipelines" / "bakery"
    folder.mkdir(parents=True)
    for name, text in BAKERY.items():
        (folder / name).write_text(dedent(text))
    monkeypatch.setattr(discovery, "FOLDER", folder.parent)
    monkeypatch.setattr(core.pipelines, "__path__", [*core.pipelines.__path__, str(folder.parent)])
    forget()
    before = set(sys.modules)
    yield
    forget()
    for name in set(sys.modules) - before:
        if name.startswith("core.pipelines.bakery"):
            del sys.modules[name]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def made(name: str, faults: tuple[Fault, ...] = (), *, run_id: str = "run1", **settings: Any) -> RunConfig:
        folders = {"run_dir": tmp_path / run_id, "effects_dir": tmp_path / "effects"}
        config = RunConfig(pipeline=name, run_id=run_id, **folders, settings=settings, faults=faults)
        config.save()
        return config

    return made


def events(config: RunConfig, event: str, key: str = "step") -> list[str]:
    return [record[key] for record in journal.read(config.run_dir) if record["event"] == event]


@pytest.mark.parametrize(
    ("way", "sold", "after", "closed"),
    [
        ("shop", ["2 loaves"], ["shop", "bill"], ["bill for 2 loaves"]),
        ("market", BAKED, ["market"], [BAKED]),
        ("give_away", [], ["give_away"], [[]]),
    ],
)
def test_a_map_a_branch_of_three_arms_a_join_and_what_always_runs(
    bakery: None, make: Make, *, way: str, sold: list[str], after: list[str], closed: list[Any]
) -> None:
    config = make("bakery", loaves=["white", "brown"], way=way)
    results = inline.conduct(str(config.path))
    assert results["bake"] == BAKED
    assert (results["choose"], results[way], results["close"], results["sweep"]) == (way, sold, closed, "clean")
    assert {"shop", "market", "give_away"} & set(results) == {way}
    assert events(config, "end") == events(config, "start") == [*BEFORE, *after, "close", "sweep"]
    assert events(config, "effect", "key") == [f"{way}:run1"]


def test_a_map_over_nothing_is_no_step_at_all(bakery: None, make: Make) -> None:
    config = make("bakery", way="market")
    results = inline.conduct(str(config.path))
    assert (results["bake"], results["count"], results["market"]) == ([], "0 loaves", [])
    assert "bake" not in "".join(events(config, "start"))


@pytest.mark.parametrize("step", ["order", "bake_brown", "choose", "market", "close"])
def test_after_a_failure_runs_nothing_but_what_always_runs(bakery: None, make: Make, step: str) -> None:
    config = make("bakery", (Fault(step, "transient"),), loaves=["white", "brown"], way="market")
    with pytest.raises(TransientError):
        inline.conduct(str(config.path))
    expected = [*BEFORE, "market", "close"]
    assert events(config, "start") == [*expected[: expected.index(step) + 1], "sweep"]
    assert events(config, "end")[-1] == "sweep"


def test_a_setting_that_is_wrong_is_named(bakery: None, make: Make) -> None:
    with pytest.raises(ConfigError, match="unknown field `ovens`"):
        inline.conduct(str(make("bakery", ovens=2).path))


def settings_of_runs(data: Path) -> dict[str, list[dict[str, Any]]]:
    """For each pipeline runs that together do all that it can do; the roll-back has something to go back to."""
    table = {"data": str(data), "target": TARGET, "hyperparameters": {"n_estimators": 5}}
    return {
        "training": [table, table | {"seed": 8}, table | {"threshold": 2.0}],
        "model_roll_back": [{}],
        "daily_files": [{"data": str(data)}],
        "chain": [{"n": 3}],
        "fan_out": [{"n": 3}],
    }


def test_what_a_pipeline_declares_is_what_its_runs_do(make: Make, transactions: Path) -> None:
    """Its effects and artifacts come about, and no step that its graph has not."""
    runs = settings_of_runs(transactions)
    assert sorted(runs) == discovery.names()
    for name, several in runs.items():
        declared = pipeline(name)
        configs = [make(name, run_id=f"{name}{number}", **settings) for number, settings in enumerate(several)]
        for config in configs:
            inline.conduct(str(config.path), DAYS if name == "daily_files" else ())
            assert all(declared.graph(config.settings).declared(step) for step in events(config, "start"))
        kinds = {key.split(":")[0] for config in configs for key in events(config, "effect", "key")}
        assert kinds >= set(declared.effects)
        kept = {artifact for step, artifact in declared.artifacts.items() if step != declared.parts.get(Part.EFFECT)}
        assert all(any((config.run_dir / artifact).exists() for config in configs) for artifact in kept)
        assert declared.state(configs[0].effects_dir) == STATES.get(name, "")


def test_a_range_of_days_is_one_step_for_each(make: Make, transactions: Path) -> None:
    config = make("daily_files", data=str(transactions))
    results = inline.conduct(str(config.path), DAYS)
    assert [Path(one["path"]).stem for one in results["day"]] == DAYS
    assert events(config, "end") == [f"day_{day}" for day in DAYS]


@pytest.mark.parametrize(("name", "steps"), [("chain", 3), ("fan_out", 5)])
def test_like_steps_hand_on_what_they_were_given(make: Make, name: str, steps: int) -> None:
    digests = []
    for n in (3, 2):
        config = make(name, run_id=f"{name}{n}", n=n, payload_bytes=10)
        digests.append(list(inline.conduct(str(config.path)).values())[-1]["digest"])
        assert len(events(config, "end")) == steps - 3 + n
    assert digests[0] != digests[1]
